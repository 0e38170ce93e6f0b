"""The time that a step waits at most: its fields, and the moment that they come to. Shared by the kinds that wait for somebody."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Failed
from portal.workflows.calendars import service as calendars
from portal.workflows.calendars.service import NoWorkingTime
from portal.workflows.definition import Field

WORKING = ("working_hours", "working_days")
UNITS = (
    ("minutes", _l("Minutes")), ("hours", _l("Hours")), ("days", _l("Days")), ("working_hours", _l("Working hours")),
    ("working_days", _l("Working days")),
)  # fmt: skip
SECONDS = {"minutes": 60, "hours": 3600, "days": 86400, "working_hours": 3600, "working_days": 86400}
MAX_S = 30 * 86400

AMOUNT = Field(
    "limit",
    "number",
    _l("At the latest after"),
    _l("In the unit below, 30 days at most. Empty: only the time limit of the run ends the wait."),
)
UNIT = Field("limit_unit", "choice", _l("Unit"), choices=UNITS, default="working_days")
CALENDAR = Field("calendar", "calendar", _l("Calendar of working time"), _l("Matters for working hours and working days."))
TOO_SHORT = _l("The time limit of the run is shorter than this. Raise it at the start card.")


def if_late(go_on: Any) -> Field:
    """Return the field that says what happens when the time is up."""
    choices = (("go_on", go_on), ("fail", _l("The step fails")))
    return Field("if_late", "choice", _l("If the time is up"), choices=choices, default="go_on")


def moment(call: Call, amount_name: str, unit: str) -> datetime | Failed | None:
    """Return when so much time will have passed, by the database's clock; None when no amount is given."""
    given = call.config.get(amount_name)
    if given in (None, ""):
        return None
    try:
        amount = float(given)
    except (TypeError, ValueError):
        return Failed("wait_not_a_number", detail=str(given)[:100])
    if not math.isfinite(amount) or not 0 < amount * SECONDS[unit] <= MAX_S:
        return Failed("wait_too_long")
    if unit not in WORKING:
        return calendars.now() + timedelta(**{unit: amount})
    try:
        return calendars.after(call.tenant_id, call.config.get("calendar"), amount, unit.removeprefix("working_"))
    except NoWorkingTime:
        return Failed("calendar_never_worked")


def problems_of(config: dict[str, Any], deadline_s: int) -> list[tuple[str, Any]]:
    """Return what is wrong with a limit as far as it is known before the run: (field, sentence)."""
    amount = config.get("limit")
    if isinstance(amount, int | float) and amount * SECONDS.get(config.get("limit_unit", "working_days"), 0) > deadline_s:
        return [("limit", TOO_SHORT)]
    return []
