"""A failed attempt → its class, and when again, or never. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BASE_S = 2.0
CAP_S = 300.0
MAX_CAP_S = 86_400.0
MAX_RETRY_AFTER_S = 3600.0
DEFAULT_CLASSES = ("transient", "timeout")
AUTH_STATUSES = frozenset({"401", "403", "407"})
VALIDATION_STATUSES = frozenset({"400", "406", "409", "413", "414", "415", "422"})
TIMEOUT_STATUSES = frozenset({"408", "504"})
VALIDATION_CODES = frozenset({"expression", "row_invalid", "child_input", "output_too_large", "condition_not_boolean", "case_not_boolean"})


def class_of(code: str, *, detail: str = "", again: bool = False) -> str:
    """Return the class of a failure from its code; one that the action calls passing is transient.

    Args:
        detail: of an HTTP answer its status.
    """
    if code.endswith("_auth"):
        return "auth"
    if code == "timeout" or code.endswith("_timeout"):
        return "timeout"
    if code == "call_status":
        for statuses, name in ((AUTH_STATUSES, "auth"), (VALIDATION_STATUSES, "validation"), (TIMEOUT_STATUSES, "timeout")):
            if detail in statuses:
                return name
    if code in VALIDATION_CODES or code.startswith(("mail_invalid", "wait_")):
        return "validation"
    return "transient" if again else "permanent"


def may_retry(error_class: str, policy: Mapping[str, Any]) -> bool:
    """Say whether a step's policy tries again after a failure of this class."""
    return error_class in policy.get("on", DEFAULT_CLASSES)


def next_delay_s(
    attempt: int, *, limit: int, chance: float, retry_after_s: float | None = None, base_s: float = BASE_S, cap_s: float = CAP_S
) -> float | None:
    """Say how many seconds to wait before the next attempt; None when the limit is reached.

    Full jitter: anything between 0 and min(cap, base · 2^(attempt-1)), so that failed steps do not return in a herd.

    Args:
        attempt: how many attempts were made, from 1.
        chance: a random number in [0, 1), given by the caller so that this stays pure.
        retry_after_s: what the receiver asked for; kept up to an hour, and jittered upwards only.
    """
    if attempt >= limit:
        return None
    ceiling_s = min(cap_s, base_s * 2.0 ** (attempt - 1))
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), MAX_RETRY_AFTER_S) + chance
    return chance * ceiling_s
