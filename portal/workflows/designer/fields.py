"""The forms of the inspector: what a field shows, and what a posted form means. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.core.digits import ascii_digits, read_number
from portal.core.forms import clean
from portal.i18n import names
from portal.i18n.formats import number as formatted
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Action
from portal.workflows.definition import (
    ERROR_CLASSES,
    INPUT_TYPES,
    KEY,
    MAX_ATTEMPTS,
    MAX_DEADLINE_S,
    MAX_INPUTS,
    MAX_NOTE,
    MAX_TIMEOUT_S,
    ON_ERROR,
    Field,
    Node,
    Settings,
    config_of,
)
from portal.workflows.designer import bidi, bounds
from portal.workflows.engine import retry
from portal.workflows.people import MOST_NAMED, WHO

AUTO_KEY = re.compile(r"(input(_\d+)?)?\Z")  # nobody has chosen it yet, so it follows the label
MAX_NAME = 120
# Seconds before the first attempt that follows, and before any: how long each may be.
WAITS = {"base_s": 3600, "cap_s": int(retry.MAX_CAP_S)}
MAX_TEXT = 20_000
MAX_PAIRS = 50
# Written in Latin script whatever the language around: always left to right, in the mono face.
CODE_FIELDS = {("webhook", "url"), ("webhook", "body"), ("webhook", "headers")}
CODE_TYPES = ("expression", "datetime", "code", "item")
PAIR_TYPES = ("pairs", "cases", "item_pairs")
CHOSEN_TYPES = ("table", "connection")
INPUT_TYPE_LABELS = {
    "text": _l("Text"),
    "long_text": _l("Long text"),
    "number": _l("Number"),
    "date": _l("Date"),
    "email": _l("E-mail address"),
    "choice": _l("Choice"),
    "boolean": _l("Yes or no"),
}
UNITS = (("60", _l("Minutes")), ("3600", _l("Hours")), ("86400", _l("Days")))


@dataclass(frozen=True, slots=True)
class Shown:
    """A field as the inspector draws it."""

    name: str
    id: str
    type: str
    label: Any
    hint: Any
    required: bool
    value: Any
    choices: list[tuple[str, Any]]
    error: Any
    is_code: bool
    lists: str = ""  # of a choice from a list of the organisation: which list


@dataclass(frozen=True, slots=True)
class StepForm:
    """A posted step: its new settings, and what could not be read; `typed` shows it again as it was written."""

    changes: dict[str, Any]
    errors: dict[str, Any]
    typed: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StartForm:
    """The posted start card."""

    settings: Settings
    errors: dict[str, Any]
    typed: dict[str, Any] = field(default_factory=dict)


def shown_fields(node: Node, action: Action, *, choices: Mapping[str, list[tuple[str, Any]]], errors: Mapping[str, Any]) -> list[Shown]:
    """Return the fields of a step that matter for its choices, filled in.

    Args:
        choices: what can be chosen in a field whose type stands for things of the tenant or the flow: table, connection, calendar,
            people, workflow, step.
    """
    config = config_of(node, action.fields)
    return [
        Shown(
            name=f"c-{each.name}",
            id=f"f-{node['key']}-{each.name}",
            type=each.type,
            label=each.label,
            hint=_hint(each),
            required=each.required or each.type == "choice",
            value=_drawn(each.type, config[each.name]) if (node["kind"], each.name) not in CODE_FIELDS else config[each.name],
            choices=choices.get(each.type, list(each.choices)),
            error=errors.get(each.name, ""),
            is_code=each.type in CODE_TYPES or (node["kind"], each.name) in CODE_FIELDS,
        )
        for each in action.fields
        if each.name in config
    ]


def _drawn(kind: str, value: Any) -> Any:
    """Return a value as its field shows it: texts with `${ … }` made to read well among Arabic."""
    if kind in ("text", "long_text") and isinstance(value, str):
        return bidi.isolated(value)
    if kind == "pairs" and isinstance(value, list):
        return [{**pair, "value": bidi.isolated(pair["value"])} if isinstance(pair.get("value"), str) else pair for pair in value]
    return value


def _hint(field: Field) -> Any:
    """Return what the kind says of a field, with its bounds; of a text that may hold values, that it may."""
    if field.least is not None and field.most is not None:
        said = between(field.least, field.most)
        return f"{field.hint} {said}" if field.hint else said
    return field.hint or (_("Text; with values, e.g. ${ input.name }") if field.type in ("text", "long_text") else "")


def between(least: int, most: int) -> str:
    """Say which whole numbers a field takes."""
    return _("From %(least)s to %(most)s.", least=formatted(least), most=formatted(most))


def read_step(node: Node, action: Action | None, form: Any) -> StepForm:
    """Read a posted step. Fields that the form did not show keep what they have; drafts may be incomplete.

    Args:
        form: a werkzeug MultiDict.
    """
    errors: dict[str, Any] = {}
    config = dict(node.get("config") or {})
    for each in action.fields if action else ():
        try:
            config.update(_read_field(each, form))
        except ValueError as wrong:
            errors[each.name], config[each.name] = wrong.args[0], clean(form.get(f"c-{each.name}", ""))
    changes: dict[str, Any] = {"config": config}
    for name in ("name", "name_ar"):
        changes[name] = names.tidy(form.get(name, ""))[:MAX_TEXT]
        if len(changes[name]) > MAX_NAME:
            errors[name] = _("Use at most %(num)d characters.", num=MAX_NAME)
        elif problem := names.problem(changes[name]):
            errors[name] = problem
    if form.get("on_error") in ON_ERROR:
        changes["on_error"] = form["on_error"]
    if "sensitive" in form and action:
        changes["sensitive"] = [each.name for each in action.fields if each.name in form.getlist("sensitive")]
    if "undo" in form:
        changes["undo"] = form.getlist("undo")[-1] == "1"
    _read_note(form, changes, errors)
    typed = {**node, **changes, "attempts": form.get("attempts", ""), "timeout_s": form.get("timeout_s", "")}
    _read_whole(form, "attempts", MAX_ATTEMPTS, changes, errors)
    _read_whole(form, "timeout_s", MAX_TIMEOUT_S, changes, errors)
    if "attempts" in changes:
        changes["retry"] = {**(node.get("retry") or {}), "attempts": changes.pop("attempts")}
    if "retry_on" in form:
        chosen = [each for each in ERROR_CLASSES if each in form.getlist("retry_on")]
        changes["retry"] = {**(changes.get("retry") or node.get("retry") or {}), "on": chosen}
    typed |= {name: form[name] for name in WAITS if name in form}
    _read_waits(form, node, changes, errors)
    return StepForm(changes, errors, typed)


def _read_note(form: Any, changes: dict[str, Any], errors: dict[str, Any]) -> None:
    if "note" not in form:
        return
    changes["note"] = clean(form["note"]).replace("\r\n", "\n")[:MAX_TEXT]
    if len(changes["note"]) > MAX_NOTE:
        errors["note"] = _("A note has at most %(num)d characters.", num=MAX_NOTE)


def _read_waits(form: Any, node: Node, changes: dict[str, Any], errors: dict[str, Any]) -> None:
    """Read how long a step waits before it is tried again; both empty is the usual."""
    policy = dict(changes.get("retry") or node.get("retry") or {})
    for name, most in WAITS.items():
        if name not in form:
            return
        text = ascii_digits(clean(form[name]))
        if not text:
            policy.pop(name, None)
        elif text.isdecimal() and 1 <= int(text[:9]) <= most:
            policy[name] = int(text)
        else:
            errors[name] = _("Enter a whole number between 1 and %(num)d.", num=most)
    if not errors.keys() & WAITS.keys() and policy.get("base_s", retry.BASE_S) > policy.get("cap_s", retry.CAP_S):
        errors["cap_s"] = _("The longest wait is shorter than the first one.")
    changes["retry"] = policy


def _read_whole(form: Any, name: str, most: int, changes: dict[str, Any], errors: dict[str, Any]) -> None:
    if name not in form:
        return
    text = ascii_digits(clean(form[name]))
    if text.isdecimal() and 1 <= int(text[:9]) <= most:
        changes[name] = int(text)
    else:
        errors[name] = _("Enter a whole number between 1 and %(num)d.", num=most)


def _read_field(wanted: Field, form: Any) -> dict[str, Any]:
    name = f"c-{wanted.name}"
    if wanted.type in PAIR_TYPES:
        return {wanted.name: _read_pairs(wanted, form)} if f"{name}-name" in form else {}
    if wanted.type == "people":
        chosen = [each for each in form.getlist(name) if WHO.match(each)]
        return {wanted.name: list(dict.fromkeys(chosen))[:MOST_NAMED]} if name in form else {}
    if wanted.type == "outcomes":
        return {wanted.name: _read_outcomes(wanted, form)} if f"{name}-label" in form else {}
    if wanted.type == "inputs":
        return {wanted.name: _read_asked(wanted, form)} if f"{name}-count" in form else {}
    if name not in form:
        return {}
    text = clean(bidi.bare(form.getlist(name)[-1]))
    if len(text) > MAX_TEXT:
        raise ValueError(_("Use at most %(num)d characters.", num=MAX_TEXT))
    if wanted.type == "boolean":
        return {wanted.name: text == "1"}
    if wanted.type in ("number", "duration"):
        number = _read_number(text)
        if wanted.least is not None and not isinstance(number, str) and not (wanted.least <= number <= (wanted.most or number)):
            raise ValueError(_("Enter a whole number between %(least)d and %(most)d.", least=wanted.least, most=wanted.most))
        return {wanted.name: number}
    return {wanted.name: text.replace("\r\n", "\n")}


def _read_pairs(wanted: Field, form: Any) -> list[dict[str, str]]:
    name = f"c-{wanted.name}"
    both = zip(form.getlist(f"{name}-name"), form.getlist(f"{name}-value"), strict=False)
    pairs = [{"name": clean(key)[:MAX_NAME], "value": clean(bidi.bare(value)).replace("\r\n", "\n")[:MAX_TEXT]} for key, value in both]
    which, _colon, number = form.get("drop", "").partition(":")
    if which == wanted.name and number.isdecimal() and int(number) < len(pairs):
        del pairs[int(number)]
    return [pair for pair in pairs if pair["name"] or pair["value"]][:MAX_PAIRS]


def _read_outcomes(wanted: Field, form: Any) -> list[dict[str, str]]:
    """The ways a task can end; one without a key gets it from its label."""
    name = f"c-{wanted.name}"
    columns = zip(form.getlist(f"{name}-key"), form.getlist(f"{name}-label"), form.getlist(f"{name}-label_ar"), strict=False)
    rows = [
        {"key": clean(key)[:40], "label": names.tidy(label)[:MAX_NAME], "label_ar": names.tidy(label_ar)[:MAX_NAME]}
        for key, label, label_ar in columns
    ]
    which, _colon, number = form.get("drop", "").partition(":")
    if which == wanted.name and number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]
    rows = [row for row in rows if any(row.values())]
    for place, row in enumerate(rows):
        row["key"] = row["key"] or _key_from(row["label"], place, rows, base="outcome")
    return rows


def _read_asked(wanted: Field, form: Any) -> list[dict[str, Any]]:
    """The form of a task, edited as the inputs of the start card are."""
    prefix = f"c-{wanted.name}-"
    count = form.get(f"{prefix}count", "")
    asked = [_read_input(number, form, prefix) for number in range(min(int(count) if count.isdecimal() else 0, MAX_INPUTS))]
    which, _colon, wish = form.get("do", "").partition(":")
    _obey(wish if which == wanted.name else "", asked)
    for number, each in enumerate(asked):
        if AUTO_KEY.match(each["key"]):
            each["key"] = _key_from(each["label"], number, asked)
    return asked


def _read_number(text: str) -> Any:
    """A number stays one; a text with `${ … }` is worked out when the run comes to it."""
    if not text or "${" in text:
        return text
    number = read_number(text)
    if number is None:
        raise ValueError(_("Enter a number, or take one from an earlier step."))
    return number


def read_start(settings: Settings, form: Any) -> StartForm:
    """Read the posted start card: the inputs in order, then one button's wish (`do`: add, remove:n, up:n, down:n)."""
    errors: dict[str, Any] = {}
    count = int(form.get("count", "0")) if form.get("count", "0").isdecimal() else 0
    inputs = [_read_input(number, form) for number in range(min(count, MAX_INPUTS))]
    is_wish = _obey(form.get("do", ""), inputs)
    for number, each in enumerate(inputs):
        if AUTO_KEY.match(each["key"]):
            each["key"] = _key_from(each["label"], number, inputs)
        if not KEY.match(each["key"]):
            errors[f"{number}-key"] = _("Use a–z, 0–9 and _, beginning with a letter.")
        elif each["key"] in [other["key"] for other in inputs[:number]]:
            errors[f"{number}-key"] = _("Two inputs have this key. Rename one.")
        errors |= {f"{number}-{name}": wrong for name in ("label", "label_ar") if (wrong := names.problem(each[name]))}
    new = {**settings, "inputs": inputs}
    if "error_workflow" in form:
        new["error_workflow"] = clean(form["error_workflow"])[:40] or None
    amount = ascii_digits(clean(form.get("deadline", "")))
    unit = form.get("deadline_unit", "60")
    if amount.isdecimal() and unit in dict(UNITS) and 60 <= int(amount[:9]) * int(unit) <= MAX_DEADLINE_S:
        new["deadline_s"] = int(amount) * int(unit)
    elif amount or not is_wish:
        errors["deadline_s"] = _("The time limit of a run is between 1 minute and 30 days.")
    new, refused, typed = bounds.read(new, form)
    return StartForm(new, errors | refused, {"inputs": inputs, "deadline": amount, "deadline_unit": unit, **typed})


