"""What kinds with a connection share: opening it for a step, and saying what went wrong."""

from __future__ import annotations

from uuid import UUID

from portal.connections import service as connections
from portal.connections.errors import Unusable
from portal.core import db
from portal.workflows import queries
from portal.workflows.actions.base import Call, Failed

# These are about the connection itself, whatever it leads to.
OWN = frozenset({"gone", "scope", "kind", "lost", "token", "bound"})


def open_for(call: Call, families: tuple[str, ...], kind: str) -> connections.Opened | None:
    """Open the connection that a step chose, or return None when it chose none.

    Raises:
        Unusable: it cannot serve this step.
    """
    chosen = str(call.config.get("connection") or "")
    if not chosen:
        return None
    try:
        connection_id = UUID(chosen)
    except ValueError:
        raise Unusable("gone") from None
    with db.transaction(call.tenant_id):
        workflow_id = queries.workflow_of(call.tenant_id, call.run_id)
    return connections.open_connection(call.tenant_id, connection_id, families=families, workflow_id=workflow_id, step_kind=kind)


def failed(wrong: Unusable, family: str) -> Failed:
    """Turn what went wrong into the outcome of a step; its code is explained by `explain`."""
    prefix = "connection" if wrong.code in OWN else family
    code = wrong.code if wrong.code.startswith("chat_") else f"{prefix}_{wrong.code}"
    return Failed(code, detail=wrong.detail, again=wrong.again, sent=wrong.sent)
