"""What the palette finds of exports: the page of one's files."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from flask_babel import lazy_gettext as _l

from portal.core.palette import Entry, Kind
from portal.i18n.search import entry


def find(_text: str) -> Iterable[Entry]:
    yield entry(Kind.PAGE, _l("My files"), "folder-down", url_for("exports.listing"))
