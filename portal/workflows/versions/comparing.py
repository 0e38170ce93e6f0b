"""What a trial did otherwise than a real run: the way that it took, and the results that differ. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# What a step ended with says more of the moment than of the workflow.
PASSING = frozenset(
    {"message_id", "run_id", "id", "at", "sent_at", "created_at", "updated_at", "until", "votes", "by", "note", "file", "headers"}
)


@dataclass(frozen=True, slots=True)
class Apart:
    """One step that went otherwise: `what` is only_new, only_old, other_way, or other_output."""

    key: str
    what: str
    old: Any = None
    new: Any = None


def apart(new: Iterable[Mapping[str, Any]], old: Iterable[Mapping[str, Any]]) -> list[Apart]:
    """Compare the steps of a trial with those of a run, by key; a step inside a loop by how often it went which way."""
    ours, theirs = _by_key(new), _by_key(old)
    found = []
    for key in dict.fromkeys((*theirs, *ours)):
        here, there = ours.get(key, []), theirs.get(key, [])
        ways, ways_before = _ways(here), _ways(there)
        if ways == ways_before:
            if len(here) == 1 and here[0]["kind"] == there[0]["kind"] and plain(here[0]["output"]) != plain(there[0]["output"]):
                found.append(Apart(key, "other_output", there[0]["output"], here[0]["output"]))
        elif not ways_before:
            found.append(Apart(key, "only_new"))
        elif not ways:
            found.append(Apart(key, "only_old"))
        else:
            found.append(Apart(key, "other_way", _said(ways_before), _said(ways)))
    return found


def is_same_way(found: Iterable[Apart]) -> bool:
    """Say whether only results differ, and not the way."""
    return all(each.what == "other_output" for each in found)


def plain(value: Any) -> Any:
    """Return a result without what differs from run to run by itself."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items() if key not in PASSING}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _by_key(steps: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        if not step.get("is_inner"):
            found.setdefault(step["key"], []).append(step)
    return found


def _ways(steps: list[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    """Count how a step ended; one that never began is as one that was passed over."""
    return Counter((step["state"], step["port"] or "") for step in steps if step["state"] not in ("skipped", "cancelled"))


def _said(ways: Counter[tuple[str, str]]) -> dict[str, int]:
    return {f"{state}:{port}" if port not in ("", "out") else state: count for (state, port), count in sorted(ways.items())}
