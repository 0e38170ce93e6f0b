"""What a valid draft is: every broken rule with its step, its field and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from portal.i18n.formats import isolate
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import expressions
from portal.workflows.definition import (
    BLOCKS,
    DEFAULT_ATTEMPTS,
    DEFAULT_DEADLINE_S,
    DEFAULT_TIMEOUT_S,
    ERROR,
    ERROR_CLASSES,
    INPUT_TYPES,
    KEY,
    MAX_ATTEMPTS,
    MAX_CASES,
    MAX_DEADLINE_S,
    MAX_INPUTS,
    MAX_NODES,
    MAX_NOTE,
    MAX_TIMEOUT_S,
    ON_ERROR,
    UNDO,
    Field,
    Node,
    Problem,
    Settings,
    as_template,
    branches,
    config_of,
    lane_count,
    lanes_of,
    texts_of,
)

MAX_DEPTH = 10
WHEN_FULL = ("queue", "refuse", "cancel")
MAX_AT_ONCE = 1000
# Names that only some places know: the kind of block around, or the lane.
PLACED = {"item": "foreach", "index": "foreach", "round": "repeat", "previous": "repeat", "error": ERROR}


def check(nodes: list[Node], settings: Settings, kinds: Mapping[str, tuple[Field, ...]]) -> list[Problem]:
    """Return every broken rule, in reading order; an empty list means that the draft can be published.

    Args:
        kinds: the known step kinds with their fields.
    """
    problems = _check_settings(settings)
    if not nodes:
        problems.append(Problem(None, None, _l("Add at least one step.")))
    if len(nodes) > MAX_NODES:
        problems.append(Problem(None, None, _l("A workflow has at most %(num)d steps.", num=MAX_NODES)))
    seen: dict[str, Node] = {}
    inputs = {each.get("key", "") for each in settings.get("inputs", [])}
    for node in nodes:
        place = list(_check_place(node, seen, kinds))
        problems.extend(place)
        key = node.get("key", "")
        if node.get("kind") in kinds:
            sight = Sight(node, {**seen, key: node}, nodes, inputs)
            problems.extend(_check_fields(node, kinds[node["kind"]], sight))
            problems.extend(_check_shape(node, nodes, seen))
        seen[key] = node
    return problems


def _check_settings(settings: Settings) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    inputs = settings.get("inputs", [])
    if len(inputs) > MAX_INPUTS:
        problems.append(Problem(None, "inputs", _l("A workflow asks for at most %(num)d inputs.", num=MAX_INPUTS)))
    for each in inputs:
        key = each.get("key", "")
        if not KEY.match(key):
            problems.append(
                Problem(None, "inputs", _l("“%(key)s” is not a valid input key: use a–z, 0–9 and _, beginning with a letter.", key=key))
            )
        elif key in seen:
            problems.append(Problem(None, "inputs", _l("Two inputs have the key “%(key)s”. Rename one.", key=key)))
        seen.add(key)
        if each.get("type") not in INPUT_TYPES:
            problems.append(Problem(None, "inputs", _l("Choose a type for the input “%(key)s”.", key=key)))
        if each.get("type") == "choice" and not each.get("choices"):
            problems.append(Problem(None, "inputs", _l("The input “%(key)s” needs at least one choice.", key=key)))
    deadline_s = settings.get("deadline_s", DEFAULT_DEADLINE_S)
    if not isinstance(deadline_s, int) or not 60 <= deadline_s <= MAX_DEADLINE_S:
        problems.append(Problem(None, "deadline_s", _l("The time limit of a run is between 1 minute and 30 days.")))
    return problems + _check_bounds(settings)


def _check_bounds(settings: Settings) -> list[Problem]:
    """Check how many runs may go on at once, how urgent they are, and their lane."""
    problems = []
    wanted = settings.get("concurrency") or {}
    if wanted:
        limit = wanted.get("limit")
        if not isinstance(limit, int) or not 1 <= limit <= MAX_AT_ONCE or wanted.get("when_full", "queue") not in WHEN_FULL:
            message = _l("At once is a whole number between 1 and %(num)d; empty means no limit.", num=MAX_AT_ONCE)
            problems.append(Problem(None, "most", message))
        if message := wrong_key(str(wanted.get("key") or ""), {each.get("key", "") for each in settings.get("inputs", [])}):
            problems.append(Problem(None, "gate_key", message))
    if settings.get("priority", 3) not in (1, 2, 3, 4, 5) or settings.get("lane") not in (None, "bulk"):
        problems.append(Problem(None, "priority", _l("Choose how urgent the runs are.")))
    return problems


def wrong_key(text: str, inputs: set[str]) -> Any:
    """Say what is wrong with the expression by which runs are counted, or return None: it sees the inputs and nothing else."""
    if not text:
        return None
    try:
        names = expressions.names_used(as_template(text))
    except expressions.ExpressionError as wrong:
        return wrong.message
    for path in sorted(names):
        if path[0] != "input":
            return _l("The runs are counted before they begin: use only inputs, e.g. input.customer.")
        if len(path) > 1 and path[1] not in inputs:
            return _l("“input.%(key)s” is not an input of this workflow. Add it at the start card.", key=path[1])
    return None


def _check_place(node: Node, seen: Mapping[str, Node], kinds: Mapping[str, Any]) -> Iterator[Problem]:
    key = node.get("key", "")
    if not KEY.match(key):
        yield Problem(key, "key", _l("“%(key)s” is not a valid step key: use a–z, 0–9 and _, beginning with a letter.", key=key))
    if key in seen:
        yield Problem(key, "key", _l("Two steps have the key “%(key)s”. Rename one.", key=key))
    if node.get("kind") not in kinds:
        yield Problem(key, "kind", _l("This kind of step is not known here. Delete the step."))
    parent, lane = node.get("parent"), node.get("lane")
    if (parent is None) != (lane is None) or (parent is not None and (parent not in seen or lane not in lanes_of(seen[parent]))):
        yield Problem(key, None, _l("The step lost its place. Move it to where it belongs."))
    retry = node.get("retry") or {}
    attempts = retry.get("attempts", DEFAULT_ATTEMPTS)
    if not isinstance(attempts, int) or not 1 <= attempts <= MAX_ATTEMPTS:
        yield Problem(key, "attempts", _l("Attempts are between 1 and %(num)d.", num=MAX_ATTEMPTS))
    if not set(retry.get("on", ERROR_CLASSES)) <= set(ERROR_CLASSES):
        yield Problem(key, "retry_on", _l("Choose after which kinds of errors the step is tried again."))
    timeout_s = node.get("timeout_s", DEFAULT_TIMEOUT_S)
    if not isinstance(timeout_s, int) or not 1 <= timeout_s <= MAX_TIMEOUT_S:
        yield Problem(key, "timeout_s", _l("The time limit of a step is between 1 and %(num)d seconds.", num=MAX_TIMEOUT_S))
    if node.get("on_error", "fail") not in ON_ERROR:
        yield Problem(key, "on_error", _l("Choose what happens when the step fails."))
    if len(str(node.get("note") or "")) > MAX_NOTE:
        yield Problem(key, "note", _l("A note has at most %(num)d characters.", num=MAX_NOTE))


class Sight:
    """Which values a step can use: inputs, steps that have surely or possibly ended before it, the names of blocks around it."""

    def __init__(self, node: Node, before: Mapping[str, Node], nodes: list[Node], inputs: set[str]) -> None:
        self._node, self._before, self._nodes, self.inputs = node, before, nodes, inputs
        self.around = list(_around(node, before))

    def sees(self, key: str, *, inside: bool) -> bool:
        """Say whether a step's output can be used; `inside`: by a field that is worked out in the node's own lane."""
        if inside and any(each.get("key") == key for each in self._nodes if self._node["key"] in [n["key"] for n, _ in self._way(each)]):
            return True
        wanted = self._before.get(key)
        if wanted is None or (key == self._node["key"]):
            return False
        mine = {holder["key"]: lane for holder, lane in self.around}
        for holder, lane in _around(wanted, self._before):
            apart = holder["kind"] in ("foreach", "repeat") and lane not in (ERROR, UNDO)
            if (apart or lane == UNDO) and holder["key"] not in mine:
                return False
            if holder["kind"] == "parallel" and mine.get(holder["key"], lane) != lane:
                return False
        return True

    def knows(self, name: str, *, inside: bool) -> bool:
        """Say whether one of the names that only some places know can be used."""
        wanted = PLACED[name]
        if inside and self._node["kind"] == wanted:
            return True
        if wanted == ERROR:
            return any(lane in (ERROR, UNDO) for _holder, lane in self.around)
        return any(holder["kind"] == wanted and lane not in (ERROR, UNDO) for holder, lane in self.around)

    def _way(self, node: Node) -> list[tuple[Node, str]]:
        return list(_around(node, {each.get("key", ""): each for each in self._nodes}))


def _around(node: Node, nodes: Mapping[str, Node]) -> Iterator[tuple[Node, str]]:
    """Go outwards: each step that holds this one, and in which of its lanes; a circle ends it."""
    passed: set[str] = set()
    while (parent := nodes.get(node.get("parent") or "")) is not None and parent["key"] not in passed:
        passed.add(parent["key"])
        yield parent, str(node.get("lane"))
        node = parent


def _check_fields(node: Node, fields: tuple[Field, ...], sight: Sight) -> list[Problem]:
    problems = []
    config = config_of(node, fields)
    for field in fields:
        if field.name not in config:
            continue
        value = config[field.name]
        if field.required and value in ("", None, [], {}, ()):
            problems.append(Problem(node["key"], field.name, _l("Fill in “%(field)s”.", field=field.label)))
            continue
        if field.type == "choice" and value not in [choice for choice, _label in field.choices]:
            problems.append(Problem(node["key"], field.name, _l("Choose one of the values of “%(field)s”.", field=field.label)))
            continue
        if message := _check_range(field, value):
            problems.append(Problem(node["key"], field.name, message))
            continue
        if field.type == "cases" and any(not pair.get("value") for pair in value or ()):
            problems.append(Problem(node["key"], field.name, _l("Say for each case what must be true.")))
            continue
        for text in texts_of(field, value):
            if message := _check_text(text, sight, inside=field.late):
                problems.append(Problem(node["key"], field.name, message))
                break
    return problems


def _check_range(field: Field, value: Any) -> Any:
    """Say what is wrong with a whole number that stands in the draft; one that is worked out is judged in the run."""
    if field.least is None or field.most is None or (isinstance(value, str) and "${" in value):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer() and field.least <= value <= field.most:
        return None
    return _l("“%(field)s” is a whole number between %(least)d and %(most)d.", field=field.label, least=field.least, most=field.most)


def _check_shape(node: Node, nodes: Iterable[Node], seen: Mapping[str, Node]) -> Iterator[Problem]:
    """Check what a kind asks of the steps around and inside it."""
    key, kind, config = node["key"], node["kind"], node.get("config") or {}
    filled = {each.get("lane") for each in nodes if each.get("parent") == key}
    if message := _emptiness(node, filled):
        yield Problem(key, "lanes" if filled else None, message)
    if kind == "parallel" and config.get("join") == "some" and isinstance(config.get("need"), int) and config["need"] > lane_count(config):
        yield Problem(key, "need", _l("More lanes are asked for than there are."))
    if kind == "switch" and len(config.get("cases") or ()) > MAX_CASES:
        yield Problem(key, "cases", _l("A switch has at most %(num)d cases.", num=MAX_CASES))
    way = list(_around(node, {**seen, key: node}))
    if len(way) > MAX_DEPTH:
        yield Problem(key, None, _l("Steps stand inside each other at most %(num)d deep.", num=MAX_DEPTH))
    if node.get("on_error") == "lane" and ERROR not in filled:
        yield Problem(key, "on_error", _l("Put at least one step into the error lane, or choose to go on."))
    if node.get("undo") and UNDO not in filled:
        yield Problem(key, "undo", _l("Put at least one step into the undo lane."))
    if any(lane == UNDO for _holder, lane in way):
        if node.get("undo"):
            yield Problem(key, "undo", _l("A step that takes something back cannot be taken back itself."))
        if kind == "stop":
            yield Problem(key, "kind", _l("A stop cannot stand in an undo lane."))
    if kind == "goto" and (message := _check_target(node, config.get("to"), nodes, way)):
        yield Problem(key, "to", message)


def _emptiness(node: Node, filled: set[Any]) -> Any:
    """Say which lanes of a block need a step."""
    kind, lanes = node["kind"], set(branches(node))
    if kind not in BLOCKS:
        return None
    if filled & lanes:
        return _l("Put at least one step into every lane.") if kind == "parallel" and not lanes <= filled else None
    if kind == "group" and node.get("was"):
        return _l("It stands for “%(was)s”, which is not known here. Put the steps that do its work into it.", was=isolate(node["was"]))
    return _l("Put at least one step into it.")


def _check_target(node: Node, target: Any, nodes: Iterable[Node], way: list[tuple[Node, str]]) -> Any:
    """Say what is wrong with the step that a go-to names: it stands on the same line, or on a line around it up to the block."""
    if not target:
        return None  # the field itself says that it is empty
    found = next((each for each in nodes if each.get("key") == target), None)
    if found is None:
        return _l("The step that it goes to does not exist. Choose another one.")
    if target == node["key"]:
        return _l("It cannot go to itself.")
    lines = [(node.get("parent"), node.get("lane"))]
    for holder, lane in way:
        if lane == UNDO or (holder["kind"] in BLOCKS and lane != ERROR):
            break
        lines.append((holder.get("parent"), holder.get("lane")))
    if (found.get("parent"), found.get("lane")) not in lines:
        return _l("It can only go to a step of its own line, or of a line around it inside the same block.")
    return None


def _check_text(text: str, sight: Sight, *, inside: bool) -> Any:
    """Return what is wrong with a text, or None."""
    try:
        names = expressions.names_used(text)
    except expressions.ExpressionError as wrong:
        return wrong.message
    return wrong_names(sorted(names), sight, inside=inside)


def sight_of(node: Node, nodes: list[Node], settings: Settings) -> Sight:
    """Return which values a step of a draft can use."""
    before: dict[str, Node] = {}
    for each in nodes:
        before[each.get("key", "")] = each
        if each.get("key") == node["key"]:
            break
    return Sight(node, before, nodes, {each.get("key", "") for each in settings.get("inputs", [])})


def wrong_names(paths: Iterable[tuple[str, ...]], sight: Sight, *, inside: bool) -> Any:
    """Say which of the values that are read cannot be used there, or return None."""
    for path in paths:
        if path[0] == "steps" and len(path) > 1 and not sight.sees(path[1], inside=inside):
            return _l("“steps.%(step)s” is not a step before this one.", step=path[1])
        if path[0] == "input" and len(path) > 1 and path[1] not in sight.inputs:
            return _l("“input.%(key)s” is not an input of this workflow. Add it at the start card.", key=path[1])
        if path[0] in PLACED and not sight.knows(path[0], inside=inside):
            return NAMED[path[0]]
    return None


NAMED = {
    "item": _l("“item” is known only inside a “For each”."),
    "index": _l("“index” is known only inside a “For each”."),
    "round": _l("“round” is known only inside a “Repeat until”."),
    "previous": _l("“previous” is known only inside a “Repeat until”."),
    "error": _l("“error” is known only in an error lane or an undo lane."),
}
