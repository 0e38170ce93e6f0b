"""Who must have a second step at sign-in, and from when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# Whoever can change who may do what, and staff of the house, who see every organisation.
ALWAYS = frozenset({"owner", "admin", "staff"})
GRACE = timedelta(days=7)
OFF, REQUIRED = "off", "required"


@dataclass(frozen=True, slots=True)
class Demand:
    """Somebody without a second step must add one by `due_at`; None means now."""

    due_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.due_at is None or now >= self.due_at

    def days_left(self, now: datetime) -> int:
        """Return the days until it is due, a begun day counted as one."""
        return 0 if self.due_at is None else max(0, -(-(self.due_at - now) // timedelta(days=1)))


def is_required(role: str, policy: Mapping[str, Any]) -> bool:
    """Say whether people of this role must have a second step, now or after the days of grace.

    Args:
        policy: `security` of the organisation: {"factor": "off" | "required", "factor_since": ISO time}.
    """
    return role in ALWAYS or policy.get("factor") == REQUIRED


def demand_of(role: str, policy: Mapping[str, Any], *, joined_at: datetime) -> Demand | None:
    """Return from when somebody who has no second step must have one; None if never.

    The days of grace begin when the rule began, or when the person joined, whichever is later.
    """
    if role in ALWAYS:
        return Demand()
    if not is_required(role, policy):
        return None
    since = datetime.fromisoformat(policy["factor_since"]) if policy.get("factor_since") else joined_at
    return Demand(max(since, joined_at) + GRACE)
