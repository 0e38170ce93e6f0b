"""T1 for everything that starts runs from outside or by itself: the same thing starts one run, and is written down once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from portal.audit import service as audit
from portal.core import db
from portal.core.access import Actor
from portal.core.errors import Invalid
from portal.core.ids import new_id
from portal.workflows.engine import runner
from portal.workflows.engine.store import starting
from portal.workflows.engine.store.reading import published
from portal.workflows.engine.store.rows import Hand
from portal.workflows.errors import GateFull, NotPublished
from portal.workflows.triggers import queries
from portal.workflows.triggers.base import Opened
from portal.workflows.triggers.errors import KeyUsed

LONGEST_KEY = 300
NOTE = """
insert into workflow_receipts as r
  (id, tenant_id, trigger_id, dedup_key, outcome, reason, problems, execution_id, body_hash, payload, nominal_at, depth, network)
values (%(id)s, %(tenant)s, %(trigger)s, %(key)s, %(outcome)s, %(reason)s, %(problems)s::jsonb, %(run)s, %(hash)s, %(payload)s::jsonb,
        %(nominal)s, %(depth)s, %(network)s)
on conflict (tenant_id, trigger_id, dedup_key) do update
set outcome = excluded.outcome, reason = excluded.reason, problems = excluded.problems, execution_id = excluded.execution_id,
    body_hash = excluded.body_hash, payload = excluded.payload, received_at = clock_timestamp()
where r.outcome <> 'started' and excluded.outcome not in ('waiting')
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived: under which key it is the same, and what it means for the run's inputs.

    Args:
        read: declared inputs → typed values; raises Invalid.
        body_hash: of what was sent, where another body under the same key is a mistake of the sender.
        network: what a public form counts by.
    """

    key: str
    read: Callable[[list[dict[str, Any]]], dict[str, Any]]
    body_hash: bytes | None = None
    depth: int = 0
    nominal_at: datetime | None = None
    network: bytes | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """What became of it: the run, and whether it is a new one; or why there is none."""

    run_id: UUID | None
    is_new: bool = False
    outcome: str = "started"
    is_full: bool = False
    problems: dict[str, str] = field(default_factory=dict)


class Accepted(NamedTuple):
    """A run that was begun, whether it is new, and what it has already said to its caller."""

    run_id: UUID
    is_new: bool
    answers: list[Any]


def begin(trigger: Opened, arrival: Arrival, *, by: Actor | None = None, hand: Hand | None = None) -> Begun:
    """Start the run of what arrived, or find the one that it started before. One transaction, safe to repeat.

    Args:
        by: the person who asked, if it was one: the run is theirs.
        hand: does pure and db steps at once, in the same transaction, and goes on after its commit (`runner.start_here`).

    Raises:
        KeyUsed: the key came with another body before.
    """
    with db.transaction(trigger.tenant_id) as session:
        db.commits("arrive")
        if trigger.version_id is None:
            note(trigger, arrival, "unpublished")
            return Begun(None, outcome="unpublished")
        declared = published(session.connection(), trigger.tenant_id, trigger.version_id).settings.get("inputs", [])
        try:
            values = arrival.read(declared)
        except Invalid as wrong:
            note(trigger, arrival, "refused", reason="inputs", problems=wrong.problems)
            return Begun(None, outcome="refused", problems=wrong.problems)
        try:
            run_id, is_new = starting.start(
                trigger.tenant_id,
                trigger.workflow_id,
                trigger.version_id,
                input_data=values,
                by=by.id if by else None,
                dedup_key=f"{trigger.id}:{arrival.key}",
                hand=hand,
                priority=arrival.priority,
                seen=trigger.seen,
            )
        except GateFull:
            note(trigger, arrival, "refused", reason="gate_full")
            return Begun(None, outcome="refused", is_full=True)
        if not is_new:
            _refuse_another_body(trigger, arrival)
            return Begun(run_id)
        note(trigger, arrival, "started", run_id=run_id)
        if by is not None:
            audit.record(trigger.tenant_id, by, "run.started", run_id, workflow=trigger.workflow_id, trigger=trigger.id)
    return Begun(run_id, is_new=True)


def begun(trigger: Opened, arrival: Arrival, *, by: Actor | None = None, carries: bool = False) -> Accepted:
    """Do the same for a caller who must be told. What is refused is written down as well.

    Args:
        carries: do pure and db steps here, a second at most, until the run has said something to its caller.

    Raises:
        KeyUsed: as above.
        GateFull: as many of its runs go on as may.
        NotPublished: the workflow has no live version, or is switched off.
        Invalid: `.problems` names each wrong input.
    """
    answers: list[Any] = []
    if carries:
        found, hand = runner.start_here(lambda hand: begin(trigger, arrival, by=by, hand=hand))
        answers = hand.said()
    else:
        found = runner.again(partial(begin, trigger, arrival, by=by))
    if found.outcome == "unpublished":
        raise NotPublished
    if found.is_full:
        raise GateFull
    if found.run_id is None:
        raise Invalid(found.problems)
    return Accepted(found.run_id, found.is_new, answers)


def note(
    trigger: Opened,
    arrival: Arrival,
    outcome: str,
    *,
    reason: str | None = None,
    problems: dict[str, str] | None = None,
    run_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
) -> bool:
    """Write down what arrived, in the open transaction. What started a run stays as it is; anything else may still become better.

    Returns:
        Whether the receipt says so now.
    """
    facts = {
        "id": new_id(), "tenant": trigger.tenant_id, "trigger": trigger.id, "key": arrival.key, "outcome": outcome, "reason": reason,
        "problems": db.to_json(problems) if problems else None, "run": run_id, "hash": arrival.body_hash,
        "payload": db.to_json(payload) if payload is not None else None, "nominal": arrival.nominal_at, "depth": arrival.depth, "network": arrival.network,
    }  # fmt: skip
    connection = db.session().connection()
    if outcome == "started":
        db.write_later(connection, NOTE, facts)  # the run is new, so nothing can have started one under this key
        return True
    return bool(db.touched(connection.exec_driver_sql(NOTE, facts)))


def hash_of(body: bytes | dict[str, Any]) -> bytes:
    """Return the hash by which two bodies are the same: of the bytes, or of an object whatever the order of its names."""
    raw = body if isinstance(body, bytes) else json.dumps(body, sort_keys=True, ensure_ascii=False, default=str).encode("utf-8", "replace")
    return hashlib.sha256(raw).digest()


def fitted(key: str) -> str:
    """Return a key that fits into an index: a long one is kept as its hash."""
    return key if len(key) <= LONGEST_KEY else "sha256:" + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _refuse_another_body(trigger: Opened, arrival: Arrival) -> None:
    if arrival.body_hash is None:
        return
    known = queries.receipt_of(trigger.tenant_id, trigger.id, arrival.key)
    if known is not None and known.body_hash is not None and bytes(known.body_hash) != arrival.body_hash:
        raise KeyUsed
