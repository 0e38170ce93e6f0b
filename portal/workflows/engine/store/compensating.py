"""Compensation: what a run did is taken back by the undo lanes of its steps, the last one first, each once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from portal.core import db
from portal.workflows.definition import UNDO
from portal.workflows.engine.plan import path_of
from portal.workflows.engine.store.hints import publish
from portal.workflows.engine.store.rows import Frame, Moves, Run

# The frame of an undoing has the number -1 under the step that it takes back, so there can be only one. What ended last is
# first: `ended_seq` is the number of the event that told it.
NEXT = """
select s.id, s.node_key, s.scope_path, s.gen from workflow_steps s
where s.tenant_id = %(tenant)s and s.execution_id = %(run)s and s.state = 'succeeded' and s.node_key = any(%(keys)s)
  and not exists (select 1 from workflow_frames f where f.tenant_id = s.tenant_id and f.step_id = s.id and f.number = -1)
order by s.ended_seq desc nulls last, s.id desc limit 1
"""
COUNTS = """
select count(*) filter (where state = 'succeeded') as done, count(*) filter (where state <> 'succeeded') as not_done
from workflow_frames where tenant_id = %(tenant)s and execution_id = %(run)s and number = -1
"""

CANCELLED = {"code": "cancelled", "detail": "", "step": None}


def begin(connection: Connection, run: Run) -> None:
    """Begin to take back what a run did; its steps have all ended."""
    connection.exec_driver_sql(
        "update workflow_executions set status = 'compensating' where tenant_id = %s and id = %s", (run.tenant_id, run.id)
    )
    run.status = "compensating"
    advance(connection, run)


def advance(connection: Connection, run: Run) -> None:
    """Begin the next undoing, or end the run when all is taken back: compensated, or failed if an undoing failed."""
    from portal.workflows.engine.store.ending import end_run
    from portal.workflows.engine.store.following import begin as begin_step
    from portal.workflows.engine.store.following import drain
    from portal.workflows.engine.store.reading import read_steps
    from portal.workflows.engine.store.settling import open_waits
    from portal.workflows.engine.store.sql import write_rows

    db.commits("undo")
    values: dict[str, Any] = {"tenant": run.tenant_id, "run": run.id, "keys": sorted(run.graph.undoable)}
    while True:
        row = connection.exec_driver_sql(NEXT, values).first()
        if row is None:
            _end(connection, run, end_run, values)
            return
        read_steps(connection, run)
        moves = Moves(run, connection, "", may_carry=False)
        frame = _frame(connection, run, row)
        moves.frames.append(
            {
                "step_id": str(row.id), "number": -1, "path": frame.path, "parent": row.scope_path, "lane": UNDO, "state": "running",
                "value": None, "result": None, "error": frame.error,
            }
        )  # fmt: skip
        moves.tell("step.undoing", row.node_key, frame)
        for key in run.graph.entries(frame.region):
            begin_step(moves, frame, key)
        drain(moves)
        write_rows(connection, moves)
        open_waits(moves)
        db.after_commit(lambda: publish(run.id, run.event_seq))
        if not moves.undoes_next:
            return


def _frame(connection: Connection, run: Run, row: Any) -> Frame:
    """Return the frame of an undoing, with the frames around it read, so that it can use what they computed."""
    from portal.workflows.engine.store.reading import read_around

    path = path_of(row.scope_path, row.node_key, row.gen, UNDO)
    frame = Frame(path, (row.node_key, UNDO), row.scope_path, row.id, -1, UNDO)
    error = connection.exec_driver_sql("select error from workflow_executions where tenant_id = %s and id = %s", (run.tenant_id, run.id))
    frame.error = error.scalar_one() or CANCELLED
    run.frames[path] = frame
    read_around(connection, run)
    return frame


def _end(connection: Connection, run: Run, end_run: Any, values: dict[str, Any]) -> None:
    counts = connection.exec_driver_sql(COUNTS, values).one()
    row = connection.exec_driver_sql(
        "select error, ends_as, undo from workflow_executions where tenant_id = %(tenant)s and id = %(run)s", values
    ).one()
    if not counts.done and not counts.not_done:
        end_run(connection, run, row.ends_as or "failed", row.error)  # nothing had to be taken back
        return
    error = {**(row.error or CANCELLED), "undone": counts.done, "not_undone": counts.not_done}
    end_run(connection, run, "failed" if counts.not_done else "compensated", error)
