"""What the palette finds for staff."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core.access import is_staff
from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l

PAGES = (
    ("admin.home", _l("Health"), "activity"),
    ("admin.tenants", _l("Organisations"), "building-2"),
    ("admin.fairness", _l("Fair share"), "chart-column"),
    ("admin.jobs", _l("Failed jobs"), "rotate-ccw"),
    ("admin.announcements", _l("Announcements"), "megaphone"),
    ("admin.switches", _l("Switches"), "toggle-left"),
)


def find(_text: str) -> Iterable[Entry]:
    if is_staff():
        for endpoint, label, icon in PAGES:
            yield entry(Kind.PAGE, label, icon, url_for(endpoint))
        yield entry(Kind.PAGE, _l("Component gallery"), "swatch-book", url_for("admin.gallery"))
