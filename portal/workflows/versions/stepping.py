"""One step of a draft tried with sample values, and the draft tried from the start up to one step. Nothing is sent, nothing stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import DBAPIError

from portal.audit import service as audit
from portal.connections.service import MASK
from portal.core import db
from portal.core.access import Actor
from portal.core.errors import Invalid
from portal.workflows import inputs, vetting
from portal.workflows import queries as workflows
from portal.workflows.actions.base import Call, Calls, Done, Failed, Jump, Opened, Outcome, Stop, Waiting
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import Node, Problem, timeout_of
from portal.workflows.engine.store.calling import Refused, perform_own, worked_out
from portal.workflows.inspector import sources
from portal.workflows.literals import masked
from portal.workflows.models import WorkflowTemplate
from portal.workflows.versions import dry, reserve, trials

STEP, PATH = "step", "path"
ENDED = ("succeeded", "failed", "skipped", "cancelled")


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it.

    Args:
        how: `step` or `path`.
        state: done, not_sent, written, waits, opens, stops, calls, jumps or failed; `not_reached`: the run went another way or ended
            before; `refused`: what is in `problems` stands in the way.
        given: the settings as they were worked out, secrets as dots.
        output: the result; of a step that would reach somebody its sample.
        sample: of such a step: where the sample comes from (pinned, run or none).
        port: the lane that it goes into.
        error: why it failed, for `explain`.
        passed: of a path: the steps on the way, as a dry run tells them.
    """

    how: str
    state: str
    given: Any = None
    output: Any = None
    sample: str = ""
    port: str = ""
    error: dict[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    passed: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    wrong_inputs: dict[str, Any] = field(default_factory=dict)


def try_step(tenant_id: UUID, workflow_id: UUID, key: str, *, may_read: bool, by: Actor) -> Tried:
    """Try one step of the draft with sample values. Steps that only compute, and rows of data tables, are really worked out.

    A step of a kind that does not exist any more is refused.

    Raises:
        NotFound: no such workflow.
        TrialsBusy: as many trials go on as may.
    """
    workflow = workflows.get_workflow(tenant_id, workflow_id)
    node = next(each for each in workflow.nodes if each["key"] == key)
    if node["kind"] not in ACTIONS:
        return Tried(STEP, "refused", problems=[each for each in vetting.check_draft(workflow) if each.step == key])
    context = sources.samples_of(workflow, key, may_read=may_read).context
    config = worked_out(node, context)
    if isinstance(config, Failed):
        tried = _failed(config)
    else:
        hidden = node.get("sensitive") or ()
        given = {name: MASK if name in hidden else value for name, value in masked(config).items()}
        effect = ACTIONS[node["kind"]].effect(config)
        if effect == "pure" or (effect == "db" and node["kind"] not in dry.SPEAKING):
            call = Call(
                tenant_id,
                uuid4(),
                workflow.name,
                workflow.name_ar,
                key,
                config,
                "trial",
                1,
                by.id,
                timeout_of(node),
                context,
            )
            try:
                outcome = dry.taken_back(tenant_id, lambda: _performed(call, node["kind"]), enter=reserve.enter)
            except DBAPIError:
                outcome = Failed("trial_refused")
            tried = _told(node, outcome, given)
        else:
            tried = _not_sent(workflow, node, given, may_read=may_read)
    _note(tenant_id, workflow_id, key, tried, by)
    return tried


def try_path(tenant_id: UUID, workflow_id: UUID, key: str, *, may_read: bool, by: Actor) -> Tried:
    """Try the draft from the start up to one step, as a dry run with the sample inputs and pinned results.

    Raises:
        NotFound: no such workflow.
        TrialsBusy: as many trials go on as may.
    """
    workflow = workflows.get_workflow(tenant_id, workflow_id)
    nodes, problems = _up_to(workflow, key)
    if problems:
        return Tried(PATH, "refused", problems=problems)
    here = sources.samples_of(workflow, "", may_read=may_read)
    try:
        values = inputs.read(workflow.settings.get("inputs", []), here.context["input"])
    except Invalid as wrong:
        return Tried(PATH, "refused", wrong_inputs=dict(wrong.problems))
    kinds = {node["key"]: node["kind"] for node in workflow.nodes}
    steps = here.context["steps"]
    known = trials.Known(
        last={name: (kinds[name], steps[name]) for name, where in here.origin.items() if where == sources.RUN and name in kinds},
        pinned={name: steps[name] for name, where in here.origin.items() if where == sources.PINNED and name in kinds},
    )
    told = dry.rehearse(
        tenant_id, workflow_id, nodes, workflow.settings, values=values, samples=known, by=by, enter=reserve.enter, until=key
    )
    own = [each for each in told.steps if not each["is_inner"]]
    mine = next((each for each in own if each["key"] == key and each["state"] in ENDED), None)
    if mine is None or mine["state"] in ("skipped", "cancelled"):
        tried = Tried(PATH, "not_reached", error=told.error, passed=[each for each in own if each["state"] in ENDED])
    else:
        state = (
            "failed" if mine["state"] == "failed" else {"not_sent": "not_sent", "written": "written"}.get(mine.get("effect", ""), "done")
        )
        tried = Tried(
            PATH,
            state,
            given=mine.get("would", mine["input"]),
            output=mine["output"],
            sample=here.origin.get(key, "none") if state == "not_sent" else "",
            port=mine["port"] or "",
            error=mine["error"],
            passed=own[: own.index(mine)],
        )
    _note(tenant_id, workflow_id, key, tried, by)
    return tried


def _up_to(workflow: WorkflowTemplate, key: str) -> tuple[list[Node], list[Problem]]:
    """Return the nodes to try and what stands in the way. What is broken behind the step is left out with what it holds."""
    number = next(place for place, each in enumerate(workflow.nodes) if each["key"] == key)
    needed = {each["key"] for each in workflow.nodes[: number + 1]}
    for each in workflow.nodes[number + 1 :]:
        if each.get("parent") in needed and _is_inside(workflow.nodes, each, key):
            needed.add(each["key"])

    def wrong(nodes: list[Node]) -> list[Problem]:
        return vetting.check_definition(vetting.Definition(workflow.tenant_id, workflow.id, nodes, workflow.settings))

    found = wrong(workflow.nodes)
    if not found:
        return workflow.nodes, []
    problems = [each for each in found if each.step is None or each.step in needed]
    if problems:
        return workflow.nodes, problems
    cut = [each for each in workflow.nodes if each["key"] in needed]
    return cut, wrong(cut)


def _is_inside(nodes: list[Node], node: Node, key: str) -> bool:
    by_key = {each["key"]: each for each in nodes}
    here: Node | None = node
    for _step in nodes:
        if here is None or here["key"] == key:
            return here is not None
        here = by_key.get(here.get("parent") or "")
    return False


def _performed(call: Call, kind: str) -> Outcome:
    try:
        with db.session().begin_nested():
            return perform_own(call, kind)
    except Refused as refused:
        return refused.failed


def _told(node: Node, outcome: Outcome, given: Any) -> Tried:
    match outcome:
        case Done(output, port):
            state = "written" if node["kind"] in dry.WRITING else "done"
            return Tried(STEP, state, given=given, output=masked(output), port="" if port == "out" else port)
        case Failed():
            return _failed(outcome, given)
        case Waiting():
            return Tried(STEP, "waits", given=given, output=masked(outcome.output) or None)
        case Opened(facts, items):
            return Tried(STEP, "opens", given=given, facts={"count": len(items) if items is not None else facts.get("count")})
        case Stop(status, message):
            return Tried(STEP, "stops", given=given, facts={"status": status, "message": message})
        case Calls():
            return Tried(STEP, "calls", given=given)
        case Jump(to):
            return Tried(STEP, "jumps", given=given, facts={"to": to})


def _failed(outcome: Failed, given: Any = None) -> Tried:
    return Tried(STEP, "failed", given=given, error={"code": outcome.code, "detail": outcome.detail})


def _not_sent(workflow: WorkflowTemplate, node: Node, given: Any, *, may_read: bool) -> Tried:
    """Say what would have been sent; the result is the step's own sample."""
    pinned = (workflow.pins or {}).get(node["key"])
    if pinned is not None:
        return Tried(STEP, "not_sent", given=given, output=masked(pinned["value"]), sample=sources.PINNED)
    last = sources.last_result(workflow, node) if may_read else None
    if last is not None:
        return Tried(STEP, "not_sent", given=given, output=last.value, sample=sources.RUN)
    return Tried(STEP, "not_sent", given=given, output=sources.empty_result(node), sample=sources.NONE)


def _note(tenant_id: UUID, workflow_id: UUID, key: str, tried: Tried, by: Actor) -> None:
    with db.transaction(tenant_id):
        audit.record(tenant_id, by, "workflow.tried", workflow_id, step=key, status=tried.state)
