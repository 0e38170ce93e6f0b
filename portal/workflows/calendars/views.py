"""The pages of calendars: the list, one calendar with its holidays, and what it makes of a length of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.digits import read_number
from portal.core.errors import Conflict, Invalid
from portal.core.forms import clean
from portal.core.render import render, see_other, toast
from portal.i18n import formats, zones
from portal.i18n.locale import chosen_tag
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.calendars import forms, queries, reckoning, service
from portal.workflows.calendars.forms import Typed, read_calendar, read_holiday
from portal.workflows.calendars.models import BusinessCalendar
from portal.workflows.calendars.reckoning import Holiday, NoWorkingTime

bp = Blueprint("calendars", __name__)

UNITS = (("minutes", _l("Working minutes")), ("hours", _l("Working hours")), ("days", _l("Working days")))
MOST_AHEAD = {"minutes": 100_000, "hours": 2_000, "days": 250}
WEEK = (7, 1, 2, 3, 4, 5, 6)  # from Sunday, as weeks begin here


@dataclass(frozen=True, slots=True)
class Preview:
    """A length of time, as typed, and the moment that it leads to from now."""

    amount: str
    unit: str
    since: Any = None
    until: Any = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DayOff:
    """A holiday as its row shows it; `place` names it in the form that takes it out."""

    name: str
    name_ar: str | None
    day: str
    is_yearly: bool
    is_hijri: bool
    days: int
    place: int


@bp.get("/settings/calendars")
@requires(Permission.WORKFLOW_READ)
def listing() -> Response:
    here = access()
    rows = queries.every(here.tenant_id)
    return render("calendars/list.html", calendars=rows, zone_name=_zone_name, week_text=_week_text, usual=service.usual(here.timezone))


@bp.get("/settings/calendars/new")
@requires(Permission.CALENDAR_EDIT)
def new() -> Response:
    usual = service.usual(access().timezone)
    return _new(Typed(forms.typed_of(_Unnamed(usual), _zone_name(usual.zone.key))))


@bp.post("/settings/calendars/new")
@requires(Permission.CALENDAR_EDIT)
def create() -> Response:
    here, read = access(), read_calendar(request.form)
    if read.draft is None:
        return _new(read, 422)
    try:
        calendar_id = service.add_calendar(here.tenant_id, read.draft, by=here.actor)
    except Invalid as refused:
        return _new(Typed(read.typed, refused.problems), 422)
    except Conflict as refused:
        return _new(Typed(read.typed, {"": refused.message}), refused.status)
    toast(_("The calendar is there. Add its holidays."))
    return see_other(url_for("calendars.show", calendar_id=calendar_id))


@bp.get("/settings/calendars/<uuid:calendar_id>")
@requires(Permission.WORKFLOW_READ)
def show(calendar_id: UUID) -> Response:
    return _calendar(calendar_id)


@bp.post("/settings/calendars/<uuid:calendar_id>")
@requires(Permission.CALENDAR_EDIT)
def save(calendar_id: UUID) -> Response:
    here, read = access(), read_calendar(request.form)
    queries.get(here.tenant_id, calendar_id)
    if read.draft is None:
        return _calendar(calendar_id, read, status=422)
    try:
        service.change_calendar(here.tenant_id, calendar_id, read.draft, by=here.actor)
    except Invalid as refused:
        return _calendar(calendar_id, Typed(read.typed, refused.problems), status=422)
    toast(_("The calendar is saved. Deadlines that were set before stay where they are."))
    return see_other(url_for("calendars.show", calendar_id=calendar_id))


@bp.post("/settings/calendars/<uuid:calendar_id>/usual")
@requires(Permission.CALENDAR_EDIT)
def make_usual(calendar_id: UUID) -> Response:
    here = access()
    service.make_usual(here.tenant_id, calendar_id, by=here.actor)
    toast(_("This is the usual calendar now."))
    return see_other(url_for("calendars.show", calendar_id=calendar_id))


@bp.post("/settings/calendars/<uuid:calendar_id>/delete")
@requires(Permission.CALENDAR_EDIT)
def delete(calendar_id: UUID) -> Response:
    here = access()
    try:
        service.delete_calendar(here.tenant_id, calendar_id, by=here.actor)
    except Conflict as refused:
        return _calendar(calendar_id, problems={"": refused.message}, status=refused.status)
    toast(_("The calendar is deleted. Steps that name it reckon with the usual one."))
    return see_other(url_for("calendars.listing"))


@bp.post("/settings/calendars/<uuid:calendar_id>/holidays")
@requires(Permission.CALENDAR_EDIT)
def add_holiday(calendar_id: UUID) -> Response:
    here, read = access(), read_holiday(request.form)
    queries.get(here.tenant_id, calendar_id)
    if read.holiday is None:
        return _calendar(calendar_id, holiday=read, status=422)
    try:
        service.add_holiday(here.tenant_id, calendar_id, read.holiday, by=here.actor)
    except Conflict as refused:
        return _calendar(calendar_id, holiday=Typed(read.typed, {"": refused.message}), status=refused.status)
    return see_other(url_for("calendars.show", calendar_id=calendar_id, _anchor="holidays"))


@bp.post("/settings/calendars/<uuid:calendar_id>/holidays/take")
@requires(Permission.CALENDAR_EDIT)
def take_holiday(calendar_id: UUID) -> Response:
    here = access()
    row = queries.get(here.tenant_id, calendar_id)
    place, name = request.form.get("place", ""), request.form.get("name", "")
    # The name stands beside the place: a list that somebody else changed meanwhile loses nothing that was not meant.
    if place.isdecimal() and int(place[:4]) < len(row.holidays) and row.holidays[int(place[:4])]["name"] == name:
        service.take_holiday(here.tenant_id, calendar_id, Holiday(**row.holidays[int(place[:4])]), by=here.actor)
    return see_other(url_for("calendars.show", calendar_id=calendar_id, _anchor="holidays"))


class _Unnamed:
    """A calendar that nobody has named yet, as a form reads one."""

    def __init__(self, calendar: reckoning.Calendar) -> None:
        self.name, self.name_ar = "", None
        self.weekend, self.hours, self.ramadan_hours = sorted(calendar.weekend), calendar.hours, calendar.ramadan_hours


def _new(read: Typed, status: int = 200) -> Response:
    return render("calendars/new.html", status=status, typed=read.typed, problems=read.problems, **_words())


def _calendar(
    calendar_id: UUID,
    read: Typed | None = None,
    *,
    holiday: Typed | None = None,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    row = queries.get(access().tenant_id, calendar_id)
    typed = read.typed if read else forms.typed_of(row, _zone_name(row.timezone))
    return render(
        "calendars/show.html", fragment="preview", status=status, calendar=row, typed=typed, problems=problems or (read.problems if read else {}),
        holiday=holiday or Typed({"repeats": "1", "days": "1"}), holidays=[_day_off(each, place) for place, each in enumerate(row.holidays)],
        preview=_preview(row), units=UNITS, week_text=_week_text, zone_name=_zone_name, **_words(),
    )  # fmt: skip


def _words() -> dict[str, Any]:
    return {"week": [(day, formats.weekday(day - 1)) for day in WEEK], "zones": zones.listed(chosen_tag())}


def _zone_name(zone: str) -> str:
    return zones.name_of(zone, chosen_tag())


def _week_text(row: Any) -> str:
    """Say which days are off."""
    off = [formats.weekday(day - 1) for day in WEEK if day in row.weekend]
    return _("Off: %(days)s", days=formats.listed_plain(off)) if off else _("Every day is worked")


def _preview(row: BusinessCalendar) -> Preview:
    amount, unit = clean(request.args.get("amount", "2")), request.args.get("unit", "days")
    number = read_number(amount)
    if unit not in MOST_AHEAD:
        unit = "days"
    if number is None or not 0 <= number <= MOST_AHEAD[unit]:
        return Preview(amount, unit, problem=_("Enter a number between 0 and %(num)s.", num=formats.number(MOST_AHEAD[unit])))
    since = service.now()
    try:
        until = service.after(row.tenant_id, row.id, number, unit, since=since)
    except NoWorkingTime:
        return Preview(amount, unit, problem=_("This calendar has no working time: every day of two years is off."))
    return Preview(amount, unit, since.astimezone(ZoneInfo(row.timezone)), until)


def _day_off(kept: dict[str, Any], place: int) -> DayOff:
    holiday = Holiday(**kept)
    if holiday.is_hijri:
        day = formats.hijri_day(holiday.month, holiday.day, holiday.year)
    elif holiday.year:
        day = formats.date(date(holiday.year, holiday.month, holiday.day))
    else:
        day = formats.day_of_year(holiday.month, holiday.day)
    return DayOff(holiday.name, holiday.name_ar, day, holiday.year is None, holiday.is_hijri, holiday.days, place)
