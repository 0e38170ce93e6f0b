"""Blocks: how many frames one opens, and what the end of a frame means for it. Pure.

A block is a step that waits while its frames run: the lanes of a parallel block, the items of a for-each, the rounds of a
repeat, the one lane of a group. Its facts are fixed when it begins and stored with it:

    parallel  total, need (how many lanes must succeed), rest ("cancel" or "run": what becomes of the others)
    foreach   total, at_once, if_fails ("stop", "continue" or "collect"); need and rest where not all items must succeed
    repeat    total (rounds at most), if_spent ("fail" or "continue")
    group     total (1)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a block is: frames opened, frames that live, frames that ended well or badly; cancelled ones count nowhere."""

    started: int
    live: int
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the end of a frame means: the block ends ("succeeded", "failed") or goes on (None); `code` says why it failed."""

    end: str | None = None
    closes_rest: bool = False
    code: str | None = None


GO_ON = Verdict()


def to_open(kind: str, facts: Mapping[str, Any], progress: Progress) -> range:
    """Return which frames a block that goes on opens now, by number."""
    width = 1 if kind == "repeat" else int(facts.get("at_once", facts["total"]))
    room = max(width - progress.live, 0)
    return range(progress.started, min(progress.started + room, int(facts["total"])))


def judge(kind: str, facts: Mapping[str, Any], progress: Progress, how: str, *, is_done: bool = False) -> Verdict:
    """Say what becomes of a block now that one of its frames ended; `progress` already counts it.

    Args:
        how: "succeeded" or "failed".
        is_done: of a repeat, whether its condition is met.
    """
    return _JUDGES[kind](facts, progress, how, is_done)


def _parallel(facts: Mapping[str, Any], progress: Progress, how: str, _done: bool) -> Verdict:
    if how == "failed":
        can_still = int(facts["total"]) - progress.failed >= int(facts["need"])
        return GO_ON if can_still else Verdict("failed", closes_rest=True)
    if progress.succeeded < int(facts["need"]):
        return GO_ON
    return Verdict("succeeded", closes_rest=facts.get("rest") == "cancel")


def _foreach(facts: Mapping[str, Any], progress: Progress, how: str, _done: bool) -> Verdict:
    if how == "failed" and facts["if_fails"] == "stop":
        return Verdict("failed", closes_rest=True)
    if "need" in facts and progress.succeeded >= int(facts["need"]):
        return Verdict("succeeded", closes_rest=facts["rest"] == "cancel")
    if progress.started < int(facts["total"]) or progress.live:
        return GO_ON
    if "need" in facts:
        return Verdict("failed", code="items_failed")
    if facts["if_fails"] == "collect" and progress.failed:
        return Verdict("failed", code="items_failed")
    return Verdict("succeeded")


def _repeat(facts: Mapping[str, Any], progress: Progress, how: str, is_done: bool) -> Verdict:
    if how == "failed":
        return Verdict("failed")
    if is_done:
        return Verdict("succeeded")
    if progress.started < int(facts["total"]):
        return GO_ON
    return Verdict("succeeded") if facts["if_spent"] == "continue" else Verdict("failed", code="rounds_spent")


def _group(_facts: Mapping[str, Any], _progress: Progress, how: str, _done: bool) -> Verdict:
    return Verdict(how)


_JUDGES = {"parallel": _parallel, "foreach": _foreach, "repeat": _repeat, "group": _group}
