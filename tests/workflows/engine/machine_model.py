"""What the engine must do with the program of `test_machine`, in memory and by a clock of its own.

The program: two lanes side by side, then a call. In the first lane a call that can be taken back and a wait of an hour; in the
second a signal, a call that can be taken back and a question to two people who must both agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LANES = (("a", "pause"), ("told", "b", "ask"))
PURE = ("both", "pause")
UNDOABLE = ("a", "b")
ATTEMPTS = 5
CRASHES = 3
ENDED = ("succeeded", "failed", "cancelled", "compensated")
HOUR = 3600
LEASE_S = 600


@dataclass
class Step:
    state: str
    at: float = 0.0  # ready: due; leased: until; waiting for the clock: due
    epoch: int = 0
    attempt: int = 0
    crashes: int = 0


@dataclass
class Model:
    """One run."""

    clock: Clock
    status: str = "running"
    steps: dict[str, Step] = field(default_factory=dict)
    signal_is_there: bool = False
    votes: dict[int, str] = field(default_factory=dict)
    ends_as: str = ""
    undoes: bool = False
    order: list[str] = field(default_factory=list)  # what succeeded and can be taken back
    undone: list[str] = field(default_factory=list)
    not_undone: int = 0

    def __post_init__(self) -> None:
        self.steps["both"] = Step("ready", self.clock.now)

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    @property
    def claimable(self) -> set[str]:
        if self.status not in ("running", "compensating"):
            return set()
        return {key for key, step in self.steps.items() if step.state == "ready" and step.at <= self.clock.now}

    def claim(self, key: str) -> Step:
        step = self.steps[key]
        step.state, step.at = "leased", self.clock.now + LEASE_S
        step.epoch += 1
        step.attempt += 1
        return step

    def holds(self, key: str, epoch: int) -> bool:
        step = self.steps[key]
        return step.state == "leased" and step.epoch == epoch

    def end_attempt(self, key: str, how: str) -> None:
        """What a worker brings back: done, failed, retry."""
        if self.status == "closing":
            self._come_back(key, "succeeded" if how == "done" else "cancelled")
        elif how == "done":
            self.compute(key) if key in (*PURE, "told", "ask") else self.succeed(key)
        elif how == "retry" and self.steps[key].attempt < ATTEMPTS:
            self.steps[key].state, self.steps[key].at = "ready", self.clock.now + HOUR
        else:
            self.fail(key)

    def give_up(self, key: str) -> None:
        """A worker that finds the run ending before it began."""
        self._come_back(key, "cancelled")

    def rescue(self, key: str) -> None:
        step = self.steps[key]
        step.epoch += 1
        step.crashes += 1
        if self.status == "closing":
            self._come_back(key, "cancelled")
        elif step.crashes > CRASHES:
            self.fail(key)
        else:
            step.state, step.at = "ready", self.clock.now

    def begin(self, key: str) -> None:
        self.steps[key] = Step("ready", self.clock.now)
        if key in PURE and self.status != "paused":
            self.steps[key].attempt = 1
            self.compute(key)

    def compute(self, key: str) -> None:
        step = self.steps[key]
        step.state = "waiting"
        if key == "both":
            for lane in LANES:
                self.begin(lane[0])
        elif key == "pause":
            step.at = self.clock.now + HOUR
        elif key == "told" and self.signal_is_there:
            self.take_signal()

    def take_signal(self) -> None:
        self.signal_is_there = False
        self.succeed("told")

    def succeed(self, key: str) -> None:
        self.steps[key].state = "succeeded"
        if key in UNDOABLE:
            self.order.append(key)
        if key.startswith("un_"):
            self.undone.append(key)
            self._undo_next()
        elif key == "last":
            self.status = "succeeded"
        elif key == "both":
            self.begin("last")
        else:
            lane = next(each for each in LANES if key in each)
            if key != lane[-1]:
                self.begin(lane[lane.index(key) + 1])
            elif all(each[-1] in self.steps and self.steps[each[-1]].state == "succeeded" for each in LANES):
                self.succeed("both")

    def fail(self, key: str) -> None:
        self.steps[key].state = "failed"
        if key.startswith("un_"):
            self.not_undone += 1
            self._undo_next()
            return
        if key not in ("last", "both"):
            self.steps["both"].state = "failed"
        self._close("failed")

    def cancel(self, *, undo: bool) -> None:
        if self.status in ("running", "paused"):
            self.undoes = undo
            self._close("cancelled")

    def sweep(self) -> None:
        leased = [(step.at, key) for key, step in self.steps.items() if step.state == "leased" and step.at < self.clock.now]
        for _at, key in sorted(leased):
            self.rescue(key)
        pause = self.steps.get("pause")
        if pause is not None and pause.state == "waiting" and pause.at <= self.clock.now and self.status == "running":
            self.succeed("pause")

    def vote(self, number: int, outcome: str) -> str | None:
        """Return closed, already or counted."""
        mine, is_open = self.votes.get(number), self.steps["ask"].state == "waiting"
        if mine == outcome:
            return "counted"
        if not is_open:
            return "closed"
        if mine is not None:
            return "already"
        self.votes[number] = outcome
        if outcome == "reject" or list(self.votes.values()).count("approve") == 2:
            self.succeed("ask")
        return "counted"

    def _close(self, how: str) -> None:
        for step in self.steps.values():
            if step.state in ("ready", "waiting"):
                step.state = "cancelled"
        self.ends_as, self.status = how, "closing"
        self._finish()

    def _come_back(self, key: str, state: str) -> None:
        self.steps[key].state = state
        if state == "succeeded" and key in UNDOABLE:
            self.order.append(key)
        self._finish()

    def _finish(self) -> None:
        if any(step.state == "leased" for step in self.steps.values()):
            return
        self.status = self.ends_as
        if self.order and (self.ends_as == "failed" or self.undoes):
            self.status = "compensating"
            self._undo_next()

    def _undo_next(self) -> None:
        if self.order:
            self.steps[f"un_{self.order.pop()}"] = Step("ready", self.clock.now)
        else:
            self.status = "failed" if self.not_undone else "compensated"


@dataclass
class Clock:
    now: float = 0.0
