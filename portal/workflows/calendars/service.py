"""The verbs of calendars, and the moments that others ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid
from portal.core.ids import as_uuid
from portal.i18n.locale import bilingual
from portal.i18n.search import fold
from portal.i18n.words import gettext as _
from portal.tenants import service as tenants
from portal.workflows.calendars import queries, reckoning
from portal.workflows.calendars.models import BusinessCalendar
from portal.workflows.calendars.reckoning import Calendar, Holiday, NoWorkingTime, Span

__all__ = ["MOST_CALENDARS", "MOST_HOLIDAYS", "Draft", "NoWorkingTime", "after", "calendar_of", "choices"]

MOST_CALENDARS = 50
MOST_HOLIDAYS = 100
USUAL_HOURS: tuple[Span, ...] = ((8 * 60, 17 * 60),)
UNITS = ("minutes", "hours", "days")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person wrote into the form of a calendar."""

    name: str
    name_ar: str | None
    timezone: str
    weekend: tuple[int, ...]
    hours: tuple[Span, ...]
    ramadan_hours: tuple[Span, ...] = ()


def usual(timezone: str) -> Calendar:
    """Return how an organisation works that says nothing of it: its region's weekend, from eight to five."""
    return Calendar(ZoneInfo(timezone), reckoning.usual_weekend(timezone), USUAL_HOURS)


def calendar_of(tenant_id: UUID, calendar_id: Any = None) -> Calendar:
    """Return a calendar to reckon with; one that is gone, or none, means the organisation's usual one."""
    with db.transaction(tenant_id):
        row = queries.find(tenant_id, as_uuid(str(calendar_id or "")))
        return read(row) if row is not None else usual(tenants.get(tenant_id).timezone)


def read(row: BusinessCalendar) -> Calendar:
    """Turn a row into the calendar to reckon with."""
    return Calendar(
        ZoneInfo(row.timezone),
        frozenset(row.weekend),
        tuple((begin, end) for begin, end in row.hours),
        tuple((begin, end) for begin, end in row.ramadan_hours),
        tuple(Holiday(**each) for each in row.holidays),
    )


def after(tenant_id: UUID, calendar_id: Any, amount: float, unit: str, *, since: datetime | None = None) -> datetime:
    """Return the moment at which so much working time has passed; days are working days at the same time of day.

    Args:
        unit: minutes, hours or days.
        since: None means now, by the database's clock.

    Raises:
        NoWorkingTime: the calendar has none.
    """
    calendar = calendar_of(tenant_id, calendar_id)
    begin = since or now()
    if unit == "days" and amount == int(amount):
        return reckoning.add_working_days(calendar, begin, int(amount))
    if unit == "days":
        whole = reckoning.add_working_days(calendar, begin, int(amount))
        day = sum(last - first for first, last in calendar.hours)
        return reckoning.add_working_time(calendar, whole, timedelta(minutes=day * (amount - int(amount))))
    return reckoning.add_working_time(calendar, begin, timedelta(**{unit: amount}))


def now() -> datetime:
    """Return the present moment by the database's clock, the only one that deadlines are reckoned by."""
    with db.transaction() as session:
        found: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return found


def choices(tenant_id: UUID) -> list[tuple[str, str]]:
    """Return id and name of each calendar, for a choice; the usual one first."""
    with db.transaction(tenant_id):
        return [(str(row.id), bilingual(row)) for row in queries.every(tenant_id)]


def named(tenant_id: UUID) -> list[tuple[UUID, str]]:
    """Return id and first name of each calendar, for files that name them."""
    with db.transaction(tenant_id):
        return [(row.id, row.name) for row in queries.every(tenant_id)]


def add_calendar(tenant_id: UUID, draft: Draft, *, by: Actor) -> UUID:
    """Add a calendar; the first one is the usual one. Returns its id.

    Raises:
        Invalid: the name is taken.
        Conflict: there are fifty already.
    """
    with db.transaction(tenant_id) as session:
        tenants.locked(tenant_id)
        others = queries.every(tenant_id)
        if len(others) >= MOST_CALENDARS:
            raise Conflict(_("There are %(num)d calendars already. Delete one first.", num=MOST_CALENDARS))
        _check_name(others, draft)
        row = BusinessCalendar(tenant_id=tenant_id, is_default=not others, **_columns(draft))
        session.add(row)
        session.flush()
        _tell(tenant_id, row.id, "added", by, name=draft.name)
        return row.id


