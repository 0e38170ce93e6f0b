"""Every SELECT of invitations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text

from portal.core import db
from portal.core.errors import NotFound
from portal.identity.invitations.models import Invitation
from portal.identity.models import Membership, Person, Role

OPEN = Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None)


def waiting(tenant_id: UUID) -> list[Row[Any]]:
    """Return what was sent and is neither accepted nor withdrawn, newest first, with who sent it, the role's names, and `is_late`."""
    return list(
        db.session().execute(
            select(
                Invitation.id, Invitation.email, Invitation.role, Invitation.created_at, Invitation.expires_at,
                (Invitation.expires_at < func.clock_timestamp()).label("is_late"),
                Role.name.label("role_name"), Role.name_ar.label("role_name_ar"),
                Person.name.label("sender"), Person.name_ar.label("sender_ar"),
            )
            .join(Person, Person.id == Invitation.invited_by)
            .outerjoin(Role, (Role.tenant_id == Invitation.tenant_id) & (Role.id == Invitation.role_id))
            .where(Invitation.tenant_id == tenant_id, OPEN)
            .order_by(Invitation.created_at.desc(), Invitation.id.desc())
            .limit(500)
        )
    )  # fmt: skip


def get(tenant_id: UUID, invitation_id: UUID, *, lock: bool = False) -> Invitation:
    """Return an invitation that is neither accepted nor withdrawn.

    Raises:
        NotFound: there is no such one in this tenant.
    """
    wanted = select(Invitation).where(Invitation.tenant_id == tenant_id, Invitation.id == invitation_id, OPEN)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None:
        raise NotFound
    return found


def of_token(tenant_id: UUID, token_hash: bytes, *, lock: bool = False) -> Invitation | None:
    """Return the invitation that a link opens; None for one that is unknown, used, withdrawn or too old."""
    wanted = select(Invitation).where(
        Invitation.tenant_id == tenant_id, Invitation.token_hash == token_hash, OPEN, Invitation.expires_at > func.clock_timestamp()
    )
    return db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)


def open_ones(tenant_id: UUID, email_keys: Iterable[str]) -> dict[str, Invitation]:
    """Return the invitations that wait for these addresses, too old ones, too."""
    wanted = select(Invitation).where(Invitation.tenant_id == tenant_id, Invitation.email_key.in_(list(email_keys)), OPEN)
    return {each.email_key: each for each in db.session().scalars(wanted)}


def members_among(tenant_id: UUID, email_keys: Iterable[str]) -> set[str]:
    """Return which of these folded addresses belong to members."""
    wanted = select(Person.email_key).join(Membership, Membership.person_id == Person.id)
    return set(db.session().scalars(wanted.where(Membership.tenant_id == tenant_id, Person.email_key.in_(list(email_keys)))))


def sent_today(tenant_id: UUID) -> int:
    """Return how many were sent in the last 24 hours, again or for the first time."""
    counted = text(
        "select count(*) filter (where created_at > clock_timestamp() - interval '1 day')"
        " + coalesce(sum((select count(*) from jsonb_array_elements_text(resent) at"
        "   where at::timestamptz > clock_timestamp() - interval '1 day')), 0) from invitations where tenant_id = :tenant"
    )
    return int(db.session().scalar(counted, {"tenant": tenant_id}) or 0)
