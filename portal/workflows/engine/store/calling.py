"""A step's configuration worked out from the run's values, and the steps that are done inside a transaction."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.exc import DBAPIError

from portal.workflows.actions.base import Call, Failed, Outcome
from portal.workflows.actions.registry import ACTIONS, FIELDS
from portal.workflows.definition import as_template, config_of, timeout_of
from portal.workflows.engine.store.rows import Frame, Run
from portal.workflows.expressions import ExpressionError, compile_template

log = logging.getLogger(__name__)

TOLD_TO_PEOPLE = frozenset({"notification", "approval", "task"})  # their words stay in the portal, for everybody who is asked or told


class Refused(Exception):
    """A db action refused after the transaction began; what it wrote goes with the rollback."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.code)
        self.failed = failed


class NotHere(Exception):
    """A db step that was tried in the transaction of the step before it did not work: each gets one of its own."""


def call_of(run: Run, frame: Frame, node: dict[str, Any], attempt: int) -> Call | Failed:
    """Work out a step's configuration in its frame; a value that cannot be worked out is the step's failure."""
    context = run.context(frame)
    config = worked_out(node, context)
    if isinstance(config, Failed):
        return config
    for name in node.get("sensitive") or ():
        run.secrets.learn(config.get(name))
    if run.secrets and node["kind"] in TOLD_TO_PEOPLE:
        config = run.secrets.masked(config)
    key = run.key_of(node, frame.path, frame.gen_of(node["key"]))
    timeout_s = timeout_of(node)
    known = run.tenant_id, run.id, run.workflow_name, run.workflow_name_ar, node["key"]
    return Call(*known, config, key, attempt, run.executed_by, timeout_s, context)


def worked_out(node: dict[str, Any], context: dict[str, Any]) -> dict[str, Any] | Failed:
    """Work out a step's settings with these values; those that the step works out itself stay as they are written."""
    fields = FIELDS[node["kind"]]
    config = config_of(node, fields)
    by_name = {each.name: each for each in fields}
    for name, value in config.items():
        if by_name[name].late:
            continue
        try:
            config[name] = _value(by_name[name].type, value, context)
        except ExpressionError as wrong:
            return Failed("expression", detail=f"{name}: {wrong.message}")
    return config


def _value(kind: str, value: Any, context: dict[str, Any]) -> Any:
    if kind == "expression":
        return compile_template(as_template(value)).evaluate(context) if value not in ("", None) else None
    if kind == "cases":
        return _cases(value or (), context)
    if kind == "pairs":
        return [{"name": pair["name"], "value": _value("text", pair["value"], context)} for pair in value or ()]
    if kind in ("text", "long_text", "number", "duration", "datetime") and isinstance(value, str) and "$" in value:
        return compile_template(value).evaluate(context)
    return value


def _cases(cases: Any, context: dict[str, Any]) -> list[dict[str, Any]]:
    """Look at cases in order, up to the first that is true: those behind it may not even make sense."""
    looked: list[dict[str, Any]] = []
    for case in cases:
        value = compile_template(as_template(case["value"])).evaluate(context)
        looked.append({"name": case["name"], "value": value})
        if value is not False:
            break
    return looked


def perform_own(call: Call, kind: str) -> Outcome:
    """Do a pure or db step in the transaction that settles it.

    Raises:
        Refused: it failed; the transaction must be rolled back before the failure is written.
    """
    try:
        outcome = ACTIONS[kind].perform(call)
    except DBAPIError:
        raise  # the transaction is lost either way; the move is repeated or the lease expires
    except Exception:
        log.exception("an action broke")
        raise Refused(Failed("action_broke", again=True)) from None
    if isinstance(outcome, Failed):
        raise Refused(outcome)
    return outcome


def perform_here(call: Call, node: dict[str, Any], effect: str) -> Outcome:
    """Do a pure or db step in the transaction of the step before it.

    Raises:
        NotHere: a db step did not work; it needs a transaction of its own.
    """
    action = ACTIONS[node["kind"]]
    if effect == "pure":
        return action.perform(call)
    try:
        outcome = action.perform(call)
    except Exception as broken:
        # Whatever it was, the step meets it again in a transaction of its own, where it is judged, kept and retried.
        raise NotHere from broken
    if isinstance(outcome, Failed):
        raise NotHere
    return outcome
