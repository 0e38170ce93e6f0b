"""Every SELECT of views, choices and bulk actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Row, bindparam, func, literal_column, or_, select

from portal.core import db
from portal.core.errors import NotFound
from portal.lists.models import BulkAction, ListChoice, SavedView

V, C = SavedView.__table__.c, ListChoice.__table__.c
# One row at least: what the person chose stands in each, with the views or without.
_ONE = select(literal_column("1").label("one")).subquery()
_TENANT: BindParameter[UUID] = bindparam("tenant")
_PERSON: BindParameter[UUID] = bindparam("person")
_LIST: BindParameter[str] = bindparam("list")
OPENED = (
    select(C.columns, C.view_id, V.id, V.name, V.query, V.is_shared, V.person_id)
    .select_from(_ONE)
    .outerjoin(ListChoice.__table__, (C.tenant_id == _TENANT) & (C.person_id == _PERSON) & (C.list_name == _LIST))
    .outerjoin(
        SavedView.__table__,
        (V.tenant_id == _TENANT) & (V.list_name == _LIST) & V.deleted_at.is_(None) & or_(V.person_id == _PERSON, V.is_shared),
    )
    .order_by(V.created_at, V.id)
    .limit(100)
)


def opened(tenant_id: UUID, person_id: UUID, list_name: str) -> Sequence[Row[Any]]:
    """Return the views that a person may open, each beside what they chose for the list; without views one row of empty ones."""
    return db.session().execute(OPENED, {"tenant": tenant_id, "person": person_id, "list": list_name}).all()


def my_view(tenant_id: UUID, person_id: UUID, view_id: UUID, *, deleted: bool = False) -> SavedView:
    """Return one of a person's own views.

    Raises:
        NotFound: this person has no such view.
    """
    wanted = select(SavedView).where(SavedView.tenant_id == tenant_id, SavedView.person_id == person_id, SavedView.id == view_id)
    found = db.session().scalar(wanted.where(SavedView.deleted_at.is_not(None) if deleted else SavedView.deleted_at.is_(None)))
    if found is None:
        raise NotFound
    return found


def open_view(tenant_id: UUID, person_id: UUID, view_id: UUID) -> SavedView:
    """Return a view that a person may open: their own, or one that is shared.

    Raises:
        NotFound: there is none for this person.
    """
    wanted = select(SavedView).where(SavedView.tenant_id == tenant_id, SavedView.id == view_id, SavedView.deleted_at.is_(None))
    found = db.session().scalar(wanted.where(or_(SavedView.person_id == person_id, SavedView.is_shared)))
    if found is None:
        raise NotFound
    return found


def names_taken(tenant_id: UUID, person_id: UUID, list_name: str) -> dict[str, UUID]:
    """Return the names of a person's own views of a list, with their ids."""
    mine = select(SavedView.name, SavedView.id).where(
        SavedView.tenant_id == tenant_id,
        SavedView.person_id == person_id,
        SavedView.list_name == list_name,
        SavedView.deleted_at.is_(None),
    )
    return {row.name: row.id for row in db.session().execute(mine)}


def get_bulk(tenant_id: UUID, person_id: UUID, bulk_id: UUID, *, lock: bool = False) -> BulkAction:
    """Return one of a person's bulk actions.

    Raises:
        NotFound: this person has no such action.
    """
    wanted = select(BulkAction).where(BulkAction.tenant_id == tenant_id, BulkAction.person_id == person_id, BulkAction.id == bulk_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    found = db.session().scalar(wanted)
    if found is None:
        raise NotFound
    return found


def locked_bulk(tenant_id: UUID, bulk_id: UUID) -> BulkAction | None:
    """Return a bulk action under its lock, for the job; None if it is gone."""
    wanted = select(BulkAction).where(BulkAction.tenant_id == tenant_id, BulkAction.id == bulk_id)
    return db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True))


def open_bulk_count(tenant_id: UUID, person_id: UUID) -> int:
    """Return how many of a person's bulk actions are not over."""
    mine = select(func.count()).where(
        BulkAction.tenant_id == tenant_id, BulkAction.person_id == person_id, BulkAction.finished_at.is_(None)
    )
    return db.session().scalar(mine) or 0
