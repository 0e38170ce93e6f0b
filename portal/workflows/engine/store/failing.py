"""A failed attempt: whether a person must be asked, whether there is another attempt, or whether the step has failed."""

from __future__ import annotations

import random
from typing import Any

from portal.workflows.actions.base import Failed
from portal.workflows.definition import DEFAULT_ATTEMPTS
from portal.workflows.engine import retry
from portal.workflows.engine.plan import Stand
from portal.workflows.engine.store.framing import error_of
from portal.workflows.engine.store.rows import Frame, Lease, Moves


def judge_failure(moves: Moves, frame: Frame, node: dict[str, Any], row: dict[str, Any], failed: Failed, lease: Lease) -> bool:
    """Put a failed step into doubt or make it ready for its next attempt; False when neither: it has failed."""
    key, error = node["key"], error_of(failed, lease.attempt)
    if lease.effect == "unsafe" and failed.sent is not False:
        doubt(moves, frame, row, key, error)
        return True
    delay_s = _delay_s(node.get("retry") or {}, failed, error["class"], lease.attempt)
    if delay_s is None:
        return False
    moves.tell("step.retried", key, frame, **error, delay_s=round(delay_s, 3))
    row.update(state="ready", port=None, output=None, error=error, delay_s=delay_s)
    frame.stands[key] = Stand("ready", None)
    return True


def doubt(moves: Moves, frame: Frame, row: dict[str, Any], key: str, error: dict[str, Any]) -> None:
    """Leave a step to a person: its effect may or may not have left the house."""
    moves.tell("step.in_doubt", key, frame, **error)
    row.update(state="in_doubt", port=None, output=None, error=error)
    frame.stands[key] = Stand("in_doubt", None)
    moves.doubtful = key


def _delay_s(policy: dict[str, Any], failed: Failed, error_class: str, attempt: int) -> float | None:
    # An action knows best that trying again can help; which classes are worth it is the author's word.
    if not (failed.again if "on" not in policy else retry.may_retry(error_class, policy)):
        return None
    return retry.next_delay_s(
        attempt,
        limit=int(policy.get("attempts", DEFAULT_ATTEMPTS)),
        chance=random.random(),  # noqa: S311 - jitter
        retry_after_s=failed.retry_after_s,
        base_s=float(policy.get("base_s", retry.BASE_S)),
        cap_s=float(policy.get("cap_s", retry.CAP_S)),
    )
