"""Write the audit book."""

from __future__ import annotations

from uuid import UUID

from portal.core import db
from portal.core.access import Actor
from portal.core.ids import new_id

ADD = """
insert into audit_entries (id, tenant_id, actor_kind, actor_id, action, target_id, details)
values (%(id)s, %(tenant)s, %(kind)s, %(by)s, %(action)s, %(target)s, %(details)s::jsonb)
"""


def record(tenant_id: UUID, by: Actor, action: str, target_id: UUID | None = None, **details: object) -> None:
    """Add one entry in the open transaction: it stands exactly when the change stands.

    Args:
        action: a code, `thing.verb` in the past tense, e.g. `workflow.published`.
        details: JSON values; never secrets, never translated text.
    """
    if by.token_id is not None:
        details["token"] = by.token_id
    plain = {key: value if isinstance(value, int | float | bool | list | dict) else str(value) for key, value in details.items()}
    entry = {"id": new_id(), "tenant": tenant_id, "kind": by.kind, "by": by.id, "action": action, "target": target_id}
    session = db.session()
    session.flush()  # the tenant itself may be new
    db.write_later(session.connection(), ADD, {**entry, "details": db.to_json(plain)})
