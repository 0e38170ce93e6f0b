"""Every SELECT of groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from portal.core import db
from portal.core.errors import NotFound
from portal.i18n.search import fold
from portal.identity.groups.models import Group, GroupMember
from portal.identity.models import Person


def every(tenant_id: UUID) -> list[Row[Any]]:
    """Return id, names and `num` of members of every group, by name."""
    counted = (
        select(func.count())
        .select_from(GroupMember)
        .where(GroupMember.tenant_id == Group.tenant_id, GroupMember.group_id == Group.id)
        .scalar_subquery()
    )
    rows = db.session().execute(select(Group.id, Group.name, Group.name_ar, counted.label("num")).where(Group.tenant_id == tenant_id))
    return sorted(rows, key=lambda row: (fold(row.name), row.id))


def get(tenant_id: UUID, group_id: UUID, *, lock: bool = False) -> Group:
    """Return a group.

    Raises:
        NotFound: there is no such one in this tenant.
    """
    wanted = select(Group).where(Group.tenant_id == tenant_id, Group.id == group_id)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None:
        raise NotFound
    return found


def of_person(tenant_id: UUID, person_id: UUID) -> list[Row[Any]]:
    """Return id and names of the groups that a member is in."""
    wanted = select(Group.id, Group.name, Group.name_ar).join(
        GroupMember, (GroupMember.tenant_id == Group.tenant_id) & (GroupMember.group_id == Group.id)
    )
    wanted = wanted.where(Group.tenant_id == tenant_id, GroupMember.person_id == person_id)
    return sorted(db.session().execute(wanted), key=lambda row: (fold(row.name), row.id))


def members(tenant_id: UUID, group_id: UUID) -> list[Row[Any]]:
    """Return id, names, address and `is_active` of the members of a group, by name."""
    wanted = select(Person.id, Person.name, Person.name_ar, Person.email, Person.is_active).join(
        GroupMember, GroupMember.person_id == Person.id
    )
    wanted = wanted.where(GroupMember.tenant_id == tenant_id, GroupMember.group_id == group_id)
    return list(db.session().execute(wanted.order_by(Person.search_key, Person.id)))
