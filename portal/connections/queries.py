"""Every SELECT of connections."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from portal.connections.models import Connection
from portal.core import db
from portal.core.errors import NotFound


def list_connections(tenant_id: UUID) -> Sequence[Connection]:
    """Return every connection by name, without its secrets."""
    return db.session().scalars(select(Connection).where(Connection.tenant_id == tenant_id).order_by(Connection.name, Connection.id)).all()


def find_connection(tenant_id: UUID, connection_id: UUID, *, lock: bool = False) -> Connection | None:
    """Return a connection, or None."""
    wanted = select(Connection).where(Connection.tenant_id == tenant_id, Connection.id == connection_id)
    # Read anew: a token may have been refreshed by another process since this unit of work began.
    wanted = wanted.execution_options(populate_existing=True)
    return db.session().scalar(wanted.with_for_update() if lock else wanted)


def gap_s(tenant_id: UUID, connection_id: UUID) -> float | None:
    """Return how many seconds lie between two calls of steps through a connection, or None when it has no limit."""
    wanted = select(Connection.rate_count, Connection.rate_per).where(Connection.tenant_id == tenant_id, Connection.id == connection_id)
    row = db.session().execute(wanted).first()
    if row is None or row.rate_count is None:
        return None
    return (60.0 if row.rate_per == "minute" else 1.0) / row.rate_count


def get_connection(tenant_id: UUID, connection_id: UUID, *, lock: bool = False) -> Connection:
    """Return a connection.

    Raises:
        NotFound: no such connection in this tenant.
    """
    found = find_connection(tenant_id, connection_id, lock=lock)
    if found is None:
        raise NotFound
    return found


def is_name_taken(tenant_id: UUID, name: str, *, but: UUID | None = None) -> bool:
    """Say whether another connection has this name."""
    wanted = select(Connection.id).where(Connection.tenant_id == tenant_id, Connection.name == name)
    return any(found != but for found in db.session().scalars(wanted))
