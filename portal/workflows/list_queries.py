"""Every SELECT of the lists of workflows and runs, with their filters and sorts; the tenant comes first.

They are built once and on plain tables, as the first ones of `queries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Numeric, Row, Select, Text, bindparam, case, cast, extract, func, literal, not_, select, true

from portal.core import db
from portal.core.paging import COUNTED_TO, Listing, Place, SortKey, listing_of, narrowed, sorted_page
from portal.core.render import language
from portal.i18n.search import APART, holds_words
from portal.identity import service as identity
from portal.workflows import searching
from portal.workflows.conditions import Condition
from portal.workflows.queries import RUNS, TENANT, V_TABLE, W_TABLE, E, V, W

COUNT_RUNS = select(func.count()).select_from(select(E.id).where(E.tenant_id == TENANT).limit(bindparam("most")).subquery())
LAST = (
    select(E.id, E.status, E.created_at)
    .where(E.tenant_id == W.tenant_id, E.workflow_id == W.id)
    .order_by(E.created_at.desc())
    .limit(1)
    .lateral("last_run")
)
WORKFLOWS = (
    select(
        W.id, W.name, W.name_ar, W.description, W.description_ar, W.is_active, W.updated_at, W.draft_revision, W.nodes, W.settings,
        V.number.label("published_number"), V.graph_hash, LAST.c.id.label("run_id"), LAST.c.status, LAST.c.created_at.label("run_at"),
    )
    .select_from(
        W_TABLE.outerjoin(V_TABLE, (V.tenant_id == W.tenant_id) & (V.id == W.published_version_id)).outerjoin(LAST, true())
    )
    .where(W.tenant_id == TENANT)
)  # fmt: skip
# Sorts need a value that is never null.
NEVER = literal(datetime(1970, 1, 1, tzinfo=UTC), E.created_at.type)
STATE = case((not_(W.is_active), "off"), (W.published_version_id.is_(None), "draft"), else_="live")
TOOK = func.coalesce(cast(extract("epoch", E.completed_at - func.coalesce(E.started_at, E.created_at)), Numeric), cast(-1, Numeric))
# Names are sorted by their keys, in which أحمد and احمد are one word: the English one stands first, the Arabic one second.
KEY_EN, KEY_AR = (func.nullif(func.split_part(W.search_key, APART, place), "") for place in (1, 2))
NAME_EN, NAME_AR = func.coalesce(KEY_EN, KEY_AR, ""), func.coalesce(KEY_AR, KEY_EN, "")
PEOPLE = {tag: identity.name_keys(tag) for tag in ("en", "ar")}
# How many runs there are in each state: as many index entries for each as are counted, however many runs there are.
COUNTED_IN_STATE = 1_000
EACH_STATE = func.unnest(bindparam("states", type_=ARRAY(Text))).table_valued("status").render_derived(name="states")
OF_STATE = select(E.id).where(E.tenant_id == TENANT, E.status == EACH_STATE.c.status)


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """Which workflows are meant; what is empty narrows nothing.

    Args:
        states: `live`, `draft`, `off`; any of them.
        words: each of them stands in a name, in either language and however it is spelled.
    """

    states: Sequence[str] = ()
    words: str = ""

    def narrow(self, wanted: Select[Any]) -> Select[Any]:
        """Return the query for these workflows only."""
        return narrowed(wanted, (self.states, STATE.in_), (self.words, lambda words: holds_words(words, W.search_key)))


ALL_WORKFLOWS = WorkflowFilter()


def list_workflows(
    tenant_id: UUID, *, wanted: WorkflowFilter = ALL_WORKFLOWS, sort: str = "-changed", place: Place | None = None, limit: int = 50
) -> Listing[Row[Any]]:
    """Return workflows with their live version's number and their last run, sorted.

    Args:
        sort: a name of `workflow_sorts`, with `-` before it for the largest first.
    """
    key = workflow_sorts()[sort.removeprefix("-")]
    rows = wanted.narrow(sorted_page(WORKFLOWS, key, W.id, is_down=sort.startswith("-"), place=place, limit=limit))
    return listing_of(list(db.session().execute(rows, {"tenant": tenant_id})), place=place, limit=limit)


def count_workflows(tenant_id: UUID, *, wanted: WorkflowFilter = ALL_WORKFLOWS, limit: int | None = None) -> int:
    """Return how many workflows match; at most `limit` are counted."""
    return _count(wanted.narrow(select(W.id).where(W.tenant_id == TENANT)), tenant_id, limit)


def workflow_ids(tenant_id: UUID, *, wanted: WorkflowFilter, at: datetime, after: UUID | None, limit: int) -> list[UUID]:
    """Return ids of the workflows that match and were there at a moment, smallest first."""
    return _ids(wanted.narrow(select(W.id).where(W.tenant_id == TENANT, W.created_at <= at)), W.id, tenant_id, after, limit)


def workflow_sorts() -> dict[str, SortKey]:
    """Return what the list of workflows can be sorted by; names in the reader's language."""
    return {
        "changed": SortKey(W.updated_at, "time"),
        "name": SortKey(_name(), "text"),
        "state": SortKey(STATE, "text"),
        "last": SortKey(func.coalesce(LAST.c.created_at, NEVER), "time"),
    }


