"""What templates are written with: plain data in both languages, which becomes a draft when somebody begins with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from portal.core.config import current_settings
from portal.datatables import service as tables
from portal.i18n.locale import chosen_tag
from portal.workflows.definition import DEFAULT_ATTEMPTS, DEFAULT_TIMEOUT_S

Node = dict[str, Any]
Steps = list[Node]
Pair = tuple[str, str]
DAY_S = 86_400
SELF = "self"  # the workflow that is made, where a step calls it
OFFICE = ("role:owner", "role:admin", "role:builder")
TEAM = (*OFFICE, "role:member")
HEADS = ("role:owner", "role:admin")
TWO: dict[str, Any] = {"quorum": "count", "quorum_count": 2}  # of those who are asked, two have to agree


@dataclass(frozen=True, slots=True)
class Both:
    """A text for which a step has one field only: it becomes the one in the language of the person who begins with the template."""

    en: str
    ar: str


@dataclass(frozen=True, slots=True)
class Echo:
    """The address of another system to be put in: the echo of a development house, which answers everything, or an example."""

    path: str

    def __str__(self) -> str:
        opened = [each for each in current_settings().openings if "/" not in each]
        return f"http://{opened[0]}{self.path}" if opened else f"https://example.com{self.path}"


@dataclass(frozen=True, slots=True)
class Table:
    """A data table that a template writes to; made when it is not there."""

    slug: str
    name: str
    name_ar: str
    columns: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A start by the clock that a template proposes; it begins switched off."""

    name: str
    name_ar: str
    cron: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A way to begin: everything a draft is made of, and what it leaves to be set up (`needs`)."""

    slug: str
    icon: str
    category: str
    name: str
    name_ar: str
    description: str
    description_ar: str
    steps: Steps
    inputs: tuple[dict[str, Any], ...] = ()
    tables: tuple[Table, ...] = ()
    schedule: Schedule | None = None
    days: int = 14
    needs: tuple[Both, ...] = field(default=())

    @property
    def kinds(self) -> list[str]:
        """The kinds of its steps, each once, in their order."""
        return list(dict.fromkeys(node["kind"] for node in self.steps))

    def draft(self, workflow_id: UUID | None = None) -> tuple[Steps, dict[str, Any]]:
        """Return nodes and settings in the reader's language; nothing is made."""
        nodes = _resolved(self.steps, chosen_tag(), str(workflow_id) if workflow_id else SELF)
        return nodes, {"inputs": _resolved(list(self.inputs), chosen_tag(), SELF), "deadline_s": self.days * DAY_S}

    def make_tables(self, tenant_id: UUID) -> None:
        """Make the data tables that are not there yet; one of the same short name stays as it is."""
        for each in self.tables:
            tables.ensure_table(tenant_id, each.slug, name=each.name, name_ar=each.name_ar, columns=list(each.columns))


def _resolved(value: Any, tag: str, own_id: str) -> Any:
    if isinstance(value, Both):
        return value.ar if tag == "ar" else value.en
    if isinstance(value, Echo):
        return str(value)
    if isinstance(value, Mapping):
        return {key: own_id if key == "workflow" and each == SELF else _resolved(each, tag, own_id) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_resolved(each, tag, own_id) for each in value]
    return value


def step(
    key: str, kind: str, names: Pair, lanes: Mapping[str, Iterable[Steps]] | None = None, /, *, on_error: str = "", **config: Any
) -> Steps:
    """Return a step as the designer would leave it, with everything in its lanes after it."""
    node: Node = {
        "key": key, "kind": kind, "name": names[0], "name_ar": names[1], "parent": None, "lane": None, "config": config,
        "retry": {"attempts": DEFAULT_ATTEMPTS}, "timeout_s": DEFAULT_TIMEOUT_S,
    }  # fmt: skip
    if on_error or "error" in (lanes or {}):
        node["on_error"] = on_error or "lane"
    return [node, *(inside for lane, held in (lanes or {}).items() for inside in _put(key, lane, held))]


def _put(parent: str, lane: str, held: Iterable[Steps]) -> Steps:
    return [{**node, "parent": parent, "lane": lane} if node["parent"] is None else node for steps in held for node in steps]


def flow(*steps: Steps) -> Steps:
    """Return steps one after another."""
    return [node for each in steps for node in each]


TOLD = {
    "starter": ("Tell who asked", "إشعار مقدّم الطلب"),
    "admins": ("Tell the admins", "إشعار المشرفين"),
    "everyone": ("Tell everyone", "إشعار الجميع"),
}


def tell(key: str, english: str, arabic: str, *, to: str = "admins", severity: str = "info", names: Pair | None = None) -> Steps:
    """Return a notice in the bell."""
    return step(key, "notification", names or TOLD[to], to=to, message=Both(english, arabic), severity=severity)


def mail(
    key: str, names: Pair, to: str, subject: Pair, body: Pair, *, error: Iterable[Steps] = (), **config: Any
) -> Steps:  # fmt: skip
    """Return a mail; `error` are the steps for when it cannot be sent."""
    return step(key, "email", names, {"error": error} if error else None, to=to, subject=Both(*subject), body=Both(*body), **config)


def same(text: str) -> Pair:
    """Return a text that is the same in both languages: values of the run and nothing else."""
    return text, text


def _ask(key: str, kind: str, names: Pair, title: Pair, details: Pair, who: Iterable[str], lanes: Any, config: dict[str, Any]) -> Steps:
    held = dict(lanes or {})
    if held and config.get("limit") and "expired" not in held:
        late = (f"No decision in time: {title[0]}", f"انتهت المهلة دون قرار: {title[1]}")
        held["expired"] = [tell(f"{key}_late", *late, severity="error")]
    asked: dict[str, Any] = {
        "title": title[0],
        "title_ar": title[1],
        "details": Both(*details),
        "candidates": list(who),
        "own_lanes": bool(held),
    }
    if "escalate_h" in config:
        asked.setdefault("escalate_to", list(HEADS))
    return step(key, kind, names, held, **{**asked, **config})


