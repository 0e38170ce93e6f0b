"""Every SELECT of an organisation's own roles."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from portal.core import db
from portal.core.errors import NotFound
from portal.i18n.search import fold
from portal.identity.invitations.models import Invitation
from portal.identity.models import Membership, Role


def get(tenant_id: UUID, role_id: UUID, *, lock: bool = False) -> Role:
    """Return a role that the organisation made.

    Raises:
        NotFound: there is no such one in this tenant.
    """
    wanted = select(Role).where(Role.tenant_id == tenant_id, Role.id == role_id)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None:
        raise NotFound
    return found


def names_taken(tenant_id: UUID, *, but: UUID | None = None) -> set[str]:
    """Return the folded names of the organisation's own roles, in both languages."""
    rows = db.session().execute(select(Role.id, Role.name, Role.name_ar).where(Role.tenant_id == tenant_id))
    return {fold(name) for row in rows if row.id != but for name in (row.name, row.name_ar) if name}


def count_uses(tenant_id: UUID, role_id: UUID) -> int:
    """Return how many members have a role, and how many invitations to it wait."""
    session = db.session()
    members = session.scalar(select(func.count()).where(Membership.tenant_id == tenant_id, Membership.role_id == role_id)) or 0
    asked = session.scalar(
        select(func.count()).where(
            Invitation.tenant_id == tenant_id,
            Invitation.role_id == role_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
    )
    return members + (asked or 0)


def with_role(tenant_id: UUID, role_id: UUID) -> list[Membership]:
    """Return the memberships that have a role, under their lock."""
    wanted = select(Membership).where(Membership.tenant_id == tenant_id, Membership.role_id == role_id).order_by(Membership.person_id)
    return list(db.session().scalars(wanted.with_for_update().execution_options(populate_existing=True)))
