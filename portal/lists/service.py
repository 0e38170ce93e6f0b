"""The verbs of lists: opening one, saved views, columns. Bulk actions are in `bulk`, under the same door."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from portal.audit import service as audit
from portal.core import clock, db
from portal.core.access import Access, Permission
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.i18n import names
from portal.i18n.words import gettext as _
from portal.lists import filing, periods, queries
from portal.lists.bulk import UNDO_S, ask, carry_out, rehearse, stop, undo
from portal.lists.errors import TooManyViews
from portal.lists.kinds import Asked, Column, Filter, ListKind, Rehearsal, Verb, get, register
from portal.lists.models import BulkAction, ListChoice, SavedView
from portal.lists.reading import Given, ListState, is_asked, read, read_stored
from portal.lists.showing import Range, Shown, View, range_of

__all__ = [
    "UNDO_S", "Asked", "Column", "Filter", "ListKind", "ListState", "Range", "Rehearsal", "Shown", "Verb", "View", "ask", "carry_out", "deleted_view", "filing", "get",
    "open_list", "periods", "range_of", "read", "read_stored", "register", "rehearse", "stop", "undo", "verbs_for",
]  # fmt: skip

MAX_NAME = 60
MAX_VIEWS = 30
KEPT_DAYS = 30
KEPT_BULK_DAYS = 90


def open_list(kind: ListKind, given: Given, here: Access, *, url: str) -> Shown:
    """Return a list as a URL asks for it, with the reader's views and columns; one query.

    Raises:
        NotFound: the URL names a view that this person may not open.
    """
    rows = queries.opened(here.tenant_id, here.person_id, kind.key)
    first_id, chosen = rows[0].view_id, rows[0].columns
    views = tuple(
        View(row.id, row.name, read_stored(kind, row.query), row.is_shared, row.person_id == here.person_id, row.id == first_id)
        for row in rows
        if row.id is not None
    )
    view = _wanted(views, kind, given)
    asked = is_asked(kind, given)
    state = view.state if view is not None and not asked else read(kind, given)
    return Shown(
        kind,
        url,
        state,
        views,
        view,
        view is not None and not state.same_rows(view.state),
        tuple(chosen) if chosen is not None else None,
        next(iter(given.get("after", ())), None),
        may_share(here),
    )


def _wanted(views: tuple[View, ...], kind: ListKind, given: Given) -> View | None:
    name = next(iter(given.get("view", ())), "")
    if name == "all":
        return None
    if not name:
        is_plain = not is_asked(kind, given) and "after" not in given
        return next((each for each in views if each.is_first and is_plain), None)
    found = next((each for each in views if str(each.id) == name), None)
    if found is None:
        raise NotFound(_("This view is not there: it was deleted, or it belongs to somebody else. Open the list without it."))
    return found


def verbs_for(kind: ListKind, here: Access) -> list[Verb]:
    """Return what this person may do to many rows of a list."""
    return [each for each in kind.verbs if each.is_offered and here.can(each.permission)]


def deleted_view(here: Access, view_id: str | None) -> SavedView | None:
    """Return the person's own deleted view of this id, which can be brought back; None for anything else."""
    try:
        return queries.my_view(here.tenant_id, here.person_id, UUID(view_id), deleted=True) if view_id else None
    except (ValueError, NotFound):
        return None


def save_view(here: Access, kind: ListKind, *, name: str, state: ListState, is_shared: bool) -> UUID:
    """Save a list's state under a name, for oneself or for the team.

    Raises:
        Invalid: `.problems` says what is wrong with the name.
        Forbidden: this person may not share views.
        TooManyViews: 30 views of this list are enough.
    """
    with db.transaction() as session:
        taken = queries.names_taken(here.tenant_id, here.person_id, kind.key)
        if len(taken) >= MAX_VIEWS:
            raise TooManyViews(_("You have 30 saved views of this list. Delete one that you no longer need."))
        name = _checked_name(name, taken)
        _may_share(here, is_shared=is_shared)
        view = SavedView(
            tenant_id=here.tenant_id,
            person_id=here.person_id,
            list_name=kind.key,
            name=name,
            query=state.as_json(),
            is_shared=is_shared,
        )
        session.add(view)
        session.flush()
        audit.record(here.tenant_id, here.actor, "view.saved", view.id, list=kind.key, shared=is_shared)
    return view.id


