"""What the palette finds of the bell: its page."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core.access import Permission, access
from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l


def find(_text: str) -> Iterable[Entry]:
    if access().can(Permission.NOTIFICATION_READ):
        yield entry(Kind.PAGE, _l("Notifications"), "bell", url_for("notifications.listing"))
