"""A workflow of n8n → a draft of ours with its report, and the ways in which it would start. Pure; never fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portal.workflows.definition import DEFAULT_DEADLINE_S, MAX_DEADLINE_S
from portal.workflows.definition import Node as Step
from portal.workflows.exchange.n8n import graph as graphs
from portal.workflows.exchange.n8n import schedules
from portal.workflows.exchange.n8n.builder import Builder
from portal.workflows.exchange.n8n.flow import Flow, Place
from portal.workflows.exchange.n8n.graph import Graph, Node, listed
from portal.workflows.exchange.n8n.made import LONGEST_NOTE
from portal.workflows.exchange.n8n.registry import STICKY
from portal.workflows.exchange.n8n.sight import Node as Given
from portal.workflows.exchange.n8n.values import MOST_INPUTS, At, CameIn, Keys, Renamed
from portal.workflows.exchange.reporting import CHANGED, MAPPED, REVIEW, Report

KNOWN_SETTINGS = frozenset({"executionOrder", "timezone", "errorWorkflow", "executionTimeout"})
QUIET_SETTINGS = frozenset({"callerPolicy", "callerIds", "saveExecutionProgress", "saveManualExecutions", "saveDataErrorExecution",
                            "saveDataSuccessExecution", "timeSavedPerExecution", "timeSavedMode", "availableInMCP", "binaryMode"})  # fmt: skip
# What the trigger of errors gives, under the names of the inputs that our error workflows get.
FAILURE: dict[Keys, str] = {
    ("execution", "id"): "run_id", ("execution", "error", "message"): "detail", ("execution", "error", "name"): "code",
    ("execution", "lastNodeExecuted"): "step", ("workflow", "name"): "workflow", ("workflow", "id"): "workflow_id",
}  # fmt: skip
FORM_TYPES = {"number": "number", "email": "email", "date": "date", "textarea": "long_text", "dropdown": "choice", "radio": "choice"}
SIMPLE = {
    "manualTrigger": (MAPPED, "manual"), "start": (MAPPED, "manual"), "executeWorkflowTrigger": (MAPPED, "called"),
    "errorTrigger": (CHANGED, "error_start"),
}  # fmt: skip
SUB_TYPES = {"number": "number", "boolean": "boolean"}


@dataclass(slots=True)
class Start:
    """A way in which the workflow started, to be added switched off."""

    kind: str  # as triggers.registry.find knows it
    name: str
    config: dict[str, Any]


@dataclass(slots=True)
class Imported:
    """A draft that was made of a file."""

    name: str
    description: str
    steps: list[Step]
    settings: dict[str, Any]
    report: Report
    starts: list[Start] = field(default_factory=list)
    name_ar: str = ""
    description_ar: str = ""
    category: str = "general"


def build(document: dict[str, Any]) -> Imported:
    """Return what a workflow of n8n becomes with us; every node of it has a line in the report."""
    graph = graphs.read(document)
    builder = Builder(graph)
    starts = _starts(graph, builder)
    _main_line(graph, builder)
    _rest(graph, builder)
    notes = _stickies(graph, builder)
    for holder, helpers in graph.helpers.items():
        for name, kind in helpers:
            builder.lines[name].step = builder.lines[name].step or builder.step_of.get(holder)
            builder.lines[name].say(REVIEW, "helper", f"{holder} ({kind})")
    report = Report("n8n", list(builder.lines.values()))
    settings = _settings(graph, report)
    settings["inputs"] = list(builder.declared.inputs.values())
    for start in starts:
        if start.kind == "webhook":
            start.config["inputs"] = {key: f"${{ {_came(path)} }}" for path, key in builder.declared.paths.items()}
    _general(graph, report)
    description = document.get("description")
    text = "\n".join([description if isinstance(description, str) else "", *notes]).strip()
    return Imported(graph.name[:120], text[:500], builder.steps, settings, report, starts)


def _came(path: Keys) -> str:
    """Return where a path of what came in stands for a webhook of ours."""
    return At("input").read(path)


def _starts(graph: Graph, builder: Builder) -> list[Start]:
    zone = str(graph.settings.get("timezone") or "")
    found: list[Start] = []
    for node in graph.nodes.values():
        if node.is_trigger:
            builder.visited.add(node.name)
            found += _start(node, builder, zone)
    return found


def _start(node: Node, builder: Builder, zone: str) -> list[Start]:
    line, given = builder.lines[node.name], node.parameters
    if node.disabled:
        line.say(CHANGED, "disabled_start")
    elif node.type in SIMPLE:
        line.say(*SIMPLE[node.type])
        for row in listed(given, "workflowInputs", "values"):
            if (name := str(row.get("name") or "")) and len(builder.declared.inputs) < MOST_INPUTS:
                builder.declared.declare((name,), name, SUB_TYPES.get(str(row.get("type")), "text"))
    elif node.type == "webhook":
        return [Start("webhook", node.name, _webhook(node, line))]
    elif node.type == "formTrigger":
        line.say(CHANGED, "start_off")
        _form_fields(node, builder)
        title, intro = str(given.get("formTitle") or "")[:200], str(given.get("formDescription") or "")[:500]
        return [Start("form", node.name, {"title": title, "intro": intro})]
    elif node.type in ("scheduleTrigger", "cron", "interval"):
        line.say(CHANGED, "start_off")
        plans, doubts = schedules.read(node)
        for doubt in doubts:
            line.say(REVIEW, "schedule", doubt)
        return [Start(kind, node.name, {**config, "zone": zone}) for kind, config in plans]
    else:
        line.say(REVIEW, "unknown_start", node.type)
    return []


def _webhook(node: Node, line: Any) -> dict[str, Any]:
    given = node.parameters
    line.say(CHANGED, "webhook_address", given.get("path") or "")
    proof = "none"
    if given.get("authentication") not in (None, "", "none"):
        proof = "header"
        line.say(REVIEW, "connection", ", ".join(node.credentials) or given.get("authentication"))
    reply = given.get("responseMode", "onReceived")
    if str(given.get("httpMethod") or "GET").upper() != "POST":
        line.say(REVIEW, "webhook_method", given.get("httpMethod") or "GET")
    return {"proof": proof, "reply": "accepted" if reply == "onReceived" else "wait"}


def _form_fields(node: Node, builder: Builder) -> None:
    for row in listed(node.parameters, "formFields", "values"):
        label = str(row.get("fieldLabel") or row.get("fieldName") or "")
        if not label:
            continue
        kind = FORM_TYPES.get(str(row.get("fieldType") or "text"), "text")
        choices = [str(each.get("option") or "")[:100] for each in listed(row, "fieldOptions", "values")]
        if kind == "choice" and not choices:
            kind = "text"
        if row.get("fieldType") in ("file", "checkbox", "hiddenField", "html", "password"):
            builder.lines[node.name].say(REVIEW, "form_field", label)
        if (label,) not in builder.declared.paths and len(builder.declared.inputs) >= MOST_INPUTS:
            builder.lines[node.name].say(REVIEW, "too_many_inputs")
            return
        builder.declared.declare(
            (label,), label, kind, required=row.get("requiredField") is True, choices=choices if kind == "choice" else []
        )


def _main_line(graph: Graph, builder: Builder) -> None:
    """Build what follows the starts; where they lead to different places nobody can say yet which one it was."""
    starts = [node for node in graph.nodes.values() if node.is_trigger and not node.disabled] or [
        node for node in graph.nodes.values() if node.is_trigger
    ]
    names: dict[Keys, str] = {}
    for node in starts:
        names |= FAILURE if node.type == "errorTrigger" else {}
    came = CameIn(builder.declared, names)
    item = Renamed({("timestamp",): "run.started_at"}, came) if any("chedule" in node.type for node in starts) else came
    seen = {node.name: Given(item) for node in starts}
    ways: dict[tuple[str, ...], list[str]] = {}
    for node in starts:
        targets = tuple(graph.outputs.get(node.name, {}).get(0, ()))
        if targets:
            ways.setdefault(targets, []).append(node.name)
    top = Place(None, None, 0)
    if not starts:
        roots = _roots(graph, builder)
        flow = Flow(Given(item), "")
        for root in roots[:1]:
            builder.sequence(root, None, flow, top)
        return
    if len(ways) == 1:
        (targets, sources), *_ = ways.items()
        _line(builder, sources[0], list(targets), Flow(Given(item), sources[0], seen), top)
    elif ways:
        cases = [{"name": ", ".join(sources)[:100], "value": ""} for sources in ways.values()]
        key = builder.add("starts", "switch", {"cases": cases[:20]}, top)
        meet = builder.shape.meet([target for targets in ways for target in targets])
        flows: list[tuple[str, Flow | None]] = []
        for number, (targets, sources) in enumerate(ways.items(), 1):
            for source in sources:
                builder.lines[source].say(REVIEW, "several_starts")
            lane = f"case_{number}" if number <= 20 else "otherwise"
            flow = Flow(Given(item), sources[0], seen)
            end = _line(builder, sources[0], [each for each in targets if each != meet], flow, top.inside(key, lane), meet)
            flows.append((lane, end or (flow if meet in targets else None)))
        if meet is not None and (joined := builder.joined(key, flows)) is not None:
            builder.sequence(meet, None, joined, top)


def _line(builder: Builder, source: str, targets: list[str], flow: Flow, place: Place, stop: str | None = None) -> Flow | None:
    at, reached, where = builder.follow(source, targets, stop, flow, place)
    return builder.sequence(at, stop, reached, where) if at is not None and reached is not None else None


def _roots(graph: Graph, builder: Builder) -> list[str]:
    """Return the nodes that nothing leads to, then any others that no line has come to."""
    led_to = {target for outputs in graph.outputs.values() for targets in outputs.values() for target in targets}
    open_ = [
        name for name, node in graph.nodes.items() if name not in builder.visited and name not in builder.helpers and node.type != STICKY
    ]
    return [name for name in open_ if name not in led_to] + [name for name in open_ if name in led_to]


def _rest(graph: Graph, builder: Builder) -> None:
    """Put what no start leads to into a condition that is never true, so that it is there and does nothing."""
    key = ""
    builder.copies = max(builder.copies, 1_000)  # what is apart goes on where the main line is, it is not built again
    for _ in range(len(graph.nodes)):
        roots = _roots(graph, builder)
        if not roots:
            return
        key = key or builder.add("apart", "condition", {"when": "false"}, Place(None, None, 0))
        before = set(builder.visited)
        came = Given(CameIn(builder.declared))
        builder.sequence(roots[0], None, Flow(came, ""), Place(key, "then", 1))
        for name in builder.visited - before:
            builder.lines[name].say(REVIEW, "apart")


def _stickies(graph: Graph, builder: Builder) -> list[str]:
    """Put each sticky note to the first step that lies on it; return those that lie on none."""
    loose = []
    steps = {step["key"]: step for step in builder.steps}
    for node in graph.nodes.values():
        if node.type != STICKY:
            continue
        content = node.parameters.get("content")
        text = content.strip() if isinstance(content, str) else ""
        line, below = builder.lines[node.name], _below(graph, node)
        key = next((builder.step_of[name] for name in below if name in builder.step_of), None)
        if key is None:
            loose += [text] if text else []
            line.say(MAPPED, "sticky_loose")
            continue
        line.step = key
        line.say(MAPPED, "sticky")
        if text:
            steps[key]["note"] = "\n".join(filter(None, [steps[key].get("note", ""), text]))[:LONGEST_NOTE]
    return loose


def _below(graph: Graph, sticky: Node) -> list[str]:
    width, height = (
        value if isinstance(value := sticky.parameters.get(name), int | float) and not isinstance(value, bool) else usual
        for name, usual in (("width", 240), ("height", 160))
    )
    x, y = sticky.place
    inside = [
        node for node in graph.nodes.values() if node is not sticky and x <= node.place[0] <= x + width and y <= node.place[1] <= y + height
    ]
    return [node.name for node in sorted(inside, key=lambda node: (node.place, node.name))]


def _settings(graph: Graph, report: Report) -> dict[str, Any]:
    seconds = graph.settings.get("executionTimeout")
    deadline_s = DEFAULT_DEADLINE_S
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 1e9:
        deadline_s = int(min(max(seconds, 60), MAX_DEADLINE_S))
    if graph.settings.get("errorWorkflow"):
        report.say("error_workflow", graph.settings["errorWorkflow"])
    if more := sorted(str(name) for name in set(graph.settings) - KNOWN_SETTINGS - QUIET_SETTINGS)[:5]:
        report.say("settings", ", ".join(more))
    return {"deadline_s": deadline_s}


def _general(graph: Graph, report: Report) -> None:
    raw = graph.raw
    if raw.get("active") is True:
        report.say("was_active")
    if isinstance(raw.get("pinData"), dict) and raw["pinData"]:
        report.say("pinned", ", ".join(str(name) for name in list(raw["pinData"])[:5]))
    if raw.get("staticData"):
        report.say("static")
    if isinstance(raw.get("tags"), list) and raw["tags"]:
        names = [str(each.get("name") if isinstance(each, dict) else each) for each in raw["tags"][:5]]
        report.say("tags", ", ".join(names))
    for source, target in graph.lost[:20]:
        report.say("lost_wire", f"{source} → {target}")
    if not graph.nodes:
        report.say("no_nodes")