def rename_view(here: Access, view_id: UUID, *, name: str, is_shared: bool) -> None:
    """Change a view's name, and whether the team sees it.

    Raises:
        NotFound: this person has no such view.
        Invalid: `.problems` says what is wrong with the name.
        Forbidden: this person may not share views.
    """
    with db.transaction():
        view = queries.my_view(here.tenant_id, here.person_id, view_id)
        taken = queries.names_taken(here.tenant_id, here.person_id, view.list_name)
        view.name = _checked_name(name, {each: known for each, known in taken.items() if known != view_id})
        # Who lost the right to share keeps what is shared, and may always take it back.
        _may_share(here, is_shared=is_shared and not view.is_shared)
        view.is_shared = is_shared
        audit.record(here.tenant_id, here.actor, "view.renamed", view_id, shared=is_shared)


def update_view(here: Access, view_id: UUID, *, state: ListState) -> None:
    """Let a view keep what is shown now.

    Raises:
        NotFound: this person has no such view.
    """
    with db.transaction():
        view = queries.my_view(here.tenant_id, here.person_id, view_id)
        view.query = state.as_json()
        audit.record(here.tenant_id, here.actor, "view.changed", view_id)


def delete_view(here: Access, view_id: UUID) -> None:
    """Delete a view; it can be restored for 30 days.

    Raises:
        NotFound: this person has no such view.
    """
    with db.transaction():
        queries.my_view(here.tenant_id, here.person_id, view_id).deleted_at = clock.now()
        audit.record(here.tenant_id, here.actor, "view.deleted", view_id)


def restore_view(here: Access, view_id: UUID) -> None:
    """Bring a deleted view back; one that is there is left alone. Its name may by now stand twice.

    Raises:
        NotFound: this person has no such deleted view.
    """
    with db.transaction():
        queries.my_view(here.tenant_id, here.person_id, view_id, deleted=True).deleted_at = None
        audit.record(here.tenant_id, here.actor, "view.restored", view_id)


def open_first(here: Access, view_id: UUID, *, is_first: bool) -> None:
    """Let a view open first for this person, or let the list open without one again.

    Raises:
        NotFound: this person may not open this view.
    """
    with db.transaction():
        view = queries.open_view(here.tenant_id, here.person_id, view_id)
        _choose(here, view.list_name, view_id=view_id if is_first else None)


def choose_columns(here: Access, kind: ListKind, columns: tuple[str, ...] | None) -> None:
    """Remember which columns of a list this person sees; None means the usual ones."""
    with db.transaction():
        _choose(here, kind.key, columns=None if columns is None else list(columns))


def _choose(here: Access, list_name: str, **values: object) -> None:
    row = {"tenant_id": here.tenant_id, "person_id": here.person_id, "list_name": list_name, **values}
    keys = ["tenant_id", "person_id", "list_name"]
    db.session().execute(insert(ListChoice).values(row).on_conflict_do_update(index_elements=keys, set_=values))


def may_share(here: Access) -> bool:
    """Say whether this person may share views with the team."""
    return here.can(Permission.LIST_SHARE)


def _may_share(here: Access, *, is_shared: bool) -> None:
    if is_shared and not may_share(here):
        raise Forbidden(_("Your role may not share views with the team."))


def _checked_name(name: str, taken: dict[str, UUID]) -> str:
    name = names.tidy(name)
    if not name:
        raise Invalid({"name": _("Give the view a name.")})
    if len(name) > MAX_NAME:
        raise Invalid({"name": _("Use at most 60 characters.")})
    if wrong := names.problem(name):
        raise Invalid({"name": wrong})
    if name in taken:
        raise Invalid({"name": _("You have a view with this name already.")})
    return name


def sweep() -> int:
    """Delete views that were deleted 30 days ago and bulk actions asked for 90 days ago, of every tenant; returns how many."""
    with db.transaction(system=True) as session:
        views = delete(SavedView).where(SavedView.deleted_at < text(f"clock_timestamp() - interval '{KEPT_DAYS} days'"))
        bulk = delete(BulkAction).where(BulkAction.asked_at < text(f"clock_timestamp() - interval '{KEPT_BULK_DAYS} days'"))
        return sum(len(session.scalars(each).all()) for each in (views.returning(SavedView.id), bulk.returning(BulkAction.id)))
