"""Frames and blocks of a run in a move: how they begin, end and are closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from portal.core import db
from portal.workflows import payloads, redaction
from portal.workflows.actions.base import Failed, Opened
from portal.workflows.definition import UNDO, as_template
from portal.workflows.engine import blocks, retry
from portal.workflows.engine.blocks import Verdict
from portal.workflows.engine.plan import Stand
from portal.workflows.engine.store.rows import LIVE, Block, Frame, Moves, Run, frame_of
from portal.workflows.expressions import ExpressionError, compile_template

PAGE = 500  # items of a for-each that are held at a time
MAX_RESULTS_BYTES = 200 * 1024
MAX_ERRORS = 20
RESULTS = "select number, state, result, error from workflow_frames where tenant_id = %s and step_id = %s and number >= 0"


def error_of(failed: Failed, attempt: int) -> dict[str, Any]:
    """Return a failure as it is stored and as `error` shows it."""
    known = retry.class_of(failed.code, detail=failed.detail, again=failed.again)
    return {"code": failed.code, "detail": failed.detail, "class": known, "attempt": attempt}


def begun(moves: Moves, frame: Frame, node: dict[str, Any], step_id: UUID, opened: Opened) -> Block:
    """Begin a block; the list of a for-each is stored in pages, so that only a part of it is ever held."""
    block = Block(step_id, node["key"], frame.gen, node["kind"], opened.facts)
    if opened.items is not None:
        pages = [opened.items[place : place + PAGE] for place in range(0, len(opened.items), PAGE)]
        moves.lists += [{"step_id": str(step_id), "page": number, "items": page} for number, page in enumerate(pages)]
        block.facts["listed"] = True
    frame.blocks[node["key"]] = block
    return block


def opened(moves: Moves, parent: Frame, block: Block) -> list[Frame]:
    """Make the frames of a block that may run now."""
    run, made = moves.run, []
    live = sum(not frame.is_closing for frame in run.of(block))
    for number in blocks.to_open(block.kind, block.facts, block.progress(live)):
        lane = {"parallel": f"lane_{number + 1}", "group": "do"}.get(block.kind, "each")
        frame = frame_of(run, parent, block, number, lane, _value(moves, block, number))
        block.started = number + 1
        moves.frames.append(
            {
                "step_id": str(block.id), "number": number, "path": frame.path, "parent": parent.path, "lane": lane, "state": "running",
                "value": frame.value, "result": None, "error": None,
            }
        )  # fmt: skip
        made.append(frame)
    return made


def _value(moves: Moves, block: Block, number: int) -> Any:
    if block.kind == "repeat":
        return moves.results.get(block.id, {}).get(number - 1, (None, None, None))[1] if number else None
    if not block.facts.get("listed"):
        return number
    page = number // PAGE
    if block.page[0] != page:
        own = (row["items"] for row in moves.lists if row["step_id"] == str(block.id) and row["page"] == page)
        items = next(own, None)
        if items is None:
            items = moves.connection.exec_driver_sql(
                "select items from workflow_lists where tenant_id = %s and step_id = %s and page = %s",
                (moves.run.tenant_id, block.id, page),
            ).scalar_one()
        block.page = page, redaction.opened(moves.run.tenant_id, items, moves.run.secrets) if moves.run.secrets else items
    return block.page[1][number % PAGE]


def first_over(run: Run) -> Frame | None:
    """Return a frame in which nothing lives any more, inner ones first; the root is not among them."""
    if len(run.frames) == 1:
        return None
    for path, frame in run.frames.items():
        if path and not frame.is_closing and not frame.is_live() and not run.below(path):
            return frame
    return None


def end(moves: Moves, frame: Frame, how: str, error: dict[str, Any] | None) -> tuple[Frame, Block, Verdict, dict[str, Any] | None] | None:
    """End a frame; returns the block that held it with what becomes of it, None when nothing waits for this frame."""
    run = moves.run
    parent = run.frames.get(frame.parent or "") if frame.parent is not None else None
    block = parent.blocks.get(frame.region[0] or "") if parent is not None else None
    if block is None or block.id != frame.holder:
        block = None
    is_done, result = False, frame.last
    if how == "succeeded" and block is not None:
        try:
            is_done, result = _looked_at(run, frame, block)
        except ExpressionError as wrong:
            how, error = "failed", error_of(Failed("expression", detail=str(wrong.message)), 1) | {"step": block.key}
    _record(moves, frame, how, result if how == "succeeded" else None, error)
    if frame.kind == UNDO:
        moves.undoes_next = True
        return None
    if block is None or parent is None:
        return None
    if block.kind in ("parallel", "group"):
        parent.outputs = {**parent.outputs, **frame.outputs}
    moves.results.setdefault(block.id, {})[frame.number] = (how, result, error)
    block.succeeded += how == "succeeded"
    block.failed += how == "failed"
    live = sum(not each.is_closing for each in run.of(block))
    return parent, block, blocks.judge(block.kind, block.facts, block.progress(live), how, is_done=is_done), error


def _looked_at(run: Run, frame: Frame, block: Block) -> tuple[bool, Any]:
    """Work out what a block wants to know of a frame that ended: whether a repeat is done, what a for-each keeps."""
    config = run.graph.nodes[block.key].get("config") or {}
    if block.kind == "repeat":
        met = compile_template(as_template(config["until"])).evaluate(run.context(frame))
        if not isinstance(met, bool):
            raise ExpressionError(type(met).__name__, code="kinds")
        return met, frame.last
    if block.kind == "foreach" and config.get("result"):
        return False, compile_template(as_template(config["result"])).evaluate(run.context(frame))
    return False, frame.last


def close(moves: Moves, frames: Iterable[Frame]) -> None:
    """End frames that nobody waits for: what has not begun never begins; a leased step holds its frame until it comes back."""
    for frame in list(frames):
        for key, stand in list(frame.stands.items()):
            if stand.state in LIVE:
                _cancel(moves, frame, key, stand)
        frame.blocks.clear()
        if frame.is_live():
            frame.is_closing = True
            _write(moves, frame, "closing", None, None)
        else:
            _record(moves, frame, "cancelled", None, None)


def _cancel(moves: Moves, frame: Frame, key: str, stand: Stand) -> None:
    step_id = frame.ids.get(key)
    row = moves.row_of(step_id) if step_id else None
    if row is None and stand.state == "leased":
        return
    moves.tell("step.cancelled", key, frame)
    if row is None:
        row = {"id": str(step_id)}
        moves.shut.append(row)
    row.update(state="cancelled", port=None, output=None, error=None, seq=moves.run.event_seq, leased=False)
    moves.timers = [timer for timer in moves.timers if timer["step_id"] != row["id"]]
    moves.waits = [wait for wait in moves.waits if str(wait[0]) != row["id"]]
    if moves.carried is not None and str(moves.carried.step_id) == row["id"]:
        moves.carried = None
    frame.stands[key] = Stand("cancelled", None)


def let_go(moves: Moves, frame: Frame) -> None:
    """End a closing frame whose last leased step has come back."""
    if frame.is_closing and not frame.is_live():
        _record(moves, frame, "cancelled", None, None)


def _record(moves: Moves, frame: Frame, state: str, result: Any, error: dict[str, Any] | None) -> None:
    run = moves.run
    run.frames.pop(frame.path, None)
    if run.below(frame.path):
        run.ended[frame.path] = frame
    if state != "succeeded":
        moves.tell(f"frame.{state}", frame.region[0], frame)
    _write(moves, frame, state, result, error)


def _write(moves: Moves, frame: Frame, state: str, result: Any, error: dict[str, Any] | None) -> None:
    for rows in (moves.frames, moves.frame_ends):
        row = next((each for each in rows if each["path"] == frame.path), None)
        if row is not None:
            row.update(state=state, result=result, error=error)
            return
    moves.frame_ends.append({"path": frame.path, "state": state, "result": result, "error": error})


def end_empty(moves: Moves, frame: Frame, block: Block) -> None:
    """Take back a block that has nothing to do."""
    frame.blocks.pop(block.key, None)


def output_of(moves: Moves, block: Block, last: Frame | None) -> dict[str, Any]:
    """Return what a block that ends gives to the steps behind it."""
    result = last.last if last is not None else None
    if block.kind == "group":
        return {"last": result}
    if block.kind == "repeat":
        return {"rounds": block.started, "last": result}
    if block.kind == "parallel":
        ended = _results(moves, block, everything=True)
        lanes = {f"lane_{number + 1}": value for number, (how, value, _error) in sorted(ended.items()) if how == "succeeded"}
        return {"succeeded": len(lanes), "lanes": lanes}
    return _output_of_foreach(moves, block)


def _output_of_foreach(moves: Moves, block: Block) -> dict[str, Any]:
    """Count the items and gather their results, in order; results that would be too large are left on the run's page."""
    mine = moves.results.get(block.id, {})
    row = moves.connection.exec_driver_sql(
        "select count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'succeeded') as succeeded,"
        " coalesce(sum(case when result ? '$payload' then coalesce((result ->> 'size')::int, 0) else octet_length(result::text) end), 0) as size from workflow_frames where tenant_id = %s and step_id = %s and number >= 0",
        (moves.run.tenant_id, block.id),
    ).one()  # fmt: skip
    size = row.size + len(db.to_json([result for _how, result, _error in mine.values()]))
    ended = _results(moves, block, everything=size <= MAX_RESULTS_BYTES)
    errors = [{"index": number, **(error or {})} for number, (how, _result, error) in sorted(ended.items()) if how == "failed"]
    fits = size <= MAX_RESULTS_BYTES
    return {
        "count": int(block.facts["total"]),
        "succeeded": row.succeeded + sum(how == "succeeded" for how, _result, _error in mine.values()),
        "failed": row.failed + sum(how == "failed" for how, _result, _error in mine.values()),
        "results": [result for _number, (_how, result, _error) in sorted(ended.items())] if fits else [],
        "errors": errors[:MAX_ERRORS],
        **({} if fits else {"results_left_out": True}),
    }


def _results(moves: Moves, block: Block, *, everything: bool) -> dict[int, Any]:
    """Return how the frames of a block ended: number → (how, result, error). Without `everything` only the first failed ones."""
    wanted = RESULTS if everything else f"{RESULTS} and state = 'failed' order by number limit {MAX_ERRORS}"
    rows = moves.connection.exec_driver_sql(wanted, (moves.run.tenant_id, block.id))
    ended = [row for row in rows if row.state in ("succeeded", "failed")]
    results = payloads.read(moves.connection, moves.run.tenant_id, (row.result for row in ended))
    if moves.run.secrets:
        results = redaction.opened(moves.run.tenant_id, results, moves.run.secrets)
    stored = {row.number: (row.state, result, row.error) for row, result in zip(ended, results, strict=True)}
    return stored | moves.results.get(block.id, {})
