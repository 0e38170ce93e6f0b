"""Votes → the decision, or None while it is open. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def needed(quorum: str, count: int, voters: int) -> int:
    """Return how many must say the same.

    Args:
        quorum: any, all, majority or count.
        count: how many, where `quorum` is count.
        voters: how many may decide, with those who have.
    """
    return {"any": 1, "all": max(voters, 1), "majority": voters // 2 + 1, "count": count}[quorum]


def verdict(votes: Mapping[str, int], outcomes: Sequence[str], *, need: int, voters: int) -> str | None:
    """Return the outcome that has fallen.

    The first one that enough people want. Once the first outcome of the list (the wish of who asks) cannot be reached any more, the
    one of the others that most people want; of two that as many want, the later in the list, which is the stricter one.
    """
    for outcome in outcomes:
        if votes.get(outcome, 0) >= need:
            return outcome
    left = voters - sum(votes.values())
    if votes.get(outcomes[0], 0) + left >= need:
        return None
    others = [(votes.get(outcome, 0), place, outcome) for place, outcome in enumerate(outcomes) if place and votes.get(outcome, 0)]
    return max(others)[2] if others else None
