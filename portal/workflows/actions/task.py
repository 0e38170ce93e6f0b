"""Ask people to do something and say how it went, in words of the workflow's own."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n import names
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import asking
from portal.workflows.actions.base import Call, Outcome
from portal.workflows.definition import KEY, Field

DONE = {"key": "done", "label": "Done", "label_ar": "تم"}


class Task:
    kind: ClassVar[str] = "task"
    icon: ClassVar[str] = "clipboard-check"
    label: ClassVar[Any] = _l("Task")
    description: ClassVar[Any] = _l("Ask people to do something, fill in a form and choose an outcome")
    fields: ClassVar[tuple[Field, ...]] = (
        *asking.TITLE,
        asking.PEOPLE,
        Field("outcomes", "outcomes", _l("How it can end"), _l("The first one is what is hoped for."), required=True, default=(DONE,)),
        asking.LANES,
        *asking.REST,
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = asking.OUTPUTS

    def effect(self, config: dict[str, Any]) -> str:
        return "db"

    def perform(self, call: Call) -> Outcome:
        return asking.ask(
            call, [{**each, "tone": "primary" if number == 0 else "neutral"} for number, each in enumerate(call.config["outcomes"])]
        )

    def check(self, config: dict[str, Any], deadline_s: int) -> list[tuple[str, Any]]:
        """Return what is wrong with the settings beyond their fields: (field, sentence)."""
        return asking.problems_of(config, deadline_s) + _outcome_problems(config.get("outcomes") or (DONE,))


def _outcome_problems(outcomes: Any) -> list[tuple[str, Any]]:
    keys = [each.get("key", "") for each in outcomes]
    if len(keys) > asking.MOST_OUTCOMES:
        return [("outcomes", _l("There are at most %(num)d ways to end.", num=asking.MOST_OUTCOMES))]
    if len(set(keys)) < len(keys) or not all(KEY.match(key) for key in keys):
        return [("outcomes", _l("Each way to end needs a key of its own: a–z, 0–9 and _, beginning with a letter."))]
    if "expired" in keys:
        return [("outcomes", _l("“expired” is taken: it says that nobody decided in time."))]
    if taken := set(keys) & asking.TAKEN_LANES:
        return [("outcomes", _l("“%(key)s” is taken. Choose another key.", key=min(taken)))]
    if any(names.problem(each.get(name)) for each in outcomes for name in ("label", "label_ar")):
        return [("outcomes", _l("Take out invisible signs: they would change how the rest is read."))]
    return []
