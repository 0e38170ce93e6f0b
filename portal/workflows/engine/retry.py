"""A failed attempt → when again, or never. Pure."""

from __future__ import annotations

BASE_S = 2.0
CAP_S = 300.0
MAX_RETRY_AFTER_S = 3600.0


def next_delay_s(attempt: int, *, limit: int, chance: float, retry_after_s: float | None = None) -> float | None:
    """Say how many seconds to wait before the next attempt; None when the limit is reached.

    Full jitter: anything between 0 and min(300, 2 · 2^(attempt-1)), so that failed steps do not return in a herd.

    Args:
        attempt: how many attempts were made, from 1.
        chance: a random number in [0, 1), given by the caller so that this stays pure.
        retry_after_s: what the receiver asked for; kept up to an hour, and jittered upwards only.
    """
    if attempt >= limit:
        return None
    ceiling_s = min(CAP_S, BASE_S * 2.0 ** (attempt - 1))
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), MAX_RETRY_AFTER_S) + chance
    return chance * ceiling_s
