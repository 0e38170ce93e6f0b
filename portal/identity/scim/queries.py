"""Every SELECT of SCIM."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Select, func, select

from portal.core import db
from portal.identity.models import Membership
from portal.identity.scim.models import ScimGroup, ScimGroupMember, ScimToken, ScimUser


def find_token(tenant_id: UUID, token_hash: bytes) -> ScimToken | None:
    """Return a token that is still good."""
    rows = select(ScimToken).where(
        ScimToken.tenant_id == tenant_id, ScimToken.token_hash == token_hash, ScimToken.expires_at > func.clock_timestamp()
    )
    return db.session().scalar(rows)


def list_tokens(tenant_id: UUID) -> list[ScimToken]:
    """Return the tokens of a tenant, the newest first."""
    return list(db.session().scalars(select(ScimToken).where(ScimToken.tenant_id == tenant_id).order_by(ScimToken.id.desc())))


def _users(tenant_id: UUID, attribute: str | None, value: str) -> Select[tuple[ScimUser]]:
    rows = select(ScimUser).where(ScimUser.tenant_id == tenant_id, ScimUser.deleted_at.is_(None))
    column = {"userName": ScimUser.user_key, "externalId": ScimUser.external_id}.get(attribute or "")
    return rows if column is None else rows.where(column == value)


def list_users(tenant_id: UUID, *, attribute: str | None = None, value: str = "", start: int = 0, count: int = 100) -> list[ScimUser]:
    """Return users in the order in which they came; `attribute` is userName (folded) or externalId."""
    return list(db.session().scalars(_users(tenant_id, attribute, value).order_by(ScimUser.id).offset(start).limit(count)))


def count_users(tenant_id: UUID, *, attribute: str | None = None, value: str = "") -> int:
    """Return how many users there are."""
    rows = select(func.count()).select_from(_users(tenant_id, attribute, value).subquery())
    return int(db.session().scalar(rows) or 0)


def get_user(tenant_id: UUID, user_id: UUID, *, lock: bool = False) -> ScimUser | None:
    """Return a user that is not deleted."""
    rows = _users(tenant_id, None, "").where(ScimUser.id == user_id)
    return db.session().scalar(rows.with_for_update() if lock else rows)


def find_user(tenant_id: UUID, user_key: str) -> ScimUser | None:
    """Return a user by the folded name, deleted or not."""
    return db.session().scalar(select(ScimUser).where(ScimUser.tenant_id == tenant_id, ScimUser.user_key == user_key))


def user_of_person(tenant_id: UUID, person_id: UUID) -> ScimUser | None:
    """Return what the directory knows of a person, deleted or not."""
    return db.session().scalar(select(ScimUser).where(ScimUser.tenant_id == tenant_id, ScimUser.person_id == person_id))


def membership(tenant_id: UUID, person_id: UUID) -> Membership | None:
    """Return the membership of a person, locked."""
    rows = select(Membership).where(Membership.tenant_id == tenant_id, Membership.person_id == person_id)
    return db.session().scalar(rows.with_for_update())


def list_groups(
    tenant_id: UUID, *, name_key: str | None = None, external_id: str | None = None, start: int = 0, count: int = 100
) -> list[ScimGroup]:
    """Return groups in the order in which they came."""
    rows = select(ScimGroup).where(ScimGroup.tenant_id == tenant_id)
    if name_key is not None:
        rows = rows.where(ScimGroup.name_key == name_key)
    if external_id is not None:
        rows = rows.where(ScimGroup.external_id == external_id)
    return list(db.session().scalars(rows.order_by(ScimGroup.id).offset(start).limit(count)))


def count_groups(tenant_id: UUID) -> int:
    """Return how many groups there are."""
    return int(db.session().scalar(select(func.count()).select_from(ScimGroup).where(ScimGroup.tenant_id == tenant_id)) or 0)


def get_group(tenant_id: UUID, group_id: UUID, *, lock: bool = False) -> ScimGroup | None:
    """Return a group."""
    rows = select(ScimGroup).where(ScimGroup.tenant_id == tenant_id, ScimGroup.id == group_id)
    return db.session().scalar(rows.with_for_update() if lock else rows)


def members_of(tenant_id: UUID, group_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Return the users of groups."""
    found: dict[UUID, list[UUID]] = {each: [] for each in group_ids}
    rows = select(ScimGroupMember.group_id, ScimGroupMember.user_id).where(
        ScimGroupMember.tenant_id == tenant_id, ScimGroupMember.group_id.in_(found)
    )
    for row in db.session().execute(rows.order_by(ScimGroupMember.user_id)):
        found[row.group_id].append(row.user_id)
    return found


def groups_of(tenant_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, list[ScimGroup]]:
    """Return the groups of users."""
    found: dict[UUID, list[ScimGroup]] = {each: [] for each in user_ids}
    rows = (
        select(ScimGroupMember.user_id, ScimGroup)
        .join(ScimGroup, (ScimGroup.tenant_id == ScimGroupMember.tenant_id) & (ScimGroup.id == ScimGroupMember.group_id))
        .where(ScimGroupMember.tenant_id == tenant_id, ScimGroupMember.user_id.in_(found))
        .order_by(ScimGroup.id)
    )
    for user_id, group in db.session().execute(rows):
        found[user_id].append(group)
    return found


def known_users(tenant_id: UUID, user_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these are users of the tenant."""
    rows = select(ScimUser.id).where(ScimUser.tenant_id == tenant_id, ScimUser.id.in_(list(user_ids)), ScimUser.deleted_at.is_(None))
    return set(db.session().scalars(rows))
