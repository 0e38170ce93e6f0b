"""What the palette finds of themes."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core.access import Permission, access
from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l


def find(_text: str) -> Iterable[Entry]:
    if access().can(Permission.THEME_EDIT):
        yield entry(Kind.PAGE, _l("Themes"), "palette", url_for("themes.listing"), also=_l("Appearance and logo"))
