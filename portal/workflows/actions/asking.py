"""What the kinds share that ask people: their fields, and the question that these come to."""

from __future__ import annotations

from typing import Any

from portal.i18n.words import lazy_gettext as _l
from portal.workflows import people
from portal.workflows.actions import limits
from portal.workflows.actions.base import Call, Failed, Outcome, TaskWait, Waiting
from portal.workflows.definition import INPUT_TYPES, KEY, MAX_INPUTS, Field
from portal.workflows.errors import NobodyNamed
from portal.workflows.expressions import as_text

LONGEST_TITLE = 200
LONGEST_DETAILS = 10_000
MOST_OUTCOMES = 6
MOST_PEOPLE = 100
TAKEN = ("outcome", "note", "csrf_token")  # what the page of a task sends beside the form
TAKEN_LANES = {"error", "undo", "out", "jump"}
MAX_REMIND_H = 30 * 24

TITLE = (
    Field("title", "text", _l("What is asked"), _l("The headline of the task, e.g. Leave of ${ input.name }"), required=True),
    Field("title_ar", "text", _l("What is asked, in Arabic"), _l("Empty: the other one is shown.")),
    Field("details", "long_text", _l("What people must know to decide")),
)
PEOPLE = Field("candidates", "people", _l("Who may decide"), _l("Everybody who belongs to one of them."), required=True, default=())
LANES = Field(
    "own_lanes",
    "boolean",
    _l("Each outcome has a lane of its own"),
    _l("The run goes into the lane of what was decided. Otherwise one way leads on, and later steps look at the outcome."),
    default=False,
)
REST = (
    Field("form", "inputs", _l("What they fill in"), _l("Later steps read it as values of this step."), default=()),
    Field(
        "quorum",
        "choice",
        _l("How many decide"),
        choices=(
            ("any", _l("One of them")),
            ("all", _l("All of them")),
            ("majority", _l("More than half of them")),
            ("count", _l("So many of them")),
        ),
        default="any",
    ),
    Field(
        "quorum_count",
        "number",
        _l("How many"),
        _l("A number of people, 100 at most"),
        required=True,
        default=2,
        show_when=("quorum", ("count",)),
    ),
    Field(
        "four_eyes",
        "choice",
        _l("Who may not"),
        choices=(
            ("none", _l("Nobody is left out")),
            ("starter", _l("Who started the run")),
            ("deciders", _l("Who decided another task of the run")),
            ("both", _l("Who started the run or decided another task of it")),
        ),
        default="none",
    ),
    limits.AMOUNT,
    limits.UNIT,
    limits.CALENDAR,
    limits.if_late(_l("Go on, with the outcome “expired”")),
    Field("remind_h", "number", _l("Remind every so many hours"), _l("Empty for never; at most twenty times.")),
    Field("escalate_h", "number", _l("Let others decide too after so many working hours"), _l("Empty for never.")),
    Field("escalate_to", "people", _l("Those others"), default=()),
)
OUTPUTS = (
    ("outcome", _l("What was decided, or expired")),
    ("values", _l("What was filled in")),
    ("note", _l("What was written with the decision")),
    ("by", _l("Who decided last")),
    ("votes", _l("Every decision, with its time")),
)


def ask(call: Call, outcomes: list[dict[str, Any]]) -> Outcome:
    """Return the wait for people to decide between the outcomes."""
    config = call.config
    until = limits.moment(call, "limit", config["limit_unit"])
    if isinstance(until, Failed):
        return until
    escalate_at = limits.moment(call, "escalate_h", "working_hours") if config["escalate_to"] else None
    if isinstance(escalate_at, Failed):
        return escalate_at
    count, remind_h = _number(config.get("quorum_count"), 1), _number(config["remind_h"], 0)
    bars = {"starter": config["four_eyes"] in ("starter", "both"), "deciders": config["four_eyes"] in ("deciders", "both")}
    try:
        people.check_enough(
            call.tenant_id, call.run_id, list(config["candidates"]), need=max(count, 1) if config["quorum"] == "count" else 1, **bars
        )
    except NobodyNamed as refused:
        return Failed("task_nobody", detail=f"{refused.able}/{refused.need}")
    task = TaskWait(
        title=as_text(config["title"])[:LONGEST_TITLE],
        title_ar=as_text(config["title_ar"])[:LONGEST_TITLE],
        details=as_text(config["details"])[:LONGEST_DETAILS],
        form=list(config["form"]),
        outcomes=outcomes,
        candidates=list(config["candidates"]),
        quorum=config["quorum"],
        quorum_count=count,
        bars_starter=bars["starter"],
        bars_deciders=bars["deciders"],
        remind_every_s=int(remind_h * 3600) or None,
        escalate_at=escalate_at,
        escalate_to=list(config["escalate_to"]),
    )
    fails_with = "task_expired" if config["if_late"] == "fail" else None
    return Waiting(until, output={"outcome": "expired", "values": {}, "votes": []}, fails_with=fails_with, task=task)


def _number(given: Any, usual: float) -> Any:
    try:
        number = float(given)
    except (TypeError, ValueError):
        return usual
    return int(number) if number.is_integer() else number


def problems_of(config: dict[str, Any], deadline_s: int) -> list[tuple[str, Any]]:
    """Return what is wrong with the settings beyond their fields: (field, sentence)."""
    found = limits.problems_of(config, deadline_s)
    count = config.get("quorum_count", 2)
    if config.get("quorum") == "count" and not (isinstance(count, int) and 1 <= count <= MOST_PEOPLE):
        found.append(("quorum_count", _l("Enter a whole number between 1 and %(num)d.", num=MOST_PEOPLE)))
    remind = config.get("remind_h")
    if remind not in (None, "") and not (isinstance(remind, int | float) and 0.25 <= remind <= MAX_REMIND_H):
        found.append(("remind_h", _l("Reminders come every quarter of an hour at most, and within 30 days.")))
    if config.get("escalate_h") not in (None, "") and not config.get("escalate_to"):
        found.append(("escalate_to", _l("Choose who may decide then.")))
    if config.get("escalate_to") and config.get("escalate_h") in (None, ""):
        found.append(("escalate_h", _l("Say after how many working hours.")))
    return found + _form_problems(config.get("form") or ())


def _form_problems(form: Any) -> list[tuple[str, Any]]:
    keys: set[str] = set()
    if len(form) > MAX_INPUTS:
        return [("form", _l("A form asks for at most %(num)d things.", num=MAX_INPUTS))]
    for each in form:
        key = each.get("key", "")
        if not KEY.match(key) or key in keys:
            return [("form", _l("Each thing that is filled in needs a key of its own: a–z, 0–9 and _, beginning with a letter."))]
        if key in TAKEN:
            return [("form", _l("“%(key)s” is taken. Choose another key.", key=key))]
        if each.get("type") not in INPUT_TYPES or (each.get("type") == "choice" and not each.get("choices")):
            return [("form", _l("Choose a type for “%(key)s”, and what can be chosen.", key=key))]
        keys.add(key)
    return []