def change_calendar(tenant_id: UUID, calendar_id: UUID, draft: Draft, *, by: Actor) -> None:
    """Let a calendar say something else. Deadlines that are set already stay where they are.

    Raises:
        NotFound: no such calendar.
        Invalid: the name is taken.
    """
    with db.transaction(tenant_id):
        tenants.locked(tenant_id)
        row = queries.get(tenant_id, calendar_id, lock=True)
        _check_name([each for each in queries.every(tenant_id) if each.id != calendar_id], draft)
        for name, value in _columns(draft).items():
            setattr(row, name, value)
        _tell(tenant_id, calendar_id, "changed", by, name=draft.name)


def make_usual(tenant_id: UUID, calendar_id: UUID, *, by: Actor) -> None:
    """Let a calendar be the one that is meant where none is named. Safe to repeat.

    Raises:
        NotFound: no such calendar.
    """
    with db.transaction(tenant_id) as session:
        tenants.locked(tenant_id)
        row = queries.get(tenant_id, calendar_id, lock=True)
        if row.is_default:
            return
        session.execute(update(BusinessCalendar).where(BusinessCalendar.tenant_id == tenant_id).values(is_default=False))
        row.is_default = True
        _tell(tenant_id, calendar_id, "made_usual", by, name=row.name)


def delete_calendar(tenant_id: UUID, calendar_id: UUID, *, by: Actor) -> None:
    """Delete a calendar; steps that name it reckon with the usual one from then on.

    Raises:
        NotFound: no such calendar.
        Conflict: it is the usual one.
    """
    with db.transaction(tenant_id) as session:
        tenants.locked(tenant_id)
        row = queries.get(tenant_id, calendar_id, lock=True)
        if row.is_default:
            raise Conflict(_("This is the usual calendar. Make another one the usual one first."))
        session.delete(row)
        _tell(tenant_id, calendar_id, "deleted", by, name=row.name)


def add_holiday(tenant_id: UUID, calendar_id: UUID, holiday: Holiday, *, by: Actor) -> None:
    """Add days off to a calendar; the same ones a second time change nothing.

    Raises:
        NotFound: no such calendar.
        Conflict: it has a hundred already.
    """
    with db.transaction(tenant_id):
        row = queries.get(tenant_id, calendar_id, lock=True)
        wanted = _plain(holiday)
        if wanted in row.holidays:
            return
        if len(row.holidays) >= MOST_HOLIDAYS:
            raise Conflict(_("A calendar has at most %(num)d holidays. Take one out first.", num=MOST_HOLIDAYS))
        row.holidays = [*row.holidays, wanted]
        _tell(tenant_id, calendar_id, "holiday_added", by, **wanted)


def take_holiday(tenant_id: UUID, calendar_id: UUID, holiday: Holiday, *, by: Actor) -> None:
    """Take days off out of a calendar; a second time changes nothing.

    Raises:
        NotFound: no such calendar.
    """
    with db.transaction(tenant_id):
        row = queries.get(tenant_id, calendar_id, lock=True)
        gone = _plain(holiday)
        if gone in row.holidays:
            row.holidays = [each for each in row.holidays if each != gone]
            _tell(tenant_id, calendar_id, "holiday_taken", by, **gone)


def _plain(holiday: Holiday) -> dict[str, Any]:
    return {name: getattr(holiday, name) for name in Holiday.__slots__}


def _columns(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name, "name_ar": draft.name_ar, "timezone": draft.timezone, "weekend": sorted(draft.weekend),
        "hours": [list(each) for each in draft.hours], "ramadan_hours": [list(each) for each in draft.ramadan_hours],
    }  # fmt: skip


def _check_name(others: Any, draft: Draft) -> None:
    taken = {fold(text) for row in others for text in (row.name, row.name_ar) if text}
    if any(fold(text) in taken for text in (draft.name, draft.name_ar) if text):
        raise Invalid({"name": _("There is a calendar of this name already. Choose another.")})


def _tell(tenant_id: UUID, calendar_id: UUID, what: str, by: Actor, **facts: Any) -> None:
    audit.record(tenant_id, by, f"calendar.{what}", calendar_id, **{name: value for name, value in facts.items() if value is not None})
    bus.announce(events.CalendarChanged(tenant_id, calendar_id, what))
