"""What stands in the way of a draft: the rules of `checks`, and what only the tenant's other things can tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from uuid import UUID

from portal.connections import service as connections
from portal.core import egress
from portal.core.errors import Invalid
from portal.datatables import service as tables
from portal.i18n.formats import isolate
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import checks, definition, expressions, inputs, queries
from portal.workflows.actions.registry import ACTIONS, FIELDS
from portal.workflows.definition import Problem
from portal.workflows.engine import plan
from portal.workflows.models import WorkflowTemplate, WorkflowVersion

Called = Callable[[str], WorkflowVersion | None]  # what a workflow that is called would run
ENDLESS = _l("It leads back to this workflow, which would never end. Put it into a lane of a condition.")
# Named in a file and not found here: nothing of ours begins so.
OPEN = re.compile(r"(?:calendar|person|role|group)=")
NO_SUCH_WORKFLOW = _l("This workflow is not there, is switched off or has no live version. Choose another one.")


@dataclass(frozen=True, slots=True)
class Definition:
    """What would run of a workflow: its draft, or one of its versions."""

    tenant_id: UUID
    id: UUID
    nodes: list[definition.Node]
    settings: definition.Settings


def check_draft(workflow: WorkflowTemplate) -> list[Problem]:
    """Return what `check_definition` says of the draft of a workflow."""
    return check_definition(Definition(workflow.tenant_id, workflow.id, workflow.nodes, workflow.settings))


def check_definition(workflow: Definition) -> list[Problem]:
    """Return every broken rule of a definition, every data table it names that is not there, every address that may not be called."""
    problems = checks.check(workflow.nodes, workflow.settings, FIELDS)
    # What many steps ask for is asked once.
    known = cache(partial(tables.names, workflow.tenant_id))
    called = cache(partial(queries.called_version, workflow.tenant_id))
    allowed = cache(partial(_connections, workflow))
    for node in workflow.nodes:
        problems.extend(_own_problems(node, workflow))
        wanted = (node.get("config") or {}).get("table")
        if node.get("kind") == "database" and wanted and wanted not in known():
            problems.append(Problem(node["key"], "table", inputs.NO_SUCH_TABLE))
        problems += _connection_problems(node, allowed)
        problems += _open_references(node)
        if node.get("kind") == "webhook" and (refused := _refused_address((node.get("config") or {}).get("url"))):
            problems.append(Problem(node["key"], "url", refused))
        if node.get("kind") == "subworkflow":
            problems += _check_call(workflow, node, called)
    wanted = workflow.settings.get("error_workflow")
    if wanted and called(str(wanted)) is None:
        problems.append(Problem(None, "error_workflow", NO_SUCH_WORKFLOW))
    return problems


def _check_call(workflow: Definition, node: definition.Node, called: Called) -> list[Problem]:
    """Check a call of another workflow against its live version: it is there, it gets its inputs, and never leads back here."""
    config = node.get("config") or {}
    wanted = config.get("workflow")
    if not wanted:
        return []
    live = workflow if str(wanted) == str(workflow.id) else called(str(wanted))
    if live is None:
        return [Problem(node["key"], "workflow", NO_SUCH_WORKFLOW)]
    if not _may_not_come(workflow.nodes, node) and _leads_to(workflow, str(wanted), called, passed=set()):
        return [Problem(node["key"], "workflow", ENDLESS)]
    given = {pair.get("name"): pair.get("value") for pair in config.get("inputs") or ()}
    declared = {each["key"]: each for each in live.settings.get("inputs", [])}
    problems = [
        Problem(node["key"], "inputs", _l("That workflow has no input “%(key)s”.", key=key)) for key in given if key not in declared
    ]
    for key, each in declared.items():
        if each.get("required") and given.get(key) in (None, ""):
            problems.append(Problem(node["key"], "inputs", _l("That workflow needs the input “%(key)s”.", key=key)))
        elif key in given and "${" not in str(given[key]):
            try:
                inputs.read([each], given)
            except Invalid as wrong:
                problems.append(Problem(node["key"], "inputs", f"{key}: {wrong.problems[key]}"))
    return problems


def _may_not_come(nodes: list[definition.Node], node: definition.Node) -> bool:
    """Say whether a run can end without coming to a step: it stands in a lane of a condition or a switch."""
    by_key = {each["key"]: each for each in nodes}
    while (node := by_key.get(node.get("parent") or "", {})) != {}:
        if node.get("kind") in definition.FORKS:
            return True
    return False


def _leads_to(workflow: Definition, wanted: str, called: Called, *, passed: set[str]) -> bool:
    """Say whether calling a workflow would come back to this one through live versions."""
    if wanted == str(workflow.id):
        return True
    if wanted in passed:
        return False
    passed.add(wanted)
    live = called(wanted)
    further = [(node.get("config") or {}).get("workflow") for node in (live.nodes if live else ()) if node.get("kind") == "subworkflow"]
    return any(_leads_to(workflow, str(each), called, passed=passed) for each in further if each)


def _own_problems(node: dict[str, Any], workflow: Definition) -> list[Problem]:
    """Return what a kind itself finds wrong with its settings, and callbacks of steps that wait for none."""
    key, kind = node.get("key", ""), node.get("kind", "")
    check = getattr(ACTIONS.get(kind), "check", None)
    config = definition.config_of(node, FIELDS.get(kind, ()))
    found = [Problem(key, name, message) for name, message in check(config, _deadline_of(workflow))] if check else []
    for field in FIELDS.get(kind, ()):
        for text in definition.texts_of(field, config.get(field.name)):
            if wrong := _wrong_callback(text, workflow.nodes, key):
                found.append(Problem(key, field.name, wrong))
    return found


def _callbacks_in_reach(nodes: list[definition.Node], key: str) -> set[str]:
    """Return the steps waiting for a callback whose address a step can know: those of its own lane and of the lanes around it."""
    graph = plan.Graph.of(nodes, [])
    here = graph.region[key]
    around = {here}
    while here[0] is not None:
        here = graph.region[here[0]]
        around.add(here)
    return {each for each in graph.callbacks if graph.region[each] in around}


def _deadline_of(workflow: Definition) -> int:
    deadline_s = workflow.settings.get("deadline_s", definition.DEFAULT_DEADLINE_S)
    return deadline_s if isinstance(deadline_s, int) else definition.MAX_DEADLINE_S


def _wrong_callback(text: str, nodes: list[definition.Node], key: str) -> Any:
    if "callback" not in text:
        return None
    try:
        paths = expressions.names_used(text)
    except expressions.ExpressionError:
        return None  # told by the check of the field itself
    for path in paths:
        if path[:2] == ("run", "callback") and (len(path) < 3 or path[2] not in _callbacks_in_reach(nodes, key)):
            return _l("“run.callback” needs the key of a step of this lane that waits for a callback, e.g. run.callback.answer.")
    return None


def _connections(workflow: Definition, families: tuple[str, ...], kind: str) -> set[str]:
    return {chosen for chosen, _name in connections.choices(workflow.tenant_id, families, workflow_id=workflow.id, step_kind=kind)}


def _connection_problems(node: definition.Node, allowed: Callable[[tuple[str, ...], str], set[str]]) -> list[Problem]:
    """Say which connection of a step is not there, of the wrong kind, or not for this workflow."""
    kind, config = node.get("kind", ""), node.get("config") or {}
    found = []
    for field in FIELDS.get(kind, ()):
        chosen = str(config.get(field.name) or "")
        if field.type == "connection" and chosen and chosen not in allowed(tuple(family for family, _label in field.choices), kind):
            found.append(Problem(node["key"], field.name, inputs.NO_SUCH_CONNECTION))
    return found


def _open_references(node: definition.Node) -> list[Problem]:
    """Say which people and calendars of a step a file named that are not here."""
    found = []
    config = node.get("config") or {}
    for field in FIELDS.get(node.get("kind", ""), ()):
        if field.type in ("people", "calendar"):
            value = config.get(field.name)
            named = [str(each) for each in (value if isinstance(value, list) else [value]) if OPEN.match(str(each))]
            found += [Problem(node["key"], field.name, _not_here(name)) for name in named[:1]]
    return found


def _not_here(name: str) -> Any:
    return _l("“%(name)s” was named in the imported file and is not here. Choose another.", name=isolate(name.partition("=")[2]))


def _refused_address(url: Any) -> Any:
    """Say why an address could never be called; one with values in it is judged when it is known."""
    if not url or "${" in str(url):
        return None
    try:
        egress.check_url(str(url).strip(), policy=egress.operator_policy())
    except egress.EgressRefused as refused:
        return refused.message
    return None