def values_of_runs(tenant_id: UUID, ids: Sequence[UUID], asked: Sequence[Condition]) -> dict[UUID, tuple[Any, ...]]:
    """Return the values that conditions are about, as rows hold them, by run."""
    columns = (searching.value_of(each).label(f"value_{number}") for number, each in enumerate(asked))
    rows = db.session().execute(select(E.id, *columns).where(E.tenant_id == TENANT, E.id.in_(ids)), {"tenant": tenant_id})
    return {row[0]: tuple(row[1:]) for row in rows}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are meant; what is empty narrows nothing."""

    statuses: Sequence[str] = ()
    workflow_id: UUID | None = None
    started_by: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None
    until: datetime | None = None  # rows that came later are not meant
    values: tuple[Condition, ...] = ()  # all of which must be met

    def narrow(self, wanted: Select[Any]) -> Select[Any]:
        return narrowed(
            wanted.where(*(searching.meets(each) for each in self.values)),
            (self.statuses, E.status.in_),
            (self.workflow_id, lambda flow: E.workflow_id == flow),
            (self.started_by, lambda person: E.executed_by == person),
            (self.since, lambda at: E.created_at >= at),
            (self.before, lambda at: E.created_at < at),
            (self.until, lambda at: E.created_at <= at),
        )


ALL_RUNS = RunFilter()


def list_runs(
    tenant_id: UUID, *, wanted: RunFilter = ALL_RUNS, sort: str = "-started", place: Place | None = None, limit: int = 50
) -> Listing[Row[Any]]:
    """Return runs with their workflow's names, sorted by a name of `run_sorts` (`-` before it for the largest first)."""
    name = sort.removeprefix("-")
    people = PEOPLE[_tag()]
    runs = RUNS.outerjoin(people, people.c.id == E.executed_by) if name == "by" else RUNS
    rows = sorted_page(runs, run_sorts()[name], E.id, is_down=sort.startswith("-"), place=place, limit=limit)
    return listing_of(list(db.session().execute(wanted.narrow(rows), {"tenant": tenant_id})), place=place, limit=limit)


def count_runs(tenant_id: UUID, *, wanted: RunFilter = ALL_RUNS, limit: int | None = None) -> int:
    """Return how many runs match; at most `limit` are counted."""
    if wanted == ALL_RUNS and limit is not None:
        return db.session().scalar(COUNT_RUNS, {"tenant": tenant_id, "most": limit}) or 0
    return _count(wanted.narrow(select(E.id).where(E.tenant_id == TENANT)), tenant_id, limit)


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many runs are in a state; `is_more`: there may be more than these."""

    number: int
    is_more: bool = False


def count_states(tenant_id: UUID, states: Sequence[str], *, wanted: RunFilter = ALL_RUNS) -> dict[str, StateCount]:
    """Return how many of the runs that match are in each of these states, whatever states the filter names; never reads more than some thousand rows."""
    wanted = replace(wanted, statuses=())
    if wanted.workflow_id is None and wanted.started_by is None:
        # An index holds state and time together: each state is counted by itself.
        rows = db.session().execute(BY_STATE if wanted == ALL_RUNS else _by_state(wanted), {"tenant": tenant_id, "states": list(states)})
        return {state: StateCount(min(number, COUNTED_IN_STATE), number > COUNTED_IN_STATE) for state, number in rows}
    # No index holds all of it, so a rare state could take a look at every run: what is seen among so many is the least there is.
    seen = wanted.narrow(select(E.status).where(E.tenant_id == TENANT)).limit(COUNTED_TO + 1).subquery()
    found = [tuple(row) for row in db.session().execute(select(seen.c.status, func.count()).group_by(seen.c.status), {"tenant": tenant_id})]
    is_more = sum(number for _state, number in found) > COUNTED_TO
    return {state: StateCount(number, is_more) for state, number in found}


def _by_state(wanted: RunFilter) -> Select[Any]:
    some = wanted.narrow(OF_STATE).limit(COUNTED_IN_STATE + 1).lateral("some")
    return select(EACH_STATE.c.status, func.count()).select_from(EACH_STATE.join(some, true())).group_by(EACH_STATE.c.status)


BY_STATE = _by_state(ALL_RUNS)


def run_ids(tenant_id: UUID, *, wanted: RunFilter, after: UUID | None, limit: int) -> list[UUID]:
    """Return ids of the runs that match, smallest first."""
    return _ids(wanted.narrow(select(E.id).where(E.tenant_id == TENANT)), E.id, tenant_id, after, limit)


def run_sorts() -> dict[str, SortKey]:
    """Return what the list of runs can be sorted by; names in the reader's language."""
    return {
        "started": SortKey(E.created_at, "time"),
        "workflow": SortKey(_name(), "text"),
        "status": SortKey(E.status, "text"),
        "ended": SortKey(func.coalesce(E.completed_at, NEVER), "time"),
        # A run that has not ended has no duration yet: it stands below the shortest.
        "duration": SortKey(TOOK, "number"),
        # What nobody started has no name: it stands before all names.
        "by": SortKey(func.coalesce(PEOPLE[_tag()].c.key, ""), "text"),
    }


def _name() -> ColumnElement[str]:
    """The key of the name that `bilingual` says."""
    return NAME_AR if _tag() == "ar" else NAME_EN


def _tag() -> str:
    return "ar" if language() == "ar" else "en"


def _count(wanted: Select[Any], tenant_id: UUID, limit: int | None) -> int:
    counted = select(func.count()).select_from(wanted.limit(limit).subquery())
    return db.session().scalar(counted, {"tenant": tenant_id}) or 0


def _ids(wanted: Select[Any], row_id: ColumnElement[UUID], tenant_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    if after is not None:
        wanted = wanted.where(row_id > after)
    return list(db.session().scalars(wanted.order_by(row_id).limit(limit), {"tenant": tenant_id}))
