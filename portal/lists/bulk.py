"""One verb for many rows: asked for, undone within ten seconds, then carried out by a job, row by row.

Each row is settled in a transaction that also moves the action's counts and cursor: a worker that dies leaves the row either
done and counted or neither, and the next worker goes on after it.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import OperationalError

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db, jobs
from portal.core.access import SYSTEM, Access, Actor
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.identity import service as identity
from portal.lists import kinds, queries
from portal.lists.errors import TooLate
from portal.lists.kinds import Asked, ListKind, Rehearsal, Verb
from portal.lists.models import BulkAction
from portal.lists.reading import ListState, read_stored
from portal.notifications import service as notifications

log = logging.getLogger(__name__)

UNDO_S = 10
BUDGET_S = 40.0
BATCH = 100
MAX_IDS = 200
MAX_OPEN = 5
MAX_REASONS = 50


def rehearse(here: Access, kind: ListKind, verb: Verb, *, ids: Sequence[UUID] | None, state: ListState) -> Rehearsal:
    """Say what a verb would do to chosen rows, or (`ids` None) to all that match the state now; changes nothing.

    Raises:
        Forbidden: this person may not do this to any row.
        Invalid: no rows, or too many chosen ones.
    """
    assert verb.rehearse is not None
    asked, _total = _meant(here, kind, verb, ids=ids, state=state)
    return verb.rehearse(here.tenant_id, asked, None if ids is None else sorted(set(ids)))


def _meant(here: Access, kind: ListKind, verb: Verb, *, ids: Sequence[UUID] | None, state: ListState) -> tuple[Asked, int]:
    if not here.can(verb.permission):
        raise Forbidden
    own_only = verb.beyond_own is not None and not here.can(verb.beyond_own)
    asked = Asked(here.person_id, state.filters, clock.now(), own_only)
    total = kind.count(here.tenant_id, asked) if ids is None else len(set(ids))
    if not total:
        raise Invalid({"ids": "none"})
    if ids is not None and total > MAX_IDS:
        raise Invalid({"ids": "many"})
    return asked, total


def ask(here: Access, kind: ListKind, verb: Verb, *, ids: Sequence[UUID] | None, state: ListState) -> UUID:
    """Ask for a verb on chosen rows, or (`ids` None) on all that match the state now; it begins after ten seconds.

    Raises:
        Forbidden: this person may not do this to any row.
        Invalid: no rows, too many chosen ones, or too many actions at a time.
    """
    asked, total = _meant(here, kind, verb, ids=ids, state=state)
    with db.transaction() as session:
        if queries.open_bulk_count(here.tenant_id, here.person_id) >= MAX_OPEN:
            raise Invalid({"ids": "busy"})
        action = BulkAction(
            tenant_id=here.tenant_id,
            person_id=here.person_id,
            list_name=kind.key,
            verb=verb.key,
            query=state.as_json(),
            ids=None if ids is None else sorted({str(each) for each in ids}),
            own_only=asked.own_only,
            total=total,
            asked_at=asked.at,
            starts_at=asked.at + timedelta(seconds=UNDO_S),
        )
        session.add(action)
        session.flush()
        audit.record(here.tenant_id, here.actor, "bulk.asked", action.id, list=kind.key, verb=verb.key, rows=total, all=ids is None)
        jobs.enqueue("lists.carry_out", here.tenant_id, action.id, delay_s=UNDO_S)
    return action.id


def undo(here: Access, bulk_id: UUID) -> UUID | None:
    """Take a bulk action back: before it begins nothing happens at all; after it is over its rows are changed back, if that can be.

    Returns:
        The id of the action that changes back, None when there was nothing to change.

    Raises:
        NotFound: this person has no such action.
        TooLate: it runs, was undone already, or cannot be undone.
    """
    with db.transaction() as session:
        action = queries.get_bulk(here.tenant_id, here.person_id, bulk_id, lock=True)
        if action.state == "waiting":
            _end(action, "undone")
            audit.record(here.tenant_id, here.actor, "bulk.undone", bulk_id)
            return None
        verb = kinds.get(action.list_name).verb(action.verb)
        if not can_undo(action, verb) or not here.can(verb.permission):
            raise TooLate
        now = clock.now()
        back = BulkAction(
            tenant_id=here.tenant_id,
            person_id=here.person_id,
            list_name=action.list_name,
            verb=verb.undo,
            query=action.query,
            ids=action.changed,
            own_only=action.own_only,
            total=len(action.changed),
            asked_at=now,
            starts_at=now,
        )
        session.add(back)
        session.flush()
        action.undo_id = back.id
        audit.record(here.tenant_id, here.actor, "bulk.taken_back", bulk_id, undo=back.id)
        jobs.enqueue("lists.carry_out", here.tenant_id, back.id)
    return back.id


def can_undo(action: BulkAction, verb: Verb) -> bool:
    """Say whether an action that is over can be taken back."""
    return bool(verb.undo and action.state in ("done", "stopped") and action.changed and action.undo_id is None)


def stop(here: Access, bulk_id: UUID) -> None:
    """Stop an action that runs after the row it is at; what is done stays done.

    Raises:
        NotFound: this person has no such action.
        TooLate: it is over.
    """
    with db.transaction():
        action = queries.get_bulk(here.tenant_id, here.person_id, bulk_id, lock=True)
        if action.is_over:
            raise TooLate
        _end(action, "stopped")
        audit.record(here.tenant_id, here.actor, "bulk.stopped", bulk_id, settled=action.settled)


def carry_out(tenant_id: UUID, bulk_id: UUID, *, budget_s: float = BUDGET_S) -> None:
    """Do the verb to row after row; asks for another job when the time is up. Safe to repeat, and to run twice at once."""
    action = _begin(tenant_id, bulk_id)
    if action is None:
        return
    kind = kinds.get(action.list_name)
    verb = kind.verb(action.verb)
    end = time.monotonic() + budget_s
    while ids := _next_ids(kind, action):
        for row_id in ids:
            if time.monotonic() > end:
                with db.transaction(tenant_id):
                    jobs.enqueue("lists.carry_out", tenant_id, bulk_id)
                return
            if not _carry_one(action, verb, row_id):
                return
        action.cursor = ids[-1]
    _finish(tenant_id, bulk_id)


def _begin(tenant_id: UUID, bulk_id: UUID) -> BulkAction | None:
    with db.transaction(tenant_id):
        action = queries.locked_bulk(tenant_id, bulk_id)
        if action is None or action.is_over:
            return None
        left_s = (action.starts_at - clock.now()).total_seconds()
        if action.state == "waiting" and left_s > 0:
            jobs.enqueue("lists.carry_out", tenant_id, bulk_id, delay_s=math.ceil(left_s))
            return None
        verb = kinds.get(action.list_name).verb(action.verb)
        may = identity.permissions_of(tenant_id, action.person_id)
        if verb.permission not in may:  # the right was lost, or the membership, since this was asked for
            _end(action, "stopped")
            audit.record(tenant_id, SYSTEM, "bulk.refused", bulk_id, settled=action.settled)
            return None
        action.own_only = action.own_only or (verb.beyond_own is not None and verb.beyond_own not in may)
        action.state = "running"
    return action


def _next_ids(kind: ListKind, action: BulkAction) -> list[UUID]:
    if action.ids is not None:
        left = [UUID(each) for each in action.ids]
        return [each for each in left if action.cursor is None or each > action.cursor][:BATCH]
    asked = Asked(action.person_id, read_stored(kind, action.query).filters, action.asked_at, action.own_only)
    with db.transaction(action.tenant_id):
        return kind.pick(action.tenant_id, asked, action.cursor, BATCH)


def _carry_one(action: BulkAction, verb: Verb, row_id: UUID) -> bool:
    """Settle one row; False when the action was stopped, or when another worker is ahead."""
    by = Actor("person", action.person_id)
    try:
        with db.transaction(action.tenant_id):
            row = _mine(action, row_id)
            if row is None:
                return False
            try:
                reason = verb.perform(action.tenant_id, row_id, by=by, own_only=action.own_only)
            except NotFound:
                reason = "gone"
            _note(row, row_id, reason, keeps=bool(verb.undo))
    except OperationalError:
        raise  # the database is away; the job comes again
    except Exception:
        log.exception("a row of a bulk action broke", extra={"bulk": str(action.id), "row": str(row_id)})
        with db.transaction(action.tenant_id):
            row = _mine(action, row_id)
            if row is None:
                return False
            _note(row, row_id, "broke", keeps=False)
    return True


def _mine(action: BulkAction, row_id: UUID) -> BulkAction | None:
    row = queries.locked_bulk(action.tenant_id, action.id)
    is_next = row is not None and row.state == "running" and (row.cursor is None or row.cursor < row_id)
    return row if is_next else None


def _note(row: BulkAction, row_id: UUID, reason: str | None, *, keeps: bool) -> None:
    row.cursor = row_id
    if reason is None:
        row.done_count += 1
        if keeps:
            row.changed = [*row.changed, str(row_id)]
        return
    if reason == "broke":
        row.failed_count += 1
    else:
        row.skipped_count += 1
    if len(row.reasons) < MAX_REASONS:
        row.reasons = [*row.reasons, {"id": str(row_id), "code": reason}]


def _finish(tenant_id: UUID, bulk_id: UUID) -> None:
    with db.transaction(tenant_id):
        action = queries.locked_bulk(tenant_id, bulk_id)
        if action is None or action.state != "running":
            return
        _end(action, "done")
        counts: dict[str, Any] = {"done": action.done_count, "skipped": action.skipped_count, "failed": action.failed_count}
        audit.record(tenant_id, Actor("person", action.person_id), "bulk.finished", bulk_id, verb=action.verb, **counts)
        notifications.notify(
            tenant_id,
            [action.person_id],
            type="bulk.failed" if action.failed_count else "bulk.done",
            message="",
            severity="warning" if action.failed_count else "success",
            data={"verb": action.verb, **counts},
            link=f"/bulk/{bulk_id}",
        )
        bus.announce(events.BulkActionFinished(tenant_id, bulk_id, action.list_name, action.verb, **counts))


def _end(action: BulkAction, state: str) -> None:
    action.state, action.finished_at = state, clock.now()
