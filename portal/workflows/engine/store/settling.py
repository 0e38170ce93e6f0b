"""T5 to T8: end an attempt, begin what follows."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Any

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db, metering
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.engine.lanes import FAST
from portal.workflows.engine.plan import Stand
from portal.workflows.engine.store import compensating, framing, opening
from portal.workflows.engine.store.calling import NotHere, Refused, call_of, perform_own
from portal.workflows.engine.store.ending import end_cancelled, end_everything
from portal.workflows.engine.store.following import begin, conclude, drain, take
from portal.workflows.engine.store.leasing import read_run
from portal.workflows.engine.store.reading import read_steps
from portal.workflows.engine.store.rows import Frame, Hand, Lease, Moves, Run, announce_after, begin_running
from portal.workflows.engine.store.sql import write_moves, write_settle

log = logging.getLogger(__name__)


def prepare(lease: Lease, run: Run) -> Call | Failed:
    """Compute a step's configuration from the run's values."""
    frame = run.frame(lease.scope)
    if frame is None:
        return Failed("cancelled")  # its frame has ended meanwhile; the fence or the settle says so
    return call_of(run, frame, run.graph.nodes[lease.node_key], lease.attempt)


def settle(
    lease: Lease, run: Run | None, outcome: Outcome | None, *, carry: bool, used: dict[str, int] | None = None
) -> tuple[Run | None, Lease | None]:
    """End the attempt: keep its outcome, begin what follows, finish the run if nothing is left. One transaction.

    Args:
        run: what the worker knows of it; None has it read here, in the same transaction.
        outcome: what came of it; None for a pure or db step, which is done here, and so exactly once.
        carry: lease the first step that follows to the same worker, in the same transaction; db steps are done in it.
        used: what the attempt used outside (`core.metering`); a db step is measured here.

    Returns:
        The run, None if it has ended or is ending; and the lease of the step to go on with, or None. A lost lease changes nothing.
    """
    may_apply = carry
    for _attempt in range(4):
        try:
            with nullcontext() if run is None or run.is_stale else db.optimistic():
                return _settle(lease, run, outcome, carry=carry, may_apply=may_apply, used=used)
        except BaseException as broken:
            if run is not None:
                # What it changed here was rolled back there. A count of events that is right by chance must not hide that.
                run.is_stale = True
            if isinstance(broken, NotHere):
                may_apply = False
            elif isinstance(broken, Refused):
                outcome = broken.failed
            elif not isinstance(broken, db.Mistaken):
                raise
    raise AssertionError("unreachable: none can happen twice")


def apply_here(lease: Lease) -> None:
    """Do a leased pure or db step in the open transaction; what a refused one wrote goes back to a savepoint."""
    failed = None
    for _attempt in range(2):
        try:
            with db.session().begin_nested():
                _settle(lease, None, failed, carry=False, may_apply=False, used=None)
                return
        except Refused as refused:
            failed = refused.failed


def begin_here(connection: Connection, run: Run, *, hand: Hand, accepted: dict[str, Any] | None) -> bool:
    """Do the first steps of a run that the open transaction has just accepted, as far as pure and db steps lead, in that transaction.

    Nothing is read: of a new run everything is known. Whatever goes wrong goes back to before the first step.

    Args:
        hand: gets the run, and the lease of its next pure or db step where there are more than one transaction should do.
        accepted: the values of a run whose row is not written yet: it is, with everything else, at the end.

    Returns:
        False when nothing was done: the workers find the run as any other.

    Raises:
        Mistaken: something went wrong in an optimistic transaction, which has no place to go back to.
    """
    # The step that a transaction is opened for does not count among those that follow it.
    moves = Moves(run, connection, hand.worker, may_carry=True, may_apply=True, lane=FAST, applied=-1)
    try:
        with nullcontext() if accepted or db.is_optimistic() else db.session().begin_nested():
            moves.tell("run.accepted")
            begin_running(moves)
            for key in run.graph.entries():
                begin(moves, run.root, key)
            drain(moves)
            if any(row["attempt"] for row in moves.born):
                write(moves, accepted=accepted, is_new=True)
                hand.run, hand.lease = run, moves.carried
                return True
    except Exception as broken:
        if db.is_optimistic():
            raise db.Mistaken from broken
        log.info("a run is left to the workers", extra={"run": str(run.id)}, exc_info=True)
    run.status, run.event_seq, run.frames = "pending", 0, {"": Frame()}
    return False


def _settle(
    lease: Lease,
    run: Run | None,
    outcome: Outcome | None,
    *,
    carry: bool,
    may_apply: bool,
    used: dict[str, int] | None,
) -> tuple[Run | None, Lease | None]:
    with db.transaction(lease.tenant_id) as session:
        connection = session.connection()
        may_guess = db.is_optimistic() and run is not None and run.status != "cancelling"
        if run is None:
            run = read_run(connection, lease)
            if run is None:
                return None, None
        elif not may_guess and not _is_mine(connection, lease, run):
            return run, None
        if run.status == "cancelling":
            end_cancelled(connection, run, lease, outcome if isinstance(outcome, Done) else None, used=used)
            return run, None
        moves = Moves(run, connection, lease.worker, may_carry=carry, may_apply=may_apply, lane=lease.lane)
        if may_guess:
            moves.guess = run.status, run.event_seq
        if run.status == "pending":
            begin_running(moves)
        settle_in(moves, lease, outcome, used=used)
        return run, moves.carried


def _is_mine(connection: Connection, lease: Lease, run: Run) -> bool:
    """Lock the run's row and the step's; False when the lease is lost. What others changed of the run meanwhile is read anew."""
    row = connection.exec_driver_sql(
        """
        select e.status, e.event_seq
        from workflow_executions e join workflow_steps s on s.tenant_id = e.tenant_id and s.execution_id = e.id
        where e.tenant_id = %s and e.id = %s and s.id = %s and s.state = 'leased' and s.lease_epoch = %s
        for update of e, s
        """,
        (lease.tenant_id, lease.run_id, lease.step_id, lease.epoch),
    ).first()
    if row is None:
        return False
    run.status = row.status
    if run.is_stale or row.event_seq != run.event_seq:
        run.event_seq, run.is_stale = row.event_seq, False
        read_steps(connection, run)
    return True


def settle_in(moves: Moves, lease: Lease, outcome: Outcome | None, *, used: dict[str, int] | None = None) -> None:
    """Settle a step in the open transaction, which holds the run's row; without an outcome the step is done here."""
    run, frame, node = moves.run, moves.run.frames.get(lease.scope), moves.run.graph.nodes[lease.node_key]
    step = moves.own = own_row(lease)
    step["used"] = used
    config = None
    if frame is None or frame.is_closing:
        _come_back(moves, frame, lease, step, outcome)
    else:
        if outcome is None:
            call = call_of(run, frame, node, lease.attempt)
            if isinstance(call, Failed):
                outcome = call
            else:
                with metering.measured() as step["used"]:
                    outcome, config = perform_own(call, lease.kind), call.config
        take(moves, frame, node, step, outcome, lease=lease)
    drain(moves)
    write(moves, lease, config)


