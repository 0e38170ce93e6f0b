"""What an action is: its form, its effect class, and `perform`, which returns an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from portal.workflows.definition import DEFAULT_TIMEOUT_S, Field

# pure: computed in the transaction that ends the step before. db: applied in the transaction that ends this step, exactly
# once. idempotent: may be repeated with the same key. at_least_once: may be repeated, declared. unsafe: never repeated by
# the engine once it may have happened.
EFFECTS = ("pure", "db", "idempotent", "at_least_once", "unsafe")


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of one step: what to do, for whom, under which stable key."""

    tenant_id: UUID
    run_id: UUID
    workflow_name: str
    workflow_name_ar: str | None
    node_key: str
    config: dict[str, Any]
    idem_key: str
    attempt: int
    started_by: UUID | None
    timeout_s: int = DEFAULT_TIMEOUT_S
    context: Mapping[str, Any] = field(default_factory=dict)  # the variables of `${ … }`, for what is worked out item by item


@dataclass(frozen=True, slots=True)
class Done:
    """It worked. `port` is the way out: "out", or a lane of a condition or switch."""

    output: Any = field(default_factory=dict)
    port: str = "out"


@dataclass(frozen=True, slots=True)
class SignalWait:
    """A wait for a signal of this name and key."""

    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class TaskWait:
    """A question to people: what they read and fill in, who they are, how many of them decide, and what happens while they do not.

    Args:
        outcomes: `{"key", "label", "label_ar", "tone"}`; the first one is the wish of who asks.
        candidates, escalate_to: `person:<id>`, `role:<name or id>`, `group:<id>`.
        quorum: any, all, majority or count (with `quorum_count`).
        bars_starter, bars_deciders: four eyes: who started the run, or decided another task of it, may not decide this one.
    """

    title: str
    title_ar: str
    details: str
    form: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    candidates: list[str]
    quorum: str = "any"
    quorum_count: int = 1
    bars_starter: bool = False
    bars_deciders: bool = False
    remind_every_s: int | None = None
    escalate_at: datetime | None = None
    escalate_to: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to do before something happens; holds no worker.

    The first of these ends it: a moment (`until`, or `after_s` by the database's clock), a signal, the decision of a task.

    Args:
        output: what the step ends with when the moment comes.
        fails_with: a code: the step fails with it instead when the moment comes.
    """

    until: datetime | None = None
    after_s: float | None = None
    output: Any = field(default_factory=dict)
    fails_with: str | None = None
    signal: SignalWait | None = None
    task: TaskWait | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A block that waits for its frames; `facts` say how many there are and when it ends (`engine.blocks`).

    Args:
        items: what each frame of a for-each works on; None: its number.
    """

    facts: dict[str, Any]
    items: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on at another step of the same frame, at most `most` times; then fail, or go on with the next step."""

    to: str
    most: int
    fails: bool = True


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run here: `status` is succeeded or failed."""

    status: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Calls:
    """Run another workflow and wait for its end, without a worker."""

    workflow_id: UUID
    given: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not work.

    Args:
        code: a stable code, explained in the reader's language by `explain`.
        detail: plain facts for the person (a status, a field name); never a secret or an internal address.
        again: whether another attempt can help.
        sent: False when it is proven that nothing left the house; True or None when it may have.
    """

    code: str
    detail: str = ""
    again: bool = False
    sent: bool | None = False
    retry_after_s: float | None = None


Outcome = Done | Waiting | Opened | Jump | Stop | Calls | Failed


class Action(Protocol):
    """One kind of step. `perform` of a pure or db action runs inside the engine's transaction; of all others outside."""

    kind: ClassVar[str]
    icon: ClassVar[str]
    label: ClassVar[Any]
    description: ClassVar[Any]
    fields: ClassVar[tuple[Field, ...]]
    outputs: ClassVar[tuple[tuple[str, Any], ...]]

    def effect(self, config: dict[str, Any]) -> str:
        """Return the effect class for this configuration."""

    def perform(self, call: Call) -> Outcome:
        """Do it once."""


def whole(value: Any, usual: int, *, least: int, most: int) -> int:
    """Read a whole number that an author typed or a run worked out; what is none is the usual one, and all of them keep to the bounds."""
    try:
        number = int(float(value))
    except (TypeError, ValueError, OverflowError):
        number = usual
    return max(least, min(number, most))
