"""What the palette finds of exports: the page of one's files."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l


def find(_text: str) -> Iterable[Entry]:
    yield entry(Kind.PAGE, _l("My files"), "folder-down", url_for("exports.listing"))