def approve(
    key: str, names: Pair, title: Pair, details: Pair, who: Iterable[str] = OFFICE, lanes: Mapping[str, Iterable[Steps]] | None = None,
    **config: Any,
) -> Steps:  # fmt: skip
    """Return a question for approval; with a limit, nobody deciding in time is told to the admins."""
    return _ask(key, "approval", names, title, details, who, lanes, config)


def question(title: Pair, details: Pair, **usual: Any) -> Callable[..., Steps]:
    """Return what puts one question to different people: (key, names, who, lanes, **what differs), as `approve` without its texts."""

    def put(key: str, names: Pair, who: Iterable[str] = TEAM, lanes: Mapping[str, Iterable[Steps]] | None = None, **config: Any) -> Steps:
        return approve(key, names, title, details, who, lanes, **{**usual, **config})

    return put


def approved(*keys: str) -> str:
    """Return the condition that the one of these questions that was put was approved."""
    return " || ".join(f"(has(steps.{key}) && steps.{key}.outcome == 'approve')" for key in keys)


def task(
    key: str, names: Pair, title: Pair, details: Pair, who: Iterable[str] = OFFICE, lanes: Mapping[str, Iterable[Steps]] | None = None,
    *, form: Iterable[dict[str, Any]] = (), outcomes: Mapping[str, Pair] | None = None, **config: Any,
) -> Steps:  # fmt: skip
    """Return a task; `outcomes` are the ways to end, the hoped-for one first."""
    ways = outcomes or {"done": ("Done", "تم")}
    config = {
        "form": list(form), "outcomes": [{"key": each, "label": label, "label_ar": label_ar} for each, (label, label_ar) in ways.items()],
        **config,
    }  # fmt: skip
    return _ask(key, "task", names, title, details, who, lanes, config)


def when(key: str, names: Pair, condition: str, yes: Iterable[Steps] = (), no: Iterable[Steps] = ()) -> Steps:
    """Return a condition."""
    return step(key, "condition", names, {"then": yes, "else": no}, when=condition)


def stop(key: str, names: Pair, english: str, arabic: str, *, outcome: str = "succeeded") -> Steps:
    """Return an end before the end."""
    return step(key, "stop", names, outcome=outcome, message=Both(english, arabic))


def undecided(key: str, arabic: str) -> Steps:
    """Return the failure of a run on which nobody decided; what stays open is named in Arabic by what it is."""
    return stop(key, ("Nobody decided", arabic), "Nobody decided in time.", "انتهت المهلة دون قرار.", outcome="failed")


def choose(key: str, names: Pair, cases: Iterable[tuple[Pair, str, Iterable[Steps]]], otherwise: Iterable[Steps] = ()) -> Steps:
    """Return a switch of (name, condition, steps)."""
    cases = list(cases)
    lanes = {f"case_{number}": steps for number, (_name, _when, steps) in enumerate(cases, 1)}
    return step(
        key, "switch", names, {**lanes, "otherwise": otherwise},
        cases=[{"name": Both(*name), "value": condition} for name, condition, _steps in cases],
    )  # fmt: skip


def side(key: str, names: Pair, *lanes: Iterable[Steps], **config: Any) -> Steps:
    """Return lanes that run at the same time."""
    return step(key, "parallel", names, {f"lane_{number}": held for number, held in enumerate(lanes, 1)}, lanes=len(lanes), **config)


def each(key: str, names: Pair, items: Any, *inside: Steps, **config: Any) -> Steps:
    """Return a loop over a list."""
    return step(key, "foreach", names, {"each": inside}, source="list", list=items, **config)


def row(key: str, names: Pair, table: str, **values: Any) -> Steps:
    """Return the adding of a row."""
    return step(key, "database", names, table=table, operation="insert", values=pairs(**values))


def rows(key: str, names: Pair, table: str, limit: int = 100, **filters: str) -> Steps:
    """Return the finding of rows."""
    return step(key, "database", names, table=table, operation="find", filters=pairs(**filters), limit=limit)


def change(key: str, names: Pair, table: str, find: dict[str, str], **values: Any) -> Steps:
    """Return the change of rows that a filter finds."""
    return step(key, "database", names, table=table, operation="update", filters=pairs(**find), values=pairs(**values))


def keep(key: str, names: Pair, **values: Any) -> Steps:
    """Return values that later steps use by name."""
    return step(key, "set", names, values=pairs(**values))


def asked(
    key: str, kind: str, label: str, label_ar: str, *, required: bool = True, choices: Iterable[Pair] = ()
) -> dict[str, Any]:  # fmt: skip
    """Return an input of a workflow, or a field of a form."""
    return {
        "key": key,
        "type": kind,
        "label": label,
        "label_ar": label_ar,
        "required": required,
        "choices": [Both(*pair) for pair in choices],
    }


EMPLOYEE = (asked("employee", "text", "Employee", "الموظف"), asked("employee_email", "email", "Employee's e-mail", "بريد الموظف"))


def column(key: str, kind: str, label: str, label_ar: str) -> dict[str, Any]:
    """Return a column of a data table."""
    return {"key": key, "type": kind, "label": label, "label_ar": label_ar, "required": False}


def pairs(**values: Any) -> list[dict[str, Any]]:
    """Return names and values as a field of pairs keeps them."""
    return [{"name": name, "value": value} for name, value in values.items()]
