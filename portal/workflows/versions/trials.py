"""Dry runs and simulations: what they begin with, what is kept of them, and how they differ from real runs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from portal.audit import service as audit
from portal.core import clock, db, jobs
from portal.core.access import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.ids import new_id
from portal.workflows import inputs, vetting
from portal.workflows import queries as workflows
from portal.workflows.actions.base import Done, Failed, Outcome
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import Node
from portal.workflows.errors import DraftInvalid
from portal.workflows.versions import comparing, dry, queries, reserve, sides
from portal.workflows.versions.models import Trial

KEPT = 50  # of each workflow
MOST_RUNS = 50
ASKS = frozenset({"approval", "task"})
HEARS = frozenset({"signal", "callback"})
EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Known:
    """Results of real runs, and answers that somebody chose (`dry.Samples`).

    Args:
        exact: (step, frame) → how it ended in the run that is replayed.
        last: step → its kind and the result that it had last.
        answers: step → what people say: an outcome, or `expired`.
        pinned: step → the sample that somebody chose for its result.
    """

    exact: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    last: Mapping[str, tuple[str, Any]] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    pinned: Mapping[str, Any] = field(default_factory=dict)

    def result(self, node: Node, scope: str) -> Outcome | None:
        """Return how a step that would reach somebody ends."""
        if node["key"] in self.pinned:
            return Done(self.pinned[node["key"]])
        row = self.exact.get((node["key"], scope))
        if row is not None and row.kind == node["kind"]:
            return _outcome(row)
        kind, output = self.last.get(node["key"], ("", None))
        return Done(output) if kind == node["kind"] else None

    def answer(self, node: Node, scope: str, outcomes: list[str]) -> Outcome | None:
        """Return how a step that waits ends."""
        pinned = self.pinned.get(node["key"])
        if pinned is not None and (not outcomes or (isinstance(pinned, dict) and pinned.get("outcome") in outcomes)):
            return Done(pinned)
        chosen = self.answers.get(node["key"])
        if chosen == EXPIRED:
            return dry.expired(node)
        if chosen in outcomes:
            return dry.decided(str(chosen))
        row = self.exact.get((node["key"], scope))
        if row is None or row.kind != node["kind"]:
            return None
        said = row.output.get("outcome") if isinstance(row.output, dict) else None
        return _outcome(row) if not outcomes or said in (*outcomes, EXPIRED) or row.state == "failed" else None


def _outcome(row: Any) -> Outcome | None:
    if row.state == "succeeded":
        return Done(row.output, port=row.port or "out")
    if row.state == "failed":
        error = row.error or {}
        return Failed(str(error.get("code") or "failed"), str(error.get("detail") or ""))
    return None


def questions(nodes: list[Node]) -> list[tuple[Node, list[tuple[str, Any]]]]:
    """Return the steps that wait for somebody, with what they can be answered: (outcome, labels)."""
    found = []
    for node in nodes:
        kind, config = node["kind"], node.get("config") or {}
        if kind == "approval":
            back: list[tuple[str, dict[str, Any]]] = (
                [("return", {"name": "Send back", "name_ar": "إعادة للتعديل"})] if config.get("may_return") else []
            )
            outcomes: list[tuple[str, dict[str, Any]]] = [
                ("approve", {"name": "Approve", "name_ar": "موافقة"}),
                *back,
                ("reject", {"name": "Reject", "name_ar": "رفض"}),
            ]
        elif kind == "task":
            given = config.get("outcomes") or ({"key": "done", "label": "Done", "label_ar": "تم"},)
            outcomes = [(each["key"], {"name": each.get("label"), "name_ar": each.get("label_ar")}) for each in given]
        elif kind in HEARS:
            outcomes = []
        else:
            continue
        found.append((node, outcomes))
    return found


def dry_run(
    tenant_id: UUID, workflow_id: UUID, which: str, *, given: Mapping[str, Any], answers: Mapping[str, str], may_read: bool, by: Actor
) -> UUID:
    """Try the draft or a version once; return the trial, which says what would have happened.

    Args:
        which: `draft` or a number.
        may_read: whether results of real runs may be used and compared with.

    Raises:
        NotFound: no such workflow or version.
        DraftInvalid: it could not run.
        Invalid: `.problems` says which input is wrong.
        TrialsBusy: as many dry runs go on as may.
    """
    side = _checked(tenant_id, workflow_id, which)
    values = inputs.read(side.settings.get("inputs", []), dict(given))
    real = _last_runs(tenant_id, workflow_id, 1) if may_read else []
    samples = Known(last=_last_results(tenant_id, workflow_id) if may_read else {}, answers=answers)
    told = dry.rehearse(
        tenant_id, workflow_id, side.nodes, side.settings, values=values, samples=samples, by=by, enter=reserve.enter
    ).as_json()
    compared = _compared(tenant_id, told["steps"], real[0]) if real else None
    with db.transaction(tenant_id) as session:
        trial = _new(tenant_id, workflow_id, side, "dry", by)
        trial.given = {"values": values, "answers": dict(answers)}
        trial.results = [{**told, "run_id": str(real[0]) if real else None, "apart": compared}]
        trial.state, trial.finished_at = "done", clock.now()
        session.add(trial)
        session.flush()
        _tidy(tenant_id, workflow_id)
        audit.record(tenant_id, by, "workflow.tried", workflow_id, version=side.number, status=told["status"])
    return trial.id


def simulate(tenant_id: UUID, workflow_id: UUID, which: str, *, count: int, by: Actor) -> UUID:
    """Replay the inputs of the last real runs with the draft or a version, each as a dry run, by a job.

    Raises:
        NotFound, DraftInvalid: as `dry_run`.
        Invalid: there is no run to replay.
    """
    side = _checked(tenant_id, workflow_id, which)
    with db.transaction(tenant_id) as session:
        run_ids = _last_runs(tenant_id, workflow_id, min(count, MOST_RUNS))
        if not run_ids:
            raise Invalid({"count": "none"})
        trial = _new(tenant_id, workflow_id, side, "simulation", by)
        trial.run_ids = [str(each) for each in run_ids]
        session.add(trial)
        session.flush()
        _tidy(tenant_id, workflow_id)
        audit.record(tenant_id, by, "workflow.simulated", workflow_id, version=side.number, runs=len(run_ids))
        jobs.enqueue("workflows.simulate", tenant_id, trial.id)
    return trial.id


def take_turn(tenant_id: UUID, trial_id: UUID) -> None:
    """Go on with a simulation for a few seconds; asks for another job while it is not its turn, and when there is more to do behind it.

    Safe to repeat; a simulation that is gone is no work.
    """
    owner = str(new_id())
    wait_s, is_done = reserve.take(owner), False
    if not wait_s:
        began = time.monotonic()
        try:
            is_done = carry_out(tenant_id, trial_id, budget_s=reserve.TURN_S)
        finally:
            wait_s = reserve.give_back(owner, time.monotonic() - began)
    if not is_done:
        with db.transaction(tenant_id):
            trial = find(tenant_id, trial_id)
            if trial is not None and trial.state == "running":
                jobs.enqueue("workflows.simulate", tenant_id, trial_id, delay_s=math.ceil(wait_s))


def carry_out(tenant_id: UUID, trial_id: UUID, *, budget_s: float = float("inf")) -> bool:
    """Go on with a simulation, run after run; False when the time was up before its end. Safe to repeat; one that is gone is no work."""
    end = time.monotonic() + budget_s
    last: dict[str, tuple[str, Any]] | None = None
    while True:
        with db.transaction(tenant_id):
            trial = find(tenant_id, trial_id)
            if trial is None or trial.state != "running":
                return True
            done = len(trial.results)
            if time.monotonic() > end:
                return False
            last = last if last is not None else _last_results(tenant_id, trial.workflow_id)
        result = _replayed(tenant_id, trial, UUID(trial.run_ids[done]), last)
        with db.transaction(tenant_id):
            trial = get(tenant_id, trial_id, lock=True)
            if trial.state != "running" or len(trial.results) != done:
                return True  # another worker is ahead
            trial.results = [*trial.results, result]
            if len(trial.results) == len(trial.run_ids):
                trial.state, trial.finished_at = "done", clock.now()


def _replayed(tenant_id: UUID, trial: Trial, run_id: UUID, last: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    with db.transaction(tenant_id):
        run = workflows.get_run(tenant_id, run_id)
        real = list(workflows.steps_of(tenant_id, run_id))
        known = {"run_id": str(run_id), "real_status": run.status, "at": run.created_at.isoformat()}
        given = run.input_data
    try:
        values = inputs.read(trial.settings.get("inputs", []), given)
    except Invalid as refused:
        return {**known, "status": "refused", "problems": {key: str(text) for key, text in refused.problems.items()}, "apart": []}
    samples = Known(exact={(row.node_key, row.scope_path): row for row in real}, last=last)
    told = dry.rehearse(
        tenant_id, trial.workflow_id, trial.nodes, trial.settings, values=values, samples=samples, by=Actor("person", trial.asked_by)
    )
    found = comparing.apart(told.steps, [_seen(row) for row in real])
    return {
        **known,
        "status": told.status,
        "error": told.error,
        "took_ms": told.took_ms,
        "effects": sum(1 for each in told.steps if each.get("effect") == "not_sent"),
        "is_same_way": comparing.is_same_way(found) and told.status == run.status,
        "apart": [{"key": each.key, "what": each.what} for each in found],
    }


def find(tenant_id: UUID, trial_id: UUID, *, lock: bool = False) -> Trial | None:
    """Return a trial, None when there is none."""
    wanted = select(Trial).where(Trial.tenant_id == tenant_id, Trial.id == trial_id)
    return db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)


def get(tenant_id: UUID, trial_id: UUID, *, lock: bool = False) -> Trial:
    """Return a trial.

    Raises:
        NotFound: no such trial in this tenant.
    """
    found = find(tenant_id, trial_id, lock=lock)
    if found is None:
        raise NotFound
    return found


def stop(tenant_id: UUID, trial_id: UUID, *, by: Actor) -> None:
    """End a simulation after the run that it is at. Safe to repeat."""
    with db.transaction():
        trial = get(tenant_id, trial_id, lock=True)
        if trial.state == "running":
            trial.state, trial.finished_at = "stopped", clock.now()
            audit.record(tenant_id, by, "workflow.simulation_stopped", trial.workflow_id)


def list_trials(tenant_id: UUID, workflow_id: UUID, *, limit: int = 10) -> Sequence[Any]:
    """Return the last trials of a workflow without their results, newest first."""
    columns = Trial.id, Trial.kind, Trial.version_id, Trial.state, Trial.asked_by, Trial.asked_at
    wanted = select(*columns).where(Trial.tenant_id == tenant_id, Trial.workflow_id == workflow_id)
    return db.session().execute(wanted.order_by(Trial.asked_at.desc()).limit(limit)).all()


def _checked(tenant_id: UUID, workflow_id: UUID, which: str) -> sides.Side:
    side = sides.side(tenant_id, workflows.get_workflow(tenant_id, workflow_id), which)
    if problems := vetting.check_definition(vetting.Definition(tenant_id, workflow_id, side.nodes, side.settings)):
        raise DraftInvalid(problems)
    return side


def _new(tenant_id: UUID, workflow_id: UUID, side: sides.Side, kind: str, by: Actor) -> Trial:
    version = queries.get_row(tenant_id, workflow_id, side.number).id if side.number is not None else None
    assert by.id is not None
    return Trial(
        tenant_id=tenant_id,
        workflow_id=workflow_id,
        version_id=version,
        kind=kind,
        nodes=side.nodes,
        settings=side.settings,
        asked_by=by.id,
    )


def _tidy(tenant_id: UUID, workflow_id: UUID) -> None:
    """Keep the last trials of a workflow only."""
    of_workflow = Trial.tenant_id == tenant_id, Trial.workflow_id == workflow_id
    kept = select(Trial.id).where(*of_workflow).order_by(Trial.asked_at.desc()).limit(KEPT)
    db.session().execute(delete(Trial).where(*of_workflow, Trial.state != "running", Trial.id.not_in(kept)))


def _last_runs(tenant_id: UUID, workflow_id: UUID, count: int) -> list[UUID]:
    """Return the last runs that ended by themselves and were started from outside: not called, not taken over."""
    rows = db.session().connection().exec_driver_sql(
        "select id from workflow_executions where tenant_id = %s and workflow_id = %s and status in ('succeeded','failed','timed_out')"
        " and replay_of is null order by created_at desc limit %s",
        (tenant_id, workflow_id, count),
    )  # fmt: skip
    return [row.id for row in rows]


def _last_results(tenant_id: UUID, workflow_id: UUID) -> dict[str, tuple[str, Any]]:
    """Return the result that each step had last among the newest runs: key → (kind, result)."""
    rows = db.session().connection().exec_driver_sql(
        """
        select distinct on (s.node_key) s.node_key, s.kind, s.output from workflow_steps s
        where s.tenant_id = %s and s.state = 'succeeded' and s.kind = any(%s) and s.execution_id in (
          select id from workflow_executions where tenant_id = %s and workflow_id = %s order by created_at desc limit 50)
        order by s.node_key, s.finished_at desc
        """,
        (tenant_id, [kind for kind in ACTIONS if kind not in ASKS | HEARS], tenant_id, workflow_id),
    )  # fmt: skip
    return {row.node_key: (row.kind, row.output) for row in rows}


def _compared(tenant_id: UUID, steps: list[dict[str, Any]], run_id: UUID) -> list[dict[str, Any]]:
    real = [_seen(row) for row in workflows.steps_of(tenant_id, run_id)]
    return [asdict(each) for each in comparing.apart(steps, real)]


def _seen(row: Any) -> dict[str, Any]:
    return {"key": row.node_key, "kind": row.kind, "state": row.state, "port": row.port, "output": row.output}
