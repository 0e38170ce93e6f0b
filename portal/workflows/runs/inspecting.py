"""One step of a run in the inspector: what became of it, attempt by attempt, with what it was given and what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.core import clock
from portal.core.access import Access, Permission
from portal.i18n import formats
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.workflows import explain
from portal.workflows.designer.edits import Card
from portal.workflows.engine.store import answering, hurrying
from portal.workflows.explain import Large, StepView
from portal.workflows.runs import queries as own
from portal.workflows.runs import spans, telling, trees, usage
from portal.workflows.runs.spans import Span, Sums
from portal.workflows.runs.usage import Usage
from portal.workflows.tasks import queries as tasks
from portal.workflows.tasks import service as task_verbs
from portal.workflows.tasks.wording import outcome_of, title_of


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt: `span` when it was at work; `ended` is how it ended, "" while it goes on."""

    number: int
    span: Span
    ended: Any
    reason: Any
    tone: str


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output: whole as a tree, or of a large one (`large`) only the beginning."""

    name: str
    tree: trees.Tree | None = None
    large: Large | None = None
    plain: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered a step, and how."""

    person: str | None
    said: str
    note: str
    at: Any


@dataclass(frozen=True, slots=True)
class Question:
    """The task by which a step asks people, as the reader may answer it here."""

    id: UUID
    title: str
    details: str
    form: list[dict[str, Any]]
    outcomes: list[tuple[str, str, str]]
    is_open: bool
    may_decide: bool
    is_doubt: bool
    due_at: Any
    taken_by: str | None


@dataclass(frozen=True, slots=True)
class Twin:
    """One of the times that a step ran."""

    scope: str
    label: str
    state: str


@dataclass(frozen=True, slots=True)
class Inspected:
    """All that the inspector shows; `step` is None before the step has begun."""

    card: Card
    step: StepView | None = None
    sums: Sums | None = None
    spans: Sequence[Span] = ()
    tries: Sequence[Try] = ()
    values: Sequence[Value] = ()
    log: Sequence[telling.Told] = ()
    answers: Sequence[Answer] = ()
    question: Question | None = None
    signal: Any = None
    effect: tuple[Any, Any] | None = None
    effect_at: Any = None
    twins: Sequence[Twin] = ()
    scope: str = ""
    called: Sequence[Any] = ()
    files: Sequence[Any] = ()
    can_hurry: bool = False
    can_skip: bool = False
    id: UUID | None = None
    kept_bytes: int = 0
    used: Usage | None = None


def inspect(here: Access, run: Any, card: Card, *, scope: str | None, signal: Any, files: Sequence[Any], due_at: Any) -> Inspected:
    """Return what is known of a step.

    Args:
        scope: the frame that is meant, where a step ran more than once.
        signal: what it waits for and the reader may send.
        files: those of the run.
        due_at: when its wait is over.
    """
    row = own.step_of(here.tenant_id, run.id, card.key, scope=scope)
    twins = _twins(own.twins_of(here.tenant_id, run.id, card.key)) if card.crowd else []
    if row is None:
        return Inspected(card, twins=twins)
    attempts = own.attempts_of(here.tenant_id, [row.id]).get(row.id, [])
    line = spans.spans_of(row, attempts, now=clock.now())
    # Of a long run what stands around the step's end; a short one is looked through whole, also for what came after that.
    up_to = (row.ended_seq or run.event_seq) if run.event_seq > own.LOOKED_AT else run.event_seq
    events = own.events_of(here.tenant_id, run.id, card.key, row.scope_path, up_to=up_to)
    question, answers = _asked(here, row)
    step = explain.step_view(row, due_at)
    made = [each for each in files if each.idem_key.startswith(row.idem_key)]
    return Inspected(
        card,
        step,
        spans.sums_of(line),
        line,
        _tries(line, attempts, row),
        [each for each in (_value("input", step.input, card.key), _value("output", step.output, card.key)) if each],
        telling.tell(events, identity.names_of(telling.actors(events)), since=line[0].begins if line else row.created_at),
        answers,
        question,
        signal if row.state == "waiting" else None,
        telling.EFFECTS.get(row.effect_class),
        row.effect_at if row.effect_class not in ("pure", "db") else None,
        twins,
        row.scope_path,
        own.called_runs(here.tenant_id, row.id) if card.kind == "subworkflow" else (),
        made,
        can_hurry=row.state == "ready" and row.attempt > 0 and row.available_at > clock.now() and run.status != "paused",
        can_skip=row.state == "waiting" and row.kind in hurrying.SKIPPABLE and run.status not in ("paused", "cancelling", "compensating"),
        id=row.id,
        kept_bytes=sum(each.size for each in made),
        used=usage.of_step(row),
    )


