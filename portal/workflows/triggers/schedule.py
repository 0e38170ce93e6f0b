"""Started by the clock: cron, every so often, or a Hijri date; in a time zone, with rules for what was missed and what overlaps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from portal.core.digits import ascii_digits
from portal.i18n import dates, formats, schedules
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.definition import Field
from portal.workflows.triggers import times
from portal.workflows.triggers.base import Place, between, kept
from portal.workflows.triggers.times import Plan

UNITS = (("minutes", _l("minutes")), ("hours", _l("hours")), ("days", _l("days")))
SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}
MONTHS = (
    ("0", _l("every month")), ("1", _l("Muharram")), ("2", _l("Safar")), ("3", _l("Rabi al-Awwal")), ("4", _l("Rabi al-Thani")),
    ("5", _l("Jumada al-Ula")), ("6", _l("Jumada al-Akhirah")), ("7", _l("Rajab")), ("8", _l("Shaban")), ("9", _l("Ramadan")),
    ("10", _l("Shawwal")), ("11", _l("Dhu al-Qadah")), ("12", _l("Dhu al-Hijjah")),
)  # fmt: skip
MISFIRE = (
    ("latest", _l("start the last of them")),
    ("skip", _l("start none of them")),
    ("all", _l("start each of them, within the bounds below")),
)
OVERLAP = (
    ("allow", _l("start the next one beside it")),
    ("skip", _l("leave the next one out")),
    ("queue", _l("let one wait until it has ended")),
    ("cancel", _l("end it and start the next one")),
)
MAX_CATCHUP = 100
MAX_WINDOW_H = 168
AT = re.compile(r"(\d{1,2}):(\d{2})\Z", re.ASCII)

_WHEN_OFF = (
    Field("zone", "zone", _l("Time zone"), _l("By its IANA name, for example Asia/Riyadh."), required=True, default=""),
    Field("starts_on", "day", _l("First day"), _l("Year first, in either calendar. Empty: at once.")),
    Field("ends_on", "day", _l("Last day"), _l("Year first, in either calendar. Empty: without an end.")),
    Field("overlap", "choice", _l("If the run before still goes on"), choices=OVERLAP, default="allow"),
    Field("misfire", "choice", _l("If starts were missed because Nasij stood still"), choices=MISFIRE, default="latest"),
    Field("catchup", "number", _l("At most so many missed starts"), default=10),
    Field("window_h", "number", _l("None that is older than so many hours"), default=24),
)


class Schedule:
    """What the three forms of a schedule share."""

    kind: ClassVar[str] = "schedule"
    variant: ClassVar[str] = ""
    has_address: ClassVar[bool] = False
    maps_inputs: ClassVar[bool] = True

    def problems(self, config: Mapping[str, Any], place: Place) -> dict[str, Any]:
        found = kept(
            [
                ("zone", None if config["zone"] in zones() else _l("Choose a time zone from the list, for example Asia/Riyadh.")),
                ("starts_on", day_problem(config["starts_on"])),
                ("ends_on", day_problem(config["ends_on"])),
                ("catchup", between(config["catchup"], 1, MAX_CATCHUP, _l("Between 1 and %(num)d.", num=MAX_CATCHUP))),
                ("window_h", between(config["window_h"], 1, MAX_WINDOW_H, _l("Between 1 and %(num)d.", num=MAX_WINDOW_H))),
            ]
        )
        found |= self.own_problems(config)
        begins, ends = dates.read(config["starts_on"]), dates.read(config["ends_on"])
        if begins is not None and ends is not None and ends < begins:
            found["ends_on"] = _l("The last day is before the first.")
        return found | _missing_inputs(config, place)

    def own_problems(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is wrong with the settings that this form alone has."""
        raise NotImplementedError

    def next_after(self, config: Mapping[str, Any], moment: datetime) -> datetime | None:
        return times.next_after(plan_of(config), moment)

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        raise NotImplementedError


class Cron(Schedule):
    variant: ClassVar[str] = "cron"
    icon: ClassVar[str] = "calendar-check"
    label: ClassVar[Any] = _l("At set times")
    description: ClassVar[Any] = _l("By a cron expression: every workday at eight, each first of the month.")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "cron",
            "cron",
            _l("Cron expression"),
            _l(
                "Minute, hour, day, month, weekday: %(example)s is eight o'clock on Sunday to Thursday.",
                example=formats.isolate("0 8 * * SUN-THU"),
            ),
            required=True,
            default="0 8 * * SUN-THU",
        ),
        *_WHEN_OFF,
    )

    def own_problems(self, config: Mapping[str, Any]) -> dict[str, Any]:
        text = config["cron"]
        if not text:
            return {}
        if len(text.split()) != 5:
            return {"cron": _l("Give five parts with spaces between them: minute, hour, day, month, weekday.")}
        try:
            next(CronSim(text, datetime(2026, 1, 1)), None)  # noqa: DTZ001 - a wall clock
        except CronSimError as wrong:
            return {"cron": schedules.problem(str(wrong))}
        if times.next_after(Plan("cron", ZoneInfo("UTC"), cron=text), datetime(2026, 1, 1, tzinfo=UTC)) is None:
            return {"cron": _l("This never happens: there is no such day.")}
        return {}

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        return schedules.say(config["cron"])