def own_row(lease: Lease) -> dict[str, Any]:
    """Return the row of the step that is settled, before it is known how."""
    return {"id": str(lease.step_id), "state": "leased", "port": None, "output": None, "error": None, "delay_s": 0, "seq": None}


def write(
    moves: Moves,
    lease: Lease | None = None,
    config: dict[str, Any] | None = None,
    *,
    accepted: dict[str, Any] | None = None,
    is_new: bool = False,
) -> None:
    """Write moves, with the step that is settled if there is one, and what becomes of their run."""
    run, connection = moves.run, moves.connection
    status, ends_as = conclude(moves)
    if accepted is not None and ends_as is not None:
        raise NotHere  # it is not over with its first steps, and its row must be there
    if lease is None or moves.own is None:
        write_moves(connection, moves, status, ends_as=ends_as, accepted=accepted)
    else:
        write_settle(connection, lease, moves.own, moves, status, config, ends_as=ends_as)
    if is_new:
        bus.announce(events.RunStarted(run.tenant_id, run.id, run.workflow_id))
    open_waits(moves)
    if moves.ends is not None and run.graph.has_frames:
        end_everything(connection, run)
    if status == "compensating" or moves.undoes_next:
        run.status = "compensating"
        compensating.advance(connection, run)
    announce_after(run, moves, status if ends_as is None else None)


def open_waits(moves: Moves) -> None:
    """Begin to wait for signals and people, once the rows of the steps are there; a signal that came early ends its wait here and now."""
    for step_id, waiting in moves.waits:
        received = opening.open_wait(moves.connection, moves.run, step_id, waiting)
        if received is not None:
            lease = opening.waiting_step(moves.connection, moves.run, step_id, received.sender)
            continue_from(moves.connection, moves.run, lease, received.outcome)


def _come_back(moves: Moves, frame: Frame | None, lease: Lease, step: dict[str, Any], outcome: Outcome | None) -> None:
    """End a leased step whose frame is closed: what it did stands, nothing follows it."""
    key = lease.node_key
    if isinstance(outcome, Done):
        moves.tell("step.succeeded", key, frame)
        step.update(state="succeeded", port=outcome.port, output=outcome.output, seq=moves.run.event_seq)
    else:
        moves.tell("step.cancelled", key, frame)
        step.update(state="cancelled", seq=moves.run.event_seq)
    if frame is not None:
        frame.stands[key] = Stand(step["state"], step["port"])
        framing.let_go(moves, frame)


def continue_from(connection: Connection, run: Run, lease: Lease, outcome: Outcome) -> None:
    """Settle a step that nobody leases (a timer fired, a person decided, another run ended), and begin what follows."""
    settle_in(Moves(run, connection, lease.worker, may_carry=False), lease, outcome)
