"""Who a bearer's token speaks for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, text

from portal.core import db
from portal.core.secrets import token_hash
from portal.identity.tokens import networks, queries, spelling
from portal.identity.tokens.errors import SecretRefused


def open_bearer(secret: str, *, address: str) -> Row[Any]:
    """Return the person, tenant, role and scopes that a token opens, and enter its tenant. Notes the use, once a minute at most.

    Raises:
        SecretRefused: whatever is wrong with it.
    """
    if not spelling.is_spelled_right(secret, spelling.PERSONAL, spelling.ACCESS):
        raise SecretRefused
    known = queries.find_secret(token_hash(secret))
    if known is None:
        raise SecretRefused
    db.enter_tenant(known.tenant_id)
    row = queries.bearer_row(known)
    if row is None or not networks.holds(row.networks, address):
        raise SecretRefused
    if row.stale:
        with db.transaction() as session:
            session.execute(
                text(
                    f"update {row.source} set last_used_at = clock_timestamp(), last_used_from = :address"
                    " where tenant_id = :tenant and id = :id"
                    " and (last_used_at is null or last_used_at < clock_timestamp() - interval '1 minute')"
                ),
                {"address": address, "tenant": row.tenant_id, "id": row.id},
            )
    return row
