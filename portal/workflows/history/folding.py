"""What the events of a run alone say of where it stands: the same as its rows, or one of the two is wrong (I-16). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from portal.workflows.history.chain import Event

RUN = {
    "run.accepted": "pending", "run.admitted": "pending", "run.started": "running", "run.resumed": "running", "run.cancel_asked": "cancelling",
}  # fmt: skip
ENDS = frozenset({"step.succeeded", "step.failed", "step.cancelled"})
OPEN = frozenset({"step.waiting", "step.in_doubt"})


@dataclass(slots=True)
class Stand:
    """Where a run stands.

    Args:
        ended: how each step ended, by the number of the event that told it: (key, frame, state).
        skipped: how often each (key, frame) was passed over.
        open: steps that waited or were in doubt when they were last told of, by (key, frame).
    """

    status: str = ""
    ended: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    open: dict[tuple[str, str], str] = field(default_factory=dict)


def fold(events: Iterable[Event]) -> Stand:
    """Fold events in order; what a run's end closes without a word (steps that never began) is closed with it."""
    stand = Stand()
    for event in events:
        thing, _dot, what = event.kind.partition(".")
        if thing == "run":
            stand.status = RUN.get(event.kind, what)
            continue
        if thing != "step":
            continue
        if event.kind == "step.undoing":
            stand.status = "compensating"
        place = (event.node_key or "", (event.data or {}).get("scope", ""))
        if event.kind in ENDS:
            stand.ended[event.seq] = (*place, what)
            stand.open.pop(place, None)
        elif event.kind == "step.skipped":
            stand.skipped[place] += 1
        elif event.kind in OPEN:
            stand.open[place] = what
        else:
            stand.open.pop(place, None)  # it is tried again
    return stand
