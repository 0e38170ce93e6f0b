"""The verbs of an organisation's own roles. The built-in ones cannot be changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import update

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Access, Permission
from portal.core.errors import Conflict, Invalid
from portal.i18n.search import fold
from portal.i18n.words import gettext as _
from portal.identity import standing
from portal.identity.custom_roles import queries
from portal.identity.invitations.models import Invitation
from portal.identity.members.errors import AboveOwn
from portal.identity.models import Role
from portal.identity.roles import permissions_of

MOST_ROLES = 50


@dataclass(frozen=True, slots=True)
class Draft:
    """A role as it was typed."""

    name: str
    name_ar: str | None
    description: str | None
    permissions: Collection[str]


def add_role(here: Access, draft: Draft) -> UUID:
    """Make a role out of the permissions that one has oneself; return its id.

    Raises:
        Invalid: `.problems` says what is wrong with the names or the permissions.
        Conflict: the organisation has fifty already.
        Forbidden: who makes it may not do it any more.
    """
    with db.transaction(here.tenant_id) as session:
        maker = standing.acting(here.tenant_id, here.person_id, Permission.ROLE_EDIT)
        if len(standing.own_roles(here.tenant_id)) >= MOST_ROLES:
            raise Conflict(_("There are 50 roles already. Delete one first."))
        kept = _checked(here.tenant_id, maker, draft)
        role = Role(
            tenant_id=here.tenant_id, name=draft.name, name_ar=draft.name_ar, description=draft.description, permissions=kept
        )  # fmt: skip
        session.add(role)
        session.flush()
        audit.record(here.tenant_id, here.actor, "role.added", role.id, name=draft.name, permissions=kept)
        return role.id


def change_role(here: Access, role_id: UUID, draft: Draft) -> None:
    """Change a role; who has it may do more or less from their next request on.

    Raises:
        NotFound: no such role.
        Invalid: as for `add_role`.
        AboveOwn: the role may do more than who changes it.
        Forbidden: who changes it may not do it any more.
    """
    with db.transaction(here.tenant_id):
        maker = standing.acting(here.tenant_id, here.person_id, Permission.ROLE_EDIT)
        role = _within_reach(here.tenant_id, role_id, maker)
        kept = _checked(here.tenant_id, maker, draft, but=role_id)
        before = list(role.permissions)
        role.name, role.name_ar, role.description, role.permissions = draft.name, draft.name_ar, draft.description, kept
        facts = {"added": sorted(set(kept) - set(before)), "taken": sorted(set(before) - set(kept))}
        audit.record(here.tenant_id, here.actor, "role.changed", role_id, name=draft.name, **facts)


def delete_role(here: Access, role_id: UUID, *, move_to: str | None) -> None:
    """Delete a role; its members, and invitations to it, get another one.

    Args:
        move_to: a built-in role, or the id of another own one; may be None while nobody has the role.

    Raises:
        NotFound: no such role.
        Invalid: it is in use and no other role was named, or that one is above one's own.
        AboveOwn: the role may do more than who deletes it.
        Forbidden: who deletes it may not do it any more.
    """
    with db.transaction(here.tenant_id) as session:
        maker = standing.acting(here.tenant_id, here.person_id, Permission.ROLE_EDIT)
        role = _within_reach(here.tenant_id, role_id, maker)
        heir = None
        if queries.count_uses(here.tenant_id, role_id):
            heir = standing.given(maker, here.tenant_id, move_to)
            if heir.role_id == role_id:
                raise Invalid({"role": _("Choose another role for its members.")})
        # Old invitations name it, too; those that still wait were counted.
        after = heir or standing.Standing("member", frozenset())
        session.execute(
            update(Invitation)
            .where(Invitation.tenant_id == here.tenant_id, Invitation.role_id == role_id)
            .values(role=after.role, role_id=after.role_id)
        )
        for membership in queries.with_role(here.tenant_id, role_id):
            membership.role, membership.role_id = after.role, after.role_id
            audit.record(here.tenant_id, here.actor, "member.role_changed", membership.person_id, before=str(role_id), after=after.key)
            bus.announce(events.RoleChanged(here.tenant_id, membership.person_id, after.role, after.role_id))
        session.flush()
        session.delete(role)
        audit.record(here.tenant_id, here.actor, "role.deleted", role_id, name=role.name, moved_to=after.key if heir else "")


def _within_reach(tenant_id: UUID, role_id: UUID, maker: standing.Standing) -> Role:
    role = queries.get(tenant_id, role_id, lock=True)
    if not permissions_of("custom", role.permissions) <= maker.permissions:
        raise AboveOwn
    return role


def _checked(tenant_id: UUID, maker: standing.Standing, draft: Draft, *, but: UUID | None = None) -> list[str]:
    """Return the permissions to keep, in the order in which they are declared."""
    problems = {}
    taken = queries.names_taken(tenant_id, but=but)
    if any(fold(name) in taken for name in (draft.name, draft.name_ar) if name):
        problems["name"] = _("There is a role of this name already. Choose another.")
    wanted = set(draft.permissions)
    if not wanted:
        problems["permissions"] = _("Choose one permission at least.")
    if wanted - maker.permissions:
        problems["permissions"] = _("You may only give permissions that you have yourself.")
    if problems:
        raise Invalid(problems)
    return [str(each) for each in Permission if each in wanted]
