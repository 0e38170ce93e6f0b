"""What the palette finds of connections: their page, a new one, and each by its name."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from flask import url_for

from portal.connections import queries
from portal.connections.models import Connection
from portal.core.access import Permission, access
from portal.core.palette import Entry, Kind, entry
from portal.i18n.locale import bilingual
from portal.i18n.words import lazy_gettext as _l


def find(text: str) -> Iterable[Entry]:
    here = access()
    if not here.can(Permission.CONNECTION_READ):
        return
    yield entry(Kind.PAGE, _l("Connections"), "plug", url_for("connections.listing"))
    if here.can(Permission.CONNECTION_MANAGE):
        yield entry(Kind.ACTION, _l("New connection"), "plus", url_for("connections.new"), also=_l("Add"))
    if text:
        yield from map(_named, queries.list_connections(here.tenant_id))


def recall(connection_id: UUID) -> Entry | None:
    here = access()
    found = queries.find_connection(here.tenant_id, connection_id) if here.can(Permission.CONNECTION_READ) else None
    return _named(found) if found else None


def _named(row: Connection) -> Entry:
    url = url_for("connections.detail", connection_id=row.id)
    return Entry(Kind.PAGE, bilingual(row), "plug", url, words=(row.name, row.name_ar or ""))
