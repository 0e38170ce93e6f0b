"""Write the audit book."""

from __future__ import annotations

from uuid import UUID

from portal.audit.models import AuditEntry
from portal.core import db
from portal.core.access import Actor


def record(tenant_id: UUID, by: Actor, action: str, target_id: UUID | None = None, **details: object) -> None:
    """Add one entry in the open transaction: it stands exactly when the change stands.

    Args:
        action: a code, `thing.verb` in the past tense, e.g. `workflow.published`.
        details: JSON values; never secrets, never translated text.
    """
    if by.token_id is not None:
        details["token"] = by.token_id
    plain = {key: value if isinstance(value, int | float | bool | list | dict) else str(value) for key, value in details.items()}
    db.session().add(AuditEntry(tenant_id=tenant_id, actor_kind=by.kind, actor_id=by.id, action=action, target_id=target_id, details=plain))
