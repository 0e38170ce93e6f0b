"""Secrets of connections: enclosed for their row, opened only to be used, with a mask for what comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from portal.connections import queries
from portal.connections.errors import Unusable
from portal.connections.kinds import KINDS
from portal.connections.masking import Mask
from portal.connections.models import Connection
from portal.core import clock, db
from portal.core.secrets import SecretLost, disclose, enclose


@dataclass(slots=True, repr=False)
class Opened:
    """A connection with its secrets in the open, for as long as one call takes. It has no text of its own: logs cannot show it."""

    tenant_id: UUID
    id: UUID
    kind: str
    family: str
    settings: dict[str, Any]
    hosts: frozenset[str]
    secrets: dict[str, str]
    before: dict[str, str] = field(default_factory=dict)
    mask: Mask = field(default_factory=Mask)


def place(tenant_id: UUID, connection_id: UUID, column: str = "secret") -> str:
    """Name the place of a connection's secret: what is sealed for it opens nowhere else."""
    return f"connections.{column}:{tenant_id}:{connection_id}"


def shut(tenant_id: UUID, connection_id: UUID, secrets: dict[str, str]) -> bytes:
    """Enclose the secrets of a connection."""
    return enclose(json.dumps(secrets), where=place(tenant_id, connection_id))


def open_connection(tenant_id: UUID, connection_id: UUID, *, families: tuple[str, ...], workflow_id: UUID | None, step_kind: str) -> Opened:
    """Open a connection for a step.

    Args:
        families: what the step can use.
        workflow_id, step_kind: who asks; a connection may be there for some workflows or step kinds only. None is the test button.

    Raises:
        Unusable: it is gone, of another kind, not for this step, or its secret cannot be read.
    """
    with db.transaction(tenant_id):
        row = queries.find_connection(tenant_id, connection_id)
        if row is None:
            raise Unusable("gone")
        if row.kind not in KINDS or KINDS[row.kind].family not in families:
            raise Unusable("kind", row.name)
        if workflow_id is not None and not is_in_scope(row, workflow_id, step_kind):
            raise Unusable("scope", row.name)
        return opened(row)


def is_in_scope(row: Connection, workflow_id: UUID, step_kind: str) -> bool:
    """Say whether a connection is there for a step of this kind in this workflow."""
    if row.scope == "workflows":
        return str(workflow_id) in row.scope_items
    return row.scope != "kinds" or step_kind in row.scope_items


def opened(row: Connection) -> Opened:
    """Open a row.

    Raises:
        Unusable: `lost`.
    """
    where = place(row.tenant_id, row.id)
    try:
        secrets = json.loads(disclose(row.sealed, where=where))
        kept = row.sealed_before is not None and row.before_until is not None and row.before_until > clock.now()
        before = json.loads(disclose(row.sealed_before, where=where)) if kept and row.sealed_before else {}
    except SecretLost:
        raise Unusable("lost", row.name) from None
    mask = Mask([*secrets.values(), *before.values()])
    for each in (secrets, before):
        if "password" in each and "username" in row.settings:
            mask.add(f"{row.settings['username']}:{each['password']}")
    if "webhook_url" in secrets:
        mask.add(*(urlsplit(each["webhook_url"]).path for each in (secrets, before) if each))
    return Opened(row.tenant_id, row.id, row.kind, KINDS[row.kind].family, dict(row.settings), frozenset(row.hosts), secrets, before, mask)
