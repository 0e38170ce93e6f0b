"""The events of a run as they are stored: read in pages for an export or a check, so that a run of any length fits."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import SYSTEM
from portal.core.errors import NotFound
from portal.tenants import service as tenants
from portal.workflows.history.chain import TAIL, Broken, Event, Head, event_line, head_line, read, verify

log = logging.getLogger(__name__)

PAGE = 1000
SAMPLE = 20
HEAD = "select event_seq, event_hash from workflow_executions where tenant_id = :tenant and id = :run"
EVENTS = """
select seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, kind, actor, node_key, data::text as data,
       encode(prev_hash, 'hex') as prev_hash, encode(hash, 'hex') as hash
from workflow_events where tenant_id = :tenant and execution_id = :run and seq > :after order by seq limit :limit
"""
# Runs behind a random place of the ids, and those that ended last: over the days every run has its turn.
SOME = "select tenant_id, id from workflow_executions where id >= :place order by id limit :limit"
LAST = "select tenant_id, id from workflow_executions order by id desc limit :limit"
SPAN = "select (select id from workflow_executions order by id limit 1) as first, (select id from workflow_executions order by id desc limit 1) as last"


def head_of(tenant_id: UUID, run_id: UUID) -> Head:
    """Return how many events a run has, and the hash of the last.

    Raises:
        NotFound: no such run in this tenant.
    """
    row = db.session().execute(text(HEAD), {"tenant": tenant_id, "run": run_id}).first()
    if row is None:
        raise NotFound
    return Head(str(tenant_id), str(run_id), row.event_seq, row.event_hash.hex() if row.event_hash else "")


def export(head: Head) -> Iterator[str]:
    """Yield the lines of the file in which a run's history leaves the house, as far as its head goes."""
    yield head_line(head)
    for event in events_of(UUID(head.tenant), UUID(head.run)):
        if event.seq > head.count:
            break  # the run has gone on meanwhile
        yield event_line(event, is_last=event.seq == head.count)
    yield TAIL


def events_of(tenant_id: UUID, run_id: UUID) -> Iterator[Event]:
    """Yield the events of a run in order; one page of them is held."""
    after = 0
    while True:
        with db.transaction(tenant_id) as session:
            rows = session.execute(text(EVENTS), {"tenant": tenant_id, "run": run_id, "after": after, "limit": PAGE}).all()
        for row in rows:
            data = read(row.data) if row.data is not None else None
            yield Event(row.seq, row.at, row.kind, row.actor, row.node_key, data, row.prev_hash, row.hash)
        if len(rows) < PAGE:
            return
        after = rows[-1].seq


def check(tenant_id: UUID, run_id: UUID) -> Head:
    """Check the chain of a run against what its row says.

    Raises:
        Broken: at the first event that is not as it was written.
        NotFound: no such run in this tenant.
    """
    with db.transaction(tenant_id):
        head = head_of(tenant_id, run_id)
    verify(head, (event for event in events_of(tenant_id, run_id) if event.seq <= head.count))
    return head


def watch() -> int:
    """Check a sample of all runs and give the alarm for those that were changed; returns how many. For the dispatcher.

    An alarm is an entry in the book of the organisation and in that of the house, and a notice to owners and to staff.
    """
    found = 0
    for tenant_id, run_id in _sample():
        try:
            check(tenant_id, run_id)
        except NotFound:
            continue
        except Broken as broken:
            found += _alarm(tenant_id, run_id, broken)
    return found


def _sample() -> list[tuple[UUID, UUID]]:
    with db.transaction(system=True) as session:
        span = session.execute(text(SPAN)).one()
        if span.first is None:
            return []
        place = UUID(int=span.first.int + secrets.randbelow(span.last.int - span.first.int + 1))
        rows = [*session.execute(text(SOME), {"place": place, "limit": SAMPLE}), *session.execute(text(LAST), {"limit": SAMPLE})]
    return list(dict.fromkeys((row.tenant_id, row.id) for row in rows))


def _alarm(tenant_id: UUID, run_id: UUID, broken: Broken) -> bool:
    """Give the alarm once for a run."""
    told = "select 1 from audit_entries where tenant_id = :tenant and action = 'history.broken' and target_id = :run limit 1"
    with db.transaction(tenant_id) as session:
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:run, 25))"), {"run": str(run_id)})
        if session.execute(text(told), {"tenant": tenant_id, "run": run_id}).first() is not None:
            return False
        audit.record(tenant_id, SYSTEM, "history.broken", run_id, event=broken.seq, reason=broken.reason)
        bus.announce(events.HistoryBroken(tenant_id, run_id, broken.seq, broken.reason))
    with db.transaction():
        house_id = tenants.house_id()
    with db.unit_of_work(house_id), db.transaction():
        audit.record(house_id, SYSTEM, "history.broken", run_id, event=broken.seq, reason=broken.reason)
        bus.announce(events.HistoryBroken(house_id, run_id, broken.seq, broken.reason))
    log.error("the history of a run was changed", extra={"run": str(run_id), "event": broken.seq, "reason": broken.reason})
    return True
