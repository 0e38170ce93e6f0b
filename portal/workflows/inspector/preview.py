"""What a text with `${ … }` gives with sample values, or what is wrong with it and where. Only our own CEL, bounded as in a run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.connections.service import MASK
from portal.i18n.words import gettext as _
from portal.workflows import checks, literals
from portal.workflows.actions.registry import FIELDS
from portal.workflows.definition import FIGURE, Node, Settings, as_template, bare, config_of
from portal.workflows.expressions import ExpressionError, compile_template, names_used
from portal.workflows.inspector import tree
from portal.workflows.inspector.sources import Samples, first_item

LONGEST = 240
BUDGET_S = 0.4  # of all fields of a page together
TAKES = {
    "text": "template", "long_text": "template", "number": "template", "duration": "template", "datetime": "template", "pairs": "template",
    "expression": "expression", "cases": "expression", "item": "item", "item_pairs": "item",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What stands below a field.

    Args:
        state: value, problem, or unknown: it is right, but there is no sample for what it reads.
        place: of a problem: where in the text, from 0; None when it is not one place.
    """

    state: str
    text: str
    kind: Any = ""
    place: int | None = None
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Desk:
    """One step of a draft with sample values, where its texts can be tried."""

    node: Node
    nodes: list[Node]
    settings: Settings
    samples: Samples

    def preview(self, name: str, text: str) -> Preview | None:
        """Work out what a field would hold; None when there is nothing to work out.

        Args:
            name: the field, of the step's kind.
        """
        asked = next((each for each in FIELDS.get(self.node["kind"], ()) if each.name == name), None)
        takes = TAKES.get(asked.type, "") if asked else ""
        if asked is None or not text.strip() or (takes == "template" and "${" not in text) or not takes:
            return None
        context = self.samples.context
        written, offset = text, 0
        if takes == "expression":
            written = as_template(text)
            offset = 0 if written == text.strip() else 3
            offset -= len(text) - len(text.lstrip())
        elif takes == "item":
            about = FIGURE.sub(r"\2", text.strip())
            if not about.strip():
                return None
            written, offset = f"${{ {bare(about)} }}", 4 - (text.find(about.strip()) if about.strip() in text else 0)
            context = {**context, "item": first_item(self.node, context), "index": 0}
        try:
            template, paths = compile_template(written), sorted(names_used(written))
        except ExpressionError as wrong:
            return self._problem(wrong, text, offset)
        if takes != "item" and (message := checks.wrong_names(paths, self._sight(), inside=asked.late)):
            return Preview("problem", str(message))
        if name in (self.node.get("sensitive") or ()):
            return Preview("value", MASK)
        try:
            value = template.evaluate(context)
        except ExpressionError as wrong:
            missing = self._without_sample(paths)
            if missing or (takes == "item" and context["item"] is None):
                return Preview("unknown", _("It is written correctly. There is no sample for what it reads yet."))
            return self._problem(wrong, text, offset)
        return Preview("value", shown(literals.masked(value, name)), tree.KINDS[tree.kind_of(value)])

    def previews(self) -> dict[str, Preview]:
        """Work out every field as it is stored: the id that the inspector gives it → its preview."""
        found: dict[str, Preview] = {}
        end = time.monotonic() + BUDGET_S
        fields = FIELDS.get(self.node["kind"], ())
        for name, value in config_of(self.node, fields).items():
            for id_, text in texts(self.node["key"], name, value):
                if time.monotonic() > end:
                    return found
                if made := self.preview(name, text):
                    found[id_] = made
        return found

    def _sight(self) -> checks.Sight:
        return checks.sight_of(self.node, self.nodes, self.settings)

    def _without_sample(self, paths: Iterable[tuple[str, ...]]) -> bool:
        has = self.samples.has
        return any((path[0] == "steps" and (len(path) < 2 or not has(path[1]))) or path[0] in checks.PLACED for path in paths)

    def _problem(self, wrong: ExpressionError, text: str, offset: int) -> Preview:
        place = None if wrong.position is None else min(max(wrong.position - offset, 0), len(text))
        if place is None:
            return Preview("problem", str(wrong.message))
        before = text[:place]
        return Preview("problem", str(wrong.message), place=place, line=before.count("\n") + 1, column=place - before.rfind("\n"))


def texts(key: str, name: str, value: Any) -> Iterable[tuple[str, str]]:
    """Return the texts of a field with the ids that the inspector gives them."""
    if isinstance(value, list):
        for number, pair in enumerate(value):
            if isinstance(pair, Mapping) and isinstance(pair.get("value"), str):
                yield f"f-{key}-{name}-v{number}", pair["value"]
    elif isinstance(value, str):
        yield f"f-{key}-{name}", value


def shown(value: Any) -> str:
    """Write a value for people: a text as it is, all else as JSON; cut with "…"."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
