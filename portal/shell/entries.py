"""The shell's own entries of the palette: the look, the keys, the pages of settings."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core import places
from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l

LOOKS = (
    ("light", _l("Light appearance"), "sun"),
    ("dark", _l("Dark appearance"), "moon"),
    ("system", _l("Appearance as on this device"), "monitor"),
)


def find(_text: str) -> Iterable[Entry]:
    for value, label, icon in LOOKS:
        # The look is a matter of the page in the browser: the entry presses the switch that the menu has for it.
        yield entry(Kind.ACTION, label, icon, also=_l("Theme"), presses=f"[data-theme-choice='{value}']")
    yield entry(Kind.PAGE, _l("Keyboard shortcuts"), "keyboard", url_for("shell.shortcuts"), presses="[data-shortcuts-open]")
    yield entry(Kind.PAGE, _l("Settings"), "settings", url_for("shell.settings"))
    for group in places.GROUPS:
        for place in places.offered(group):
            yield entry(Kind.PAGE, place.label, place.icon, place.url, also=_l("Settings"))