def _read_input(number: int, form: Any, prefix: str = "i-") -> dict[str, Any]:
    def given(name: str) -> str:
        return str(clean(form.get(f"{prefix}{number}-{name}", "")))

    kind = given("type")
    return {
        "key": given("key")[:60],
        "type": kind if kind in INPUT_TYPES else "text",
        "label": names.tidy(given("label"))[:MAX_NAME],
        "label_ar": names.tidy(given("label_ar"))[:MAX_NAME],
        "required": form.get(f"{prefix}{number}-required") == "1",
        "sensitive": form.get(f"{prefix}{number}-sensitive") == "1",
        "choices": [line for each in given("choices").splitlines() if (line := each.strip()[:MAX_NAME])][:100],
    }


def _obey(wish: str, inputs: list[dict[str, Any]]) -> bool:
    """Carry out what one button of the start card asks for; say whether it was one."""
    what, _colon, number = wish.partition(":")
    position = int(number) if number.isdecimal() else -1
    if what == "add" and len(inputs) < MAX_INPUTS:
        inputs.append({"key": "", "type": "text", "label": "", "label_ar": "", "required": True, "choices": []})
    elif what == "remove" and 0 <= position < len(inputs):
        del inputs[position]
    elif what == "up" and 0 < position < len(inputs):
        inputs.insert(position - 1, inputs.pop(position))
    elif what == "down" and 0 <= position < len(inputs) - 1:
        inputs.insert(position + 1, inputs.pop(position))
    return bool(what)


def _key_from(label: str, number: int, inputs: list[dict[str, Any]], *, base: str = "input") -> str:
    """Make a key from an English label, else `base`, with a number if it is taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:36]
    base = plain if KEY.match(plain) else base
    taken = {each["key"] for position, each in enumerate(inputs) if position != number}
    return base if base not in taken else next(key for n in range(2, 99) if (key := f"{base}_{n}") not in taken)


def deadline_parts(seconds: int) -> tuple[str, str]:
    """Return a time limit as an amount and the largest unit that holds it whole."""
    for unit in ("86400", "3600"):
        if seconds % int(unit) == 0:
            return str(seconds // int(unit)), unit
    return str(-(-seconds // 60)), "60"
