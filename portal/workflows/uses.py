"""What steps use of the connections, and what a connection can be kept to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from portal.connections import service as connections
from portal.i18n.locale import plain_name
from portal.workflows import definition, queries
from portal.workflows.actions.registry import ACTIONS, FIELDS


def connections_of(nodes: Iterable[definition.Node]) -> set[str]:
    """Return the ids of the connections that steps chose."""
    return {str(chosen) for node in nodes if (chosen := (node.get("config") or {}).get("connection"))}


def uses_of_connections(tenant_id: UUID) -> dict[UUID, list[connections.Use]]:
    """Return connection → the workflows that use it, for the page of connections."""
    found: dict[UUID, list[connections.Use]] = {}
    for row in queries.uses_of_connections(tenant_id):
        with contextlib.suppress(ValueError):
            url = f"/workflows/{row.id}"
            found.setdefault(UUID(row.connection), []).append(
                connections.Use(row.id, row.name, row.name_ar, url, tuple(row.steps), row.is_live)
            )
    return found


def scopes_of_connections(tenant_id: UUID) -> list[tuple[str, str]]:
    """Return the workflows that a connection can be kept to, as (id, name)."""
    return [(str(row.id), plain_name(row)) for row in queries.names_of_workflows(tenant_id, limit=200)]


def kinds_with_connections() -> list[tuple[str, Any]]:
    """Return the step kinds that a connection can be kept to, as (kind, name)."""
    return [(kind, ACTIONS[kind].label) for kind, fields in FIELDS.items() if any(each.type == "connection" for each in fields)]