def _twins(rows: Sequence[Any]) -> list[Twin]:
    found = {row.scope_path: Twin(row.scope_path, _numbered(row.scope_path), row.state) for row in reversed(rows)}
    return list(reversed(found.values()))


def _numbered(scope: str) -> str:
    """Say which round of which block a frame is: `each:2/inner:0` is no. 3.1."""
    numbers = [part.rpartition(":")[2] for part in scope.split("/")]
    if not scope:
        return _("The last time")
    if "-1" in numbers:
        return _("Taking back")
    return _("No. %(number)s", number=".".join(formats.number(int(each) + 1) if each.isdecimal() else each for each in numbers))


def _value(name: str, value: Any, key: str) -> Value | None:
    if value is None:
        return None
    if isinstance(value, Large):
        return Value(name, large=value)
    path = f"steps.{key}" if name == "output" else f"steps.{key}.input"
    return Value(name, tree=trees.grow(value, path), plain=value)


def _tries(line: Sequence[Span], attempts: Sequence[Any], row: Any) -> list[Try]:
    """Return the attempts; a step that was done in one go with others has one without a row of its own."""
    found = []
    for span in line:
        if not span.attempt:
            continue
        if span.attempt <= len(attempts):
            attempt = attempts[span.attempt - 1]
            ended, code = attempt.outcome, attempt.error_code
        else:
            ended, code = ("", None) if span.is_open else (row.state, (row.error or {}).get("code"))
        tone = {"succeeded": "success", "failed": "danger", "ready": "warning", "in_doubt": "warning"}.get(ended, "neutral")
        found.append(Try(span.attempt, span, telling.outcome(ended) if ended else "", telling.reason(code), tone))
    return found


def _asked(here: Access, row: Any) -> tuple[Question | None, list[Answer]]:
    """Return the question that a step asks, and who has answered it."""
    task_id = tasks.task_of_step(here.tenant_id, row.id)
    if task_id is None:
        signals = own.sent_signals(here.tenant_id, row.id)
        names = identity.names_of({each.sent_by for each in signals if each.sent_by})
        return None, [Answer(names.get(each.sent_by), each.source, "", each.created_at) for each in signals]
    task, votes = tasks.get(here.tenant_id, task_id), tasks.votes_of(here.tenant_id, task_id)
    names = identity.names_of({each for each in (task.claimed_by, *(vote.person_id for vote in votes)) if each})
    answers = [Answer(names.get(vote.person_id), outcome_of(task, vote.outcome), vote.note, vote.created_at) for vote in votes]
    has_voted = any(vote.person_id == here.person_id and vote.gen == task.gen for vote in votes)
    may = (
        here.can(Permission.TASK_DECIDE)
        and not has_voted
        and task.claimed_by in (None, here.person_id)
        and task_verbs.may_decide(here.tenant_id, task, here.person_id)
    )
    outcomes = [(each["key"], outcome_of(task, each["key"]), each.get("tone", "")) for each in task.outcomes]
    may_see = here.can(Permission.TASK_MANAGE) or tasks.is_named(here.tenant_id, task_id, here.person_id)
    question = Question(
        task_id, title_of(task), task.details if may_see else "", task.form, outcomes, task.state == "open", may, task.kind == answering.DOUBT,
        task.due_at, names.get(task.claimed_by) if task.claimed_by not in (None, here.person_id) else None,
    )  # fmt: skip
    return question, answers if may_see else [Answer(each.person, each.said, "", each.at) for each in answers]
