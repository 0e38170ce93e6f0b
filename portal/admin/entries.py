"""What the palette finds for staff."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core.access import is_staff
from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l


def find(_text: str) -> Iterable[Entry]:
    if is_staff():
        yield entry(Kind.PAGE, _l("Component gallery"), "swatch-book", url_for("admin.gallery"))
