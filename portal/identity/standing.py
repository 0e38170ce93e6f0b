"""Which roles there are in an organisation, and which of them somebody may give: asked by invitations, members and roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.core import db
from portal.core.access import Permission
from portal.core.errors import Forbidden, Invalid
from portal.i18n.words import gettext as _
from portal.identity import queries, roles
from portal.identity.models import Role
from portal.tenants import service as tenants


@dataclass(frozen=True, slots=True)
class Standing:
    """A role with what it may do: a built-in one, or the organisation's own with its row."""

    role: str
    permissions: frozenset[str]
    role_id: UUID | None = None
    row: Any = None

    @property
    def key(self) -> str:
        """How forms name it: the built-in role, or the id of the organisation's own."""
        return str(self.role_id) if self.role_id else self.role

    def may_give(self, other: Standing) -> bool:
        """Say whether who has this role may give the other one, or take it from somebody."""
        return roles.may_give(self.role, self.permissions, other.role, other.permissions)


def own_roles(tenant_id: UUID) -> list[Role]:
    """Return the roles that an organisation made for itself, first made first."""
    return list(db.session().scalars(select(Role).where(Role.tenant_id == tenant_id).order_by(Role.created_at, Role.id)))


def every(tenant_id: UUID) -> list[Standing]:
    """Return every role of an organisation: the built-in ones, then its own."""
    built_in = [Standing(role, roles.PERMISSIONS[role]) for role in roles.BUILT_IN]
    own = [Standing(roles.CUSTOM, roles.permissions_of(roles.CUSTOM, row.permissions), row.id, row) for row in own_roles(tenant_id)]
    return built_in + own


def of_key(tenant_id: UUID, key: str | None) -> Standing | None:
    """Return the role that a form names; None for an unknown one."""
    return next((each for each in every(tenant_id) if each.key == key), None)


def of_person(tenant_id: UUID, person_id: UUID) -> Standing | None:
    """Return what a person is in an organisation now; None for who is no active member."""
    row = queries.standing_of(tenant_id, person_id)
    return Standing(row.role, roles.permissions_of(row.role, row.permissions), row.role_id) if row else None


def acting(tenant_id: UUID, person_id: UUID, permission: Permission) -> Standing:
    """Return what the person who changes something is now, under the lock of the organisation.

    The page may have been opened with a right that is gone by now; and of two who take a role from each other, only the first one does.

    Raises:
        Forbidden: they may not do it any more.
    """
    tenants.locked(tenant_id)
    found = of_person(tenant_id, person_id)
    if found is None or permission not in found.permissions:
        raise Forbidden
    return found


def given(giver: Standing, tenant_id: UUID, key: str | None) -> Standing:
    """Return the role that somebody gives.

    Raises:
        Invalid: there is no such role, or it is above their own.
    """
    found = of_key(tenant_id, key)
    if found is None:
        raise Invalid({"role": _("Choose one of the roles.")})
    if not giver.may_give(found):
        raise Invalid({"role": _("This role may do more than your own. Choose another.")})
    return found