class Interval(Schedule):
    variant: ClassVar[str] = "interval"
    icon: ClassVar[str] = "refresh-cw"
    label: ClassVar[Any] = _l("Every so often")
    description: ClassVar[Any] = _l("Every 15 minutes, every 6 hours: lengths of real time, whatever the clocks do.")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("every", "number", _l("Every"), required=True, default=15),
        Field("unit", "choice", _l("Unit"), choices=UNITS, default="minutes"),
        *_WHEN_OFF,
    )

    def own_problems(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return kept([("every", between(config["every"], 1, 10_000, _l("Between 1 and %(num)d.", num=10_000)))])

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        return [schedules.every(config["every"], config["unit"])]


class HijriDate(Schedule):
    variant: ClassVar[str] = "hijri"
    icon: ClassVar[str] = "moon"
    label: ClassVar[Any] = _l("On a Hijri date")
    description: ClassVar[Any] = _l("Each year or each month by the Umm al-Qura calendar: 1 Ramadan at eight.")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("month", "choice", _l("Month"), choices=MONTHS, default="9"),
        Field("day", "number", _l("Day"), _l("1 to 30. In a month of 29 days the 30th is the 29th."), required=True, default=1),
        Field("at", "time", _l("Time"), required=True, default="08:00"),
        *_WHEN_OFF,
    )

    def own_problems(self, config: Mapping[str, Any]) -> dict[str, Any]:
        at = None if not config["at"] or clock_time(config["at"]) else _l("Enter hours and minutes, for example 08:00.")
        return kept([("day", between(config["day"], 1, 30, _l("Between 1 and %(num)d.", num=30))), ("at", at)])

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        month = dict(MONTHS)[str(config["month"])]
        if str(config["month"]) == "0":
            return [_l("On day %(day)s of each Hijri month at %(at)s.", day=config["day"], at=config["at"])]
        return [_l("Each year on %(day)s %(month)s (Umm al-Qura) at %(at)s.", day=config["day"], month=month, at=config["at"])]


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of the time zones, without those that name no place or a rule of POSIX."""
    return frozenset(name for name in available_timezones() if "/" in name and not name.startswith(("posix/", "right/"))) | {"UTC"}


def plan_of(config: Mapping[str, Any]) -> Plan:
    """Return the plan of settings that `problems` found right."""
    zone = ZoneInfo(config["zone"])
    begins = dates.read(config.get("starts_on") or "")
    ends = dates.read(config.get("ends_on") or "")
    anchor = times.start_of(begins, zone) if begins else datetime(2020, 1, 1, tzinfo=UTC)
    return Plan(
        mode=config["mode"],
        zone=zone,
        cron=config.get("cron", ""),
        every=timedelta(seconds=int(config.get("every") or 1) * SECONDS[config.get("unit") or "minutes"]),
        anchor=anchor,
        month=int(config.get("month") or 0),
        day=int(config.get("day") or 1),
        at=clock_time(config.get("at") or "0:00") or time(0),
        begins=times.start_of(begins, zone) if begins else None,
        ends=times.start_of(ends + timedelta(days=1), zone) if ends else None,
    )


def clock_time(text: str) -> time | None:
    """Read hours and minutes, in any digits; None if they are none."""
    found = AT.match(ascii_digits(text).strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return time(int(found[1]), int(found[2]))


def day_problem(text: str) -> Any:
    """Return what is wrong with a day that may be empty."""
    if text and dates.read(text) is None:
        return _l("Enter a date as year-month-day, for example 2026-12-31 or 1448-07-22.")
    return None


def _missing_inputs(config: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Nobody is there to fill in what the workflow must have."""
    given = config.get("inputs") or {}
    return {
        f"in-{each['key']}": _l("The workflow must have this: give its value.")
        for each in place.inputs
        if each.get("required") and each["type"] != "boolean" and not given.get(each["key"])
    }


VARIANTS = (Cron(), Interval(), HijriDate())
