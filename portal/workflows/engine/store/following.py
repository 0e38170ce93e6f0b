"""What follows the end of a step: the next steps, the ends of frames and blocks, the end of the run. Writes nothing itself.

`take` gives an outcome to a row, `drain` carries on until nothing more can be done in this transaction, `conclude` says whether
the run ends. All of it only gathers rows in `Moves`; `sql.write_settle` writes them in one statement.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from uuid import UUID

from portal.core import db, metering
from portal.core.ids import new_id
from portal.workflows import payloads
from portal.workflows.actions.base import Call, Calls, Done, Failed, Jump, Opened, Outcome, Stop, Waiting
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import ERROR
from portal.workflows.engine import plan
from portal.workflows.engine.lanes import lane_of
from portal.workflows.engine.plan import Stand
from portal.workflows.engine.store import children, framing
from portal.workflows.engine.store.calling import call_of, perform_here
from portal.workflows.engine.store.failing import judge_failure
from portal.workflows.engine.store.hints import wake
from portal.workflows.engine.store.rows import LIVE, Frame, Lease, Moves, born

MAX_INLINE = 200
MAX_INLINE_WEIGHT = 2 * 1024 * 1024  # large values are written one after another, so that they are not all held at once
# How many db steps may follow in the transaction that ends the one before, and for how long: locks must stay short.
MAX_APPLIED = 10
MAX_APPLYING_S = 0.5


def take(moves: Moves, frame: Frame, node: dict[str, Any], row: dict[str, Any], outcome: Outcome, *, lease: Lease | None = None) -> None:
    """Give an outcome to a step: its row, its place in the frame, and what it sets in motion.

    Args:
        lease: of a step with an attempt of its own; without one a failure is final.
    """
    if isinstance(outcome, Done):
        size = len(db.to_json(outcome.output))
        moves.weight += size
        if size > payloads.MAX_VALUE_BYTES:
            outcome = Failed("output_too_large", sent=False)
    if isinstance(outcome, Jump):
        spent = _jumped(moves, frame, node, row, outcome)
        if spent is None:
            return
        outcome = spent
    elif isinstance(outcome, Calls):
        outcome = children.begin(moves, UUID(row["id"]), outcome)
    if isinstance(outcome, Done):
        succeed(moves, frame, node, row, outcome.output, outcome.port)
    elif isinstance(outcome, Failed):
        if not (lease is not None and judge_failure(moves, frame, node, row, outcome, lease)):
            fail(moves, frame, node, row, framing.error_of(outcome, lease.attempt if lease else 1))
    elif isinstance(outcome, Stop):
        _stop(moves, frame, node, row, outcome)
    else:
        _wait(moves, frame, node, row, outcome, lease.epoch if lease else 0)


def succeed(moves: Moves, frame: Frame, node: dict[str, Any], row: dict[str, Any], output: Any, port: str) -> None:
    """End a step well; what follows is put to work."""
    key = node["key"]
    moves.tell("step.succeeded", key, frame)
    row.update(state="succeeded", port=port, output=output, error=None, seq=moves.run.event_seq)
    frame.stands[key] = Stand("succeeded", port)
    frame.outputs[key] = frame.last = output
    frame.ids.pop(key, None)
    moves.work.append((frame, key))


def fail(moves: Moves, frame: Frame, node: dict[str, Any], row: dict[str, Any], error: dict[str, Any]) -> None:
    """End a step badly: into its error lane, on as if nothing had happened, or with its frame."""
    key, port = node["key"], plan.handler(node)
    moves.tell("step.failed", key, frame, **{name: value for name, value in error.items() if name != "step"})
    row.update(state="failed", port=port, error=error, output={"error": error} if port else None, seq=moves.run.event_seq)
    frame.stands[key] = Stand("failed", port)
    frame.ids.pop(key, None)
    error = {**error, "step": error.get("step") or key}
    if port is None:
        fail_frame(moves, frame, error)
        return
    frame.outputs[key] = frame.last = row["output"]
    if port == ERROR:
        frame.error = error
    moves.work.append((frame, key))


def fail_frame(moves: Moves, frame: Frame, error: dict[str, Any]) -> None:
    """End a frame badly; the root's end is the run's."""
    if not frame.path:
        moves.ends, moves.failed = "failed", error
        return
    framing.close(moves, moves.run.below(frame.path))
    end_frame(moves, frame, "failed", error)


def drain(moves: Moves) -> None:
    """Carry on with everything that can be done now: next steps, ended frames, ended blocks."""
    run = moves.run
    while moves.ends is None:
        if moves.work:
            frame, key = moves.work.popleft()
            if run.frames.get(frame.path) is frame and not frame.is_closing:
                _advance(moves, frame, key)
            continue
        over = framing.first_over(run)
        if over is None:
            return
        end_frame(moves, over, "succeeded", None)


def _advance(moves: Moves, frame: Frame, ended: str) -> None:
    following = plan.after(moves.run.graph, frame.stands, ended)
    for key in following.skip:
        _skip(moves, frame, key)
    for key in following.begin:
        if moves.ends is None and not frame.is_closing:
            begin(moves, frame, key)


def _skip(moves: Moves, frame: Frame, key: str) -> None:
    frame.stands[key] = Stand("skipped", None)
    moves.born.append(born(moves.run, moves.run.graph.nodes[key], "skipped", frame=frame))
    moves.tell("step.skipped", key, frame)


def end_frame(moves: Moves, frame: Frame, how: str, error: dict[str, Any] | None) -> None:
    """End a frame, and do what that means for the block that holds it."""
    ended = framing.end(moves, frame, how, error)
    if ended is None:
        return
    parent, block, verdict, error = ended
    if verdict.end is None:
        open_frames(moves, parent, block)
        return
    if verdict.closes_rest:
        frames = moves.run.of(block)
        framing.close(moves, [inner for each in frames for inner in (*moves.run.below(each.path), each)])
    node, row = moves.run.graph.nodes[block.key], moves.row_of(block.id)
    if row is None:
        row = {"id": str(block.id)}
        moves.shut.append(row)
    del parent.blocks[block.key]
    output = framing.output_of(moves, block, frame)
    if verdict.end == "succeeded":
        succeed(moves, parent, node, row, output, "out")
        return
    fail(
        moves,
        parent,
        node,
        row,
        error or {"code": verdict.code, "detail": str(output.get("failed") or ""), "class": "permanent", "attempt": 1},
    )
    if row["output"]:
        row["output"] = parent.outputs[block.key] = {**output, **row["output"]}


def open_frames(moves: Moves, parent: Frame, block: Any) -> None:
    """Begin the frames of a block that may run now."""
    for frame in framing.opened(moves, parent, block):
        for key in moves.run.graph.entries(frame.region):
            if moves.ends is None and not frame.is_closing:
                begin(moves, frame, key)


def begin(moves: Moves, frame: Frame, key: str) -> None:
    """Bring a step to life: pure and db steps are done here and now, another one is leased to the same worker or left ready."""
    run, node = moves.run, moves.run.graph.nodes[key]
    effect = ACTIONS[node["kind"]].effect(node.get("config") or {})
    if frame.gen:
        frame.gens[key] = frame.gen
    is_paused = run.status == "paused"
    if not is_paused and (
        (effect == "pure" and len(moves.born) < MAX_INLINE and moves.weight < MAX_INLINE_WEIGHT) or (effect == "db" and _may_apply(moves))
    ):
        _compute(moves, frame, node, effect)
        return
    lane = run.lane or lane_of(node["kind"], effect)
    if moves.may_carry and moves.carried is None and not is_paused and lane == moves.lane:
        row = born(run, node, "leased", frame=frame, epoch=1, attempt=1)
        known = run.tenant_id, run.id, UUID(row["id"]), key, node["kind"], effect, row["idem_key"]
        moves.carried = Lease(*known, 1, 1, row["timeout_s"], frame.path, frame.gen, moves.worker, lane)
    else:
        row = born(run, node, "ready", frame=frame)
        db.after_commit(partial(wake, [lane]))
    frame.stands[key], frame.ids[key] = Stand(row["state"], None), UUID(row["id"])
    moves.born.append(row)


def _may_apply(moves: Moves) -> bool:
    if not moves.may_apply or moves.applied >= MAX_APPLIED or time.monotonic() - moves.begun > MAX_APPLYING_S:
        return False
    moves.applied += 1
    return True


def _compute(moves: Moves, frame: Frame, node: dict[str, Any], effect: str) -> None:
    began = time.perf_counter()
    call = call_of(moves.run, frame, node, attempt=1)
    with metering.measured() as used:
        outcome: Outcome = call if isinstance(call, Failed) else perform_here(call, node, effect)
    config = call.config if isinstance(call, Call) else None
    row = born(moves.run, node, "succeeded", frame=frame, config=config, attempt=1, took_s=time.perf_counter() - began)
    if used:
        row["used"] = used
    moves.born.append(row)
    frame.ids[node["key"]] = UUID(row["id"])
    take(moves, frame, node, row, outcome)


def _wait(moves: Moves, frame: Frame, node: dict[str, Any], row: dict[str, Any], outcome: Waiting | Opened | Any, epoch: int) -> None:
    key = node["key"]
    moves.tell("step.waiting", key, frame)
    frame.stands[key], frame.ids[key] = Stand("waiting", None), UUID(row["id"])
    row.update(state="waiting", output=outcome.facts if isinstance(outcome, Opened) else outcome.output, error=None)
    if not isinstance(outcome, Opened):
        if outcome.until is not None or outcome.after_s is not None:
            moves.timers.append(_timer(row["id"], outcome, epoch))
        if outcome.signal is not None or outcome.task is not None:
            moves.waits.append((UUID(row["id"]), outcome))
        return
    block = framing.begun(moves, frame, node, UUID(row["id"]), outcome)
    open_frames(moves, frame, block)
    if not outcome.facts["total"] and moves.ends is None:
        framing.end_empty(moves, frame, block)
        succeed(moves, frame, node, row, framing.output_of(moves, block, None), "out")


def _timer(step_id: str, waiting: Waiting, epoch: int) -> dict[str, Any]:
    until = waiting.until.isoformat() if waiting.until else None
    wanted = {"id": str(new_id()), "step_id": step_id, "due_at": until, "after_s": waiting.after_s, "epoch": epoch}
    return {**wanted, "fails_with": waiting.fails_with}


def _jumped(moves: Moves, frame: Frame, node: dict[str, Any], row: dict[str, Any], jump: Jump) -> Outcome | None:
    """Go on at another step; returns an outcome instead when it went there often enough."""
    key, times = node["key"], frame.jumps.get(node["key"], 0)
    if times >= jump.most:
        return Failed("jumps_spent", detail=str(times)) if jump.fails else Done({"times": times})
    found = plan.jump(moves.run.graph, frame.stands, key, jump.to)
    succeed(moves, frame, node, row, {"times": times + 1}, "jump")
    moves.work.pop()  # nothing follows it but its target
    frame.jumps[key] = times + 1
    if found.is_back:
        frame.gen += 1
        for each in (*found.erased, key):
            frame.stands.pop(each, None)
            frame.outputs.pop(each, None)
    for each in found.skipped:
        _skip(moves, frame, each)
    begin(moves, frame, jump.to)
    return None


def _stop(moves: Moves, frame: Frame, node: dict[str, Any], row: dict[str, Any], stop: Stop) -> None:
    succeed(moves, frame, node, row, {"message": stop.message}, "out")
    moves.ends = stop.status
    moves.run.root.last = {"message": stop.message}
    if stop.status == "failed":
        moves.failed = {"code": "stopped", "detail": stop.message, "class": "permanent", "step": node["key"]}


def conclude(moves: Moves) -> tuple[str | None, str | None]:
    """Say what becomes of the run: its new status, and how it will end if that is not its end yet; (None, None): it goes on."""
    run = moves.run
    if run.status == "compensating":
        return None, None
    if moves.ends is None:
        is_over = len(run.frames) == 1 and not run.root.is_live()
        moves.ends = "succeeded" if is_over else None
        return moves.ends, None
    moves.carried = None
    moves.timers.clear()
    moves.waits.clear()
    for row in moves.born:
        if row["state"] in LIVE:
            row.update(state="cancelled", leased=False)
    own = {row["id"] for row in moves.born} | {moves.own["id"] if moves.own else ""}
    if any(
        stand.state == "leased" and str(frame.ids.get(key)) not in own
        for frame in run.frames.values()
        for key, stand in frame.stands.items()
    ):
        return "cancelling", moves.ends
    if moves.ends == "failed" and run.graph.undoable:
        return "compensating", moves.ends
    return moves.ends, None
