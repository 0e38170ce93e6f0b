"""The verbs of a person's organisations, and of one as a whole."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.core import db
from portal.core.access import Access, Permission
from portal.core.errors import Forbidden, Invalid
from portal.i18n import names
from portal.i18n.search import fold
from portal.i18n.words import gettext as _
from portal.identity import queries, standing
from portal.identity.members import queries as members
from portal.tenants import service as tenants


def all_of(person_id: UUID) -> list[Any]:
    """Return every organisation of a person, last used first, those that stand still at the end. Columns of `queries.memberships_of`."""
    with db.transaction():
        found = list(queries.memberships_of(person_id))
    found.sort(key=lambda row: row.seen_at or row.joined_at, reverse=True)
    return sorted(found, key=lambda row: row.status != "active")


def owners_of(tenant_id: UUID, person_id: UUID) -> list[Any]:
    """Return whom a member may ask about an organisation that stands still: its owners, with their names."""
    with db.unit_of_work(tenant_id):
        return list(members.owners(tenant_id)) if queries.standing_of(tenant_id, person_id) else []


def change(here: Access, *, name: str, name_ar: str | None, timezone: str) -> None:
    """Give the organisation other names, or another time zone.

    Raises:
        Forbidden: who changes it may not do it any more.
    """
    with db.transaction(here.tenant_id):
        standing.acting(here.tenant_id, here.person_id, Permission.TENANT_EDIT)
        tenants.change(here.tenant_id, name=name, name_ar=name_ar, timezone=timezone, by=here.actor)


def close(here: Access, typed: str) -> None:
    """End the organisation, if its name was typed in one of its languages.

    Raises:
        Forbidden: only owners may.
        Invalid: what was typed is not its name.
        Conflict: it is closed already.
    """
    with db.transaction(here.tenant_id):
        if standing.acting(here.tenant_id, here.person_id, Permission.TENANT_EDIT).role != "owner":
            raise Forbidden
        tenant = tenants.get(here.tenant_id)
        if fold(names.tidy(typed)) not in {fold(name) for name in (tenant.name, tenant.name_ar) if name}:
            raise Invalid({"typed": _("This is not the name of the organisation. Nothing was closed.")})
        tenants.close(here.tenant_id, by=here.actor)
