"""Wait for a while, until a moment, or for so much working time; holds no worker meanwhile."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, time
from typing import Any, ClassVar

from portal.core.digits import ascii_digits
from portal.i18n import dates
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Failed, Outcome, Waiting
from portal.workflows.calendars import service as calendars
from portal.workflows.calendars.service import NoWorkingTime
from portal.workflows.definition import Field

MAX_S = 30 * 86400
UNITS = (("seconds", _l("Seconds")), ("minutes", _l("Minutes")), ("hours", _l("Hours")), ("days", _l("Days")))
WORKING_UNITS = (("minutes", _l("Working minutes")), ("hours", _l("Working hours")), ("days", _l("Working days")))
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_CLOCK = re.compile(r"(?P<day>.+?)(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2}))?\Z", re.ASCII)


class Wait:
    kind: ClassVar[str] = "wait"
    icon: ClassVar[str] = "timer"
    label: ClassVar[Any] = _l("Wait")
    description: ClassVar[Any] = _l("Pause for a while, or until a moment")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "mode",
            "choice",
            _l("Wait"),
            choices=(("for", _l("for a while")), ("working", _l("for some working time")), ("until", _l("until a moment"))),
            default="for",
        ),
        Field(
            "amount",
            "number",
            _l("How long"),
            _l("In the unit below, 30 days at most"),
            required=True,
            default=5,
            show_when=("mode", ("for", "working")),
        ),
        Field("unit", "choice", _l("Unit"), choices=UNITS, default="minutes", show_when=("mode", ("for",))),
        Field("working_unit", "choice", _l("Unit"), choices=WORKING_UNITS, default="days", show_when=("mode", ("working",))),
        Field("calendar", "calendar", _l("Calendar"), _l("Its hours and holidays count."), show_when=("mode", ("working",))),
        Field(
            "until",
            "datetime",
            _l("Until"),
            _l("Date and time, e.g. 2026-12-01T09:00:00+03:00, or a day of either calendar, e.g. 1448-07-22 09:00"),
            required=True,
            show_when=("mode", ("until",)),
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("waited_s", _l("Seconds waited")), ("until", _l("When the wait ended")))

    def effect(self, config: dict[str, Any]) -> str:
        # A calendar is read from the database; so is the zone in which a day begins.
        return "pure" if config.get("mode", "for") == "for" else "db"

    def perform(self, call: Call) -> Outcome:
        if call.config["mode"] == "until":
            return _until(call, str(call.config["until"]))
        try:
            amount = float(call.config["amount"])
        except (TypeError, ValueError):
            return Failed("wait_not_a_number", detail=str(call.config["amount"])[:100])
        if call.config["mode"] == "working":
            return _working(call, amount)
        seconds = amount * SECONDS[call.config["unit"]]
        if not 0 <= seconds <= MAX_S:
            return Failed("wait_too_long")
        return Waiting(after_s=seconds, output={"waited_s": seconds})


def _working(call: Call, amount: float) -> Outcome:
    unit = call.config["working_unit"]
    # Working time is never longer than the time it lies in.
    if not math.isfinite(amount) or not 0 <= amount * SECONDS[unit] <= MAX_S:
        return Failed("wait_too_long")
    try:
        until = calendars.after(call.tenant_id, call.config["calendar"], amount, unit)
    except NoWorkingTime:
        return Failed("calendar_never_worked")
    return Waiting(until, output={"until": until.isoformat()})


def _until(call: Call, text: str) -> Outcome:
    until = _moment(text.strip())
    if until is None:
        return Failed("wait_not_a_moment", detail=text[:100])
    if until.tzinfo is None:
        # Times without a zone in ISO form mean UTC, as they always did; a day means the organisation's own.
        until = until.replace(tzinfo=UTC if "T" in text else calendars.calendar_of(call.tenant_id).zone)
    return Waiting(until, output={"until": until.isoformat()})


def _moment(text: str) -> datetime | None:
    """Read a moment in ISO form, or a day of either calendar with or without a time."""
    plain = ascii_digits(text)
    found = _CLOCK.match(plain)
    day = dates.read(found["day"]) if found else None
    if found is not None and day is not None and (found["hour"] is None or int(found["hour"]) < 24) and int(found["minute"] or 0) < 60:
        return datetime.combine(day, time(int(found["hour"] or 0), int(found["minute"] or 0)))
    try:
        return datetime.fromisoformat(plain)
    except ValueError:
        return None
