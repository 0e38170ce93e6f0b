"""The verbs of members. Each one takes the lock of the organisation first, so that of two changes at once the second sees the first."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Access, Actor, Permission
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.i18n.words import gettext as _
from portal.identity import standing
from portal.identity.members import queries
from portal.identity.members.errors import AboveOwn, LastOwner
from portal.identity.models import FormerMember, Membership
from portal.tenants import service as tenants


def enrol(tenant_id: UUID, person_id: UUID, role: str, role_id: UUID | None, *, by: Actor, invited_by: UUID | None) -> None:
    """Make a person a member, in the open transaction of the tenant; who is one already stays what they are."""
    session = db.session()
    if session.get(Membership, (tenant_id, person_id)) is not None:
        return
    session.execute(delete(FormerMember).where(FormerMember.tenant_id == tenant_id, FormerMember.person_id == person_id))
    session.add(Membership(tenant_id=tenant_id, person_id=person_id, role=role, role_id=role_id))
    session.flush()
    audit.record(tenant_id, by, "member.joined", person_id, role=role, role_id=str(role_id or ""))
    bus.announce(events.MemberJoined(tenant_id, person_id, invited_by))


def change_role(here: Access, person_id: UUID, role_key: str) -> None:
    """Give a member another role; it holds from their next request on.

    Args:
        role_key: a built-in role, or the id of the organisation's own.

    Raises:
        NotFound: no such member.
        Invalid: no such role, or it is above one's own.
        AboveOwn: the member's role is above one's own.
        LastOwner: nobody would own the organisation.
        Forbidden: who changes it may not do it any more.
    """
    with db.transaction(here.tenant_id):
        giver = standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        membership = _within_reach(here.tenant_id, person_id, giver)
        role = standing.given(giver, here.tenant_id, role_key)
        if (membership.role, membership.role_id) == (role.role, role.role_id):
            return
        if membership.role == "owner":
            _keep_an_owner(here.tenant_id, person_id)
        _set_role(membership, role, by=here.actor)


def transfer(here: Access, person_id: UUID) -> None:
    """Make a member an owner in one's own place; who gave the ownership is an admin from then on.

    Raises:
        NotFound: no such member.
        Forbidden: only an owner may.
        Conflict: they cannot sign in, or are an owner already.
    """
    with db.transaction(here.tenant_id):
        giver = standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        if giver.role != "owner":
            raise Forbidden
        heir, mine = queries.locked(here.tenant_id, person_id), queries.locked(here.tenant_id, here.person_id)
        if heir.role == "owner" or not queries.get(here.tenant_id, person_id).is_active:
            raise Conflict(_("This member cannot take the ownership: they are an owner already, or cannot sign in."))
        _set_role(heir, standing.given(giver, here.tenant_id, "owner"), by=here.actor)
        _set_role(mine, standing.given(giver, here.tenant_id, "admin"), by=here.actor)
        audit.record(here.tenant_id, here.actor, "organisation.ownership_given", person_id)


def _set_role(membership: Membership, role: standing.Standing, *, by: Actor) -> None:
    before = str(membership.role_id or membership.role)
    membership.role, membership.role_id = role.role, role.role_id
    db.session().flush()
    tenant_id, person_id = membership.tenant_id, membership.person_id
    audit.record(tenant_id, by, "member.role_changed", person_id, before=before, after=role.key)
    bus.announce(events.RoleChanged(tenant_id, person_id, role.role, role.role_id))


def remove(here: Access, person_id: UUID) -> None:
    """Take a member out of the organisation; their sessions in it are over at once, those in other organisations go on.

    Raises:
        NotFound: no such member.
        AboveOwn: their role is above one's own.
        LastOwner: nobody would own the organisation.
        Forbidden: who removes them may not do it any more.
        Invalid: nobody removes themselves; they leave.
    """
    if person_id == here.person_id:
        raise Invalid({"": _("You cannot remove yourself. Leave the organisation on the page of your organisations.")})
    with db.transaction(here.tenant_id):
        giver = standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        membership = _within_reach(here.tenant_id, person_id, giver)
        _take_out(membership, by=here.actor)


def sign_out(here: Access, person_id: UUID) -> int:
    """End every session of a member in this organisation; returns how many. Those in other organisations go on.

    Raises:
        NotFound: no such member.
        AboveOwn: their role is above one's own.
        Forbidden: who does it may not do it any more.
    """
    with db.transaction(here.tenant_id) as session:
        giver = standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        _within_reach(here.tenant_id, person_id, giver)
        ended = session.execute(
            text(
                "delete from sessions where person_id = :person and tenant_id = :tenant and id is distinct from :here and staff_id is null"
            ),
            {"person": person_id, "tenant": here.tenant_id, "here": here.session_id},
        )
        count = db.touched(ended)
        audit.record(here.tenant_id, here.actor, "member.signed_out", person_id, count=count)
        bus.announce(events.MemberSignedOut(here.tenant_id, person_id, here.person_id))
    return count


def leave(tenant_id: UUID, person_id: UUID) -> None:
    """Let a person leave an organisation, also one that stands still; their sessions in it are over at once.

    Raises:
        NotFound: they are no member of it.
        LastOwner: nobody would own it.
    """
    with db.unit_of_work(tenant_id), db.transaction():
        tenants.locked(tenant_id)
        _take_out(queries.locked(tenant_id, person_id), by=Actor("person", person_id))


def _within_reach(tenant_id: UUID, person_id: UUID, giver: standing.Standing) -> Membership:
    """Return a membership that this role may change."""
    membership = queries.locked(tenant_id, person_id)
    now = standing.of_key(tenant_id, str(membership.role_id) if membership.role_id else membership.role)
    if now is None or not giver.may_give(now):
        raise AboveOwn
    return membership


def _take_out(membership: Membership, *, by: Actor) -> None:
    session, tenant_id, person_id = db.session(), membership.tenant_id, membership.person_id
    if membership.role == "owner":
        _keep_an_owner(tenant_id, person_id)
    audit.record(tenant_id, by, "member.removed", person_id, role=membership.role)
    # Announced while the membership still stands: what the person shared with others is handed on before it goes.
    bus.announce(events.MemberRemoved(tenant_id, person_id, by.id or person_id))
    session.flush()
    session.delete(membership)
    gone = insert(FormerMember).values(tenant_id=tenant_id, person_id=person_id)
    session.execute(gone.on_conflict_do_nothing())
    session.execute(
        text("delete from sessions where person_id = :person and tenant_id = :tenant"), {"person": person_id, "tenant": tenant_id}
    )


def _keep_an_owner(tenant_id: UUID, person_id: UUID) -> None:
    """Refuse to lose the last owner; under the lock of the organisation, so two cannot go at once, each counting on the other."""
    if all(owner.id == person_id for owner in queries.owners(tenant_id)):
        raise LastOwner
