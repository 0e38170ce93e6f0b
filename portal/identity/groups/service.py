"""The verbs of groups."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from portal.audit import service as audit
from portal.core import db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.i18n.search import fold
from portal.i18n.words import gettext as _
from portal.identity import queries as identity
from portal.identity.groups import queries
from portal.identity.groups.models import Group, GroupMember
from portal.tenants import service as tenants

MOST_GROUPS = 200


def groups_of(tenant_id: UUID, person_id: UUID) -> list[UUID]:
    """Return the groups that a member is in."""
    with db.transaction(tenant_id):
        return [row.id for row in queries.of_person(tenant_id, person_id)]


def members_of(tenant_id: UUID, group_id: UUID) -> list[UUID]:
    """Return the members of a group who can sign in.

    Raises:
        NotFound: no such group.
    """
    with db.transaction(tenant_id):
        queries.get(tenant_id, group_id)
        return [row.id for row in queries.members(tenant_id, group_id) if row.is_active]


def add_group(tenant_id: UUID, *, name: str, name_ar: str | None, by: Actor) -> UUID:
    """Add a group without members; return its id.

    Raises:
        Invalid: the name is taken.
        Conflict: there are two hundred already.
    """
    with db.transaction(tenant_id) as session:
        tenants.locked(tenant_id)
        if len(queries.every(tenant_id)) >= MOST_GROUPS:
            raise Conflict(_("There are 200 groups already. Delete one first."))
        _check_name(tenant_id, name, name_ar)
        group = Group(tenant_id=tenant_id, name=name, name_ar=name_ar)
        session.add(group)
        session.flush()
        audit.record(tenant_id, by, "group.added", group.id, name=name)
        return group.id


def rename_group(tenant_id: UUID, group_id: UUID, *, name: str, name_ar: str | None, by: Actor) -> None:
    """Give a group other names.

    Raises:
        NotFound: no such group.
        Invalid: the name is taken.
    """
    with db.transaction(tenant_id):
        tenants.locked(tenant_id)
        group = queries.get(tenant_id, group_id, lock=True)
        _check_name(tenant_id, name, name_ar, but=group_id)
        group.name, group.name_ar = name, name_ar
        audit.record(tenant_id, by, "group.renamed", group_id, name=name)


def delete_group(tenant_id: UUID, group_id: UUID, *, by: Actor) -> None:
    """Delete a group; its members stay members of the organisation.

    Raises:
        NotFound: no such group.
    """
    with db.transaction(tenant_id) as session:
        group = queries.get(tenant_id, group_id, lock=True)
        audit.record(tenant_id, by, "group.deleted", group_id, name=group.name)
        session.delete(group)


def add_to_group(tenant_id: UUID, group_id: UUID, person_id: UUID, *, by: Actor) -> None:
    """Put a member into a group; a second time changes nothing.

    Raises:
        NotFound: no such group, or no such active member.
    """
    with db.transaction(tenant_id) as session:
        queries.get(tenant_id, group_id, lock=True)
        if identity.role_of(tenant_id, person_id) is None:
            raise NotFound
        put = insert(GroupMember).values(tenant_id=tenant_id, group_id=group_id, person_id=person_id)
        if session.scalar(put.on_conflict_do_nothing().returning(GroupMember.person_id)) is not None:
            audit.record(tenant_id, by, "group.member_added", group_id, person=person_id)


def take_from_group(tenant_id: UUID, group_id: UUID, person_id: UUID, *, by: Actor) -> None:
    """Take a member out of a group; a second time changes nothing.

    Raises:
        NotFound: no such group.
    """
    with db.transaction(tenant_id) as session:
        queries.get(tenant_id, group_id, lock=True)
        ours = (GroupMember.tenant_id == tenant_id) & (GroupMember.group_id == group_id) & (GroupMember.person_id == person_id)
        if session.scalar(delete(GroupMember).where(ours).returning(GroupMember.person_id)) is not None:
            audit.record(tenant_id, by, "group.member_taken", group_id, person=person_id)


def _check_name(tenant_id: UUID, name: str, name_ar: str | None, *, but: UUID | None = None) -> None:
    taken = {fold(text) for row in queries.every(tenant_id) if row.id != but for text in (row.name, row.name_ar) if text}
    if any(fold(text) in taken for text in (name, name_ar) if text):
        raise Invalid({"name": _("There is a group of this name already. Choose another.")})
