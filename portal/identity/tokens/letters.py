"""Mail about tokens and clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from portal.identity.tokens import queries
from portal.mail import service as mail


def write_to(tenant_id: UUID, person_ids: Iterable[UUID], message: str, **facts: Any) -> None:
    """Have a mail sent to each of these members, once each, in their language, after the open transaction."""
    for person in queries.addressees(tenant_id, list(dict.fromkeys(person_ids))):
        mail.post(person.email, message, locale=person.locale, tenant_id=tenant_id, **facts)
