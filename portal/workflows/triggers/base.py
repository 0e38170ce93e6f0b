"""What a kind of trigger is: its form, its check before saving, when it is due, and how it is said in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from portal.core.digits import ascii_digits, read_number
from portal.core.errors import Invalid
from portal.core.forms import clean
from portal.i18n.dates import read_time
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import expressions, inputs
from portal.workflows.definition import Field
from portal.workflows.engine.store.starting import Seen

LONGEST_TEXT = 2_000
# Fields of these types hold what programs read: left to right, in the mono face.
CODE_TYPES = ("code", "expression")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trigger stands: its workflow's declared inputs, and the zone of the organisation."""

    inputs: list[dict[str, Any]]
    timezone: str = "Asia/Riyadh"


class Kind(Protocol):
    """One kind of trigger. Everything here is pure; what happens when one fires is in `arriving`, `firing` and `listening`."""

    kind: ClassVar[str]
    variant: ClassVar[str]  # where one kind has several forms: the value of `mode` in its settings, else empty
    icon: ClassVar[str]
    label: ClassVar[Any]
    description: ClassVar[Any]
    fields: ClassVar[tuple[Field, ...]]
    has_address: ClassVar[bool]
    maps_inputs: ClassVar[bool]

    def problems(self, config: Mapping[str, Any], place: Place) -> dict[str, Any]:
        """Return field → what is wrong with it and what to do, beyond what `Field` says already."""

    def next_after(self, config: Mapping[str, Any], moment: datetime) -> datetime | None:
        """Return when it is due next, for a kind that is due by itself."""

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        """Return whole sentences that say in the reader's language what it does."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A trigger that may start runs now, with the version that they will be runs of."""

    seen: Seen  # of the workflow, when this was read
    id: UUID
    tenant_id: UUID
    workflow_id: UUID
    kind: str
    config: dict[str, Any]
    secrets: list[dict[str, Any]]
    version_id: UUID | None


def read(kind: Kind, given: Mapping[str, str], *, place: Place) -> dict[str, Any]:
    """Return the settings that a posted form means, as they were typed; `check` says whether they are right."""
    config: dict[str, Any] = {"mode": kind.variant} if kind.variant else {}
    for each in kind.fields:
        text = clean(str(given.get(each.name, "")))
        if each.type == "boolean":
            config[each.name] = bool(text)
        elif each.type == "choice":
            config[each.name] = text or each.default
        elif each.type == "number":
            number = read_number(text)
            config[each.name] = int(number) if number is not None and float(number).is_integer() else text
        elif each.type == "time":
            at = read_time(text)
            config[each.name] = f"{at:%H:%M}" if at is not None else text
        else:
            config[each.name] = ascii_digits(text) if each.type in ("code", "cron", "day") else text
    if kind.maps_inputs:
        keys = [each["key"] for each in place.inputs]
        config["inputs"] = {key: text for key in keys if (text := clean(str(given.get(f"in-{key}", ""))))}
    return config


def check(kind: Kind, config: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Return field → what is wrong; empty when the settings can be saved."""
    problems: dict[str, Any] = {}
    for each in kind.fields:
        if message := _field_problem(each, config.get(each.name)):
            problems[each.name] = message
    declared = {each["key"]: each for each in place.inputs}
    for key, text in (config.get("inputs") or {}).items():
        if message := text_problem(text) or _fixed_problem(declared.get(key), text):
            problems[f"in-{key}"] = message
    return {**kind.problems(config, place), **problems}


def _field_problem(field: Field, value: Any) -> Any:
    if value in ("", None):
        return _l("Fill this in.") if field.required else None
    if field.type == "number" and not isinstance(value, int):
        return _l("Enter a whole number.")
    if field.type == "choice" and str(value) not in [choice for choice, _label in field.choices]:
        return _l("Choose one of the values.")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return _l("Use at most %(num)d characters.", num=LONGEST_TEXT)
    if field.type == "expression":
        return text_problem(f"${{ {value} }}")
    return None


def _fixed_problem(declared: dict[str, Any] | None, text: str) -> Any:
    """Return why a text that is the same each time can never be this input: every start would be refused, and only the callers would hear."""
    if declared is None or "${" in text:
        return None
    try:
        inputs.read([declared], {declared["key"]: text})
    except Invalid as wrong:
        return wrong.problems[declared["key"]]
    return None


def text_problem(text: str) -> Any:
    """Return what is wrong with a text that may hold `${ … }` of what came in; None when it is right."""
    try:
        names = expressions.names_used(text)
    except expressions.ExpressionError as wrong:
        return wrong.message
    if any(path[0] != "input" for path in names):
        return _l("There are no steps and no run yet. What came in stands in “input”.")
    return None


def defaults(kind: Kind) -> dict[str, Any]:
    """Return the settings of a new trigger."""
    return {each.name: each.default for each in kind.fields}


def between(value: Any, low: int, high: int, message: Any) -> Any:
    """Return the message when a whole number lies outside; None when it fits or is no number, which the field says itself."""
    return message if isinstance(value, int) and not low <= value <= high else None


def kept(problems: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return field → message of those that have one."""
    return {name: message for name, message in problems if message}
