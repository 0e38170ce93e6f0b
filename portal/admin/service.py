"""The verbs of the staff screens; each stands in the house's own audit book."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, update

from portal.admin import queries
from portal.admin.models import Announcement, FlagState, Staff
from portal.audit import service as audit
from portal.core import db, flags
from portal.core.access import SYSTEM, Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.outbox import Outbox
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.tenants import service as tenants
from portal.workflows.fairness import service as fairness
from portal.workflows.fairness.service import Place

TONES = ("info", "warning", "danger")
LONGEST = 300
TICK = timedelta(milliseconds=1)


def add_staff(person_id: UUID) -> None:
    """Make a person staff of the house, who must belong to no organisation; safe to repeat. Needs a unit of its own.

    Raises:
        Conflict: they are a member of an organisation.
    """
    with db.transaction():
        if identity.tenants_of(person_id, but_the_house=True):
            raise Conflict(_("Staff belong to no organisation."))
        house_id = tenants.house_id()
    # Only the system role may write the list: nobody becomes staff through a page.
    with db.transaction(system=True) as session:
        session.merge(Staff(person_id=person_id))
    identity.add_member(house_id, person_id, "staff", by=SYSTEM)


def suspend(tenant_id: UUID, *, reason: str, reason_ar: str, by: Actor) -> None:
    """Let an organisation stand still; its members read the reason, its owners get it by mail. Stands in its book and in ours.

    Raises:
        NotFound: there is none.
        Invalid: the reason is missing in a language, or too long.
        Conflict: it is closed.
    """
    if problems := _unsaid(reason=reason, reason_ar=reason_ar):
        raise Invalid(problems)
    _check_is_of_others(tenant_id)
    with db.unit_of_work(tenant_id):
        tenants.suspend(tenant_id, reason=reason, reason_ar=reason_ar, by=Actor("staff", by.id))
    with db.unit_of_work(system=True), db.transaction():
        _record(by, "organisation.suspended", tenant_id)


def resume(tenant_id: UUID, *, by: Actor) -> None:
    """Let an organisation that stands still go on.

    Raises:
        NotFound: there is none.
        Conflict: it is closed.
    """
    _check_is_of_others(tenant_id)
    with db.unit_of_work(tenant_id):
        tenants.resume(tenant_id, by=Actor("staff", by.id))
    with db.unit_of_work(system=True), db.transaction():
        _record(by, "organisation.resumed", tenant_id)


def _check_is_of_others(tenant_id: UUID) -> None:
    if tenant_id == tenants.house_id():
        raise NotFound


def _unsaid(**texts: str) -> dict[str, str]:
    problems = {}
    for name, given in texts.items():
        if not given:
            problems[name] = _("Write the sentence in both languages.")
        elif len(given) > LONGEST:
            problems[name] = _("Use at most 300 characters.")
    return problems


def announce(*, text: str, text_ar: str, tone: str, since: datetime | None, until: datetime | None, by: Actor) -> None:
    """Tell everybody a sentence for a while.

    Raises:
        Invalid: a text is missing or too long, or the end is not after the start.
    """
    problems = _unsaid(text=text, text_ar=text_ar)
    if tone not in TONES:
        problems["tone"] = _("Choose one of the values.")
    if until is None:
        problems["until"] = _("Say until when it is shown.")
    elif since is not None and until <= since:
        problems["until"] = _("The end must be after the start.")
    if problems:
        raise Invalid(problems)
    assert until is not None and by.id is not None
    with db.unit_of_work(system=True), db.transaction() as session:
        now = session.scalar(func.clock_timestamp())
        if now is None or until <= now:
            raise Invalid({"until": _("The end must be in the future.")})
        row = Announcement(text=text, text_ar=text_ar, tone=tone, since=since or now, until=until, created_by=by.id)
        session.add(row)
        session.flush()
        _record(by, "announcement.made", row.id)


def end_announcement(announcement_id: UUID, *, by: Actor) -> None:
    """Stop telling; one that has not begun never will.

    Raises:
        NotFound: there is none that still holds.
    """
    with db.unit_of_work(system=True), db.transaction() as session:
        now = func.clock_timestamp()
        ended = session.execute(
            update(Announcement)
            .where(Announcement.id == announcement_id, Announcement.until > now)
            .values(since=func.least(Announcement.since, now - TICK), until=now)
        )
        if not db.touched(ended):
            raise NotFound
        _record(by, "announcement.ended", announcement_id)


def switch(name: str, *, is_on: bool, by: Actor) -> None:
    """Turn a switch on or off for everybody.

    Raises:
        NotFound: there is no such switch.
    """
    if name not in {each.name for each in flags.declared()}:
        raise NotFound
    assert by.id is not None
    with db.unit_of_work(system=True), db.transaction() as session:
        session.merge(FlagState(name=name, is_on=is_on, changed_by=by.id, changed_at=session.scalar(func.clock_timestamp())))
        _record(by, "flag.switched", None, flag=name, is_on=is_on)
    flags.forget()


def limit_tenant(tenant_id: UUID, wanted: dict[str, Place], *, by: Actor) -> None:
    """Set a tenant's weights and limits in the lanes of the engine.

    Raises:
        NotFound: no such tenant.
        Invalid: `.problems` names the field.
    """
    with db.unit_of_work(system=True), db.transaction():
        if queries.tenant(tenant_id) is None:
            raise NotFound
        for lane, place in fairness.set_places(tenant_id, wanted).items():
            _record(by, "tenant.limited", tenant_id, lane=lane, weight=place.weight, cap=place.cap)


def retry_job(job_id: UUID, *, by: Actor) -> None:
    """Have a failing job tried again within a second.

    Raises:
        NotFound: it has run, or never was.
    """
    with db.unit_of_work(system=True), db.transaction() as session:
        due = session.execute(update(Outbox).where(Outbox.id == job_id).values(available_at=func.clock_timestamp()))
        if not db.touched(due):
            raise NotFound
        _record(by, "job.retried", job_id)


def drop_job(job_id: UUID, *, by: Actor) -> None:
    """Give a failing job up for good.

    Raises:
        NotFound: it has run, or never was.
    """
    with db.unit_of_work(system=True), db.transaction() as session:
        gone = session.execute(delete(Outbox).where(Outbox.id == job_id, Outbox.attempts > 1).returning(Outbox.name)).first()
        if gone is None:
            raise NotFound
        _record(by, "job.dropped", job_id, name=gone.name)


def _record(by: Actor, action: str, target_id: UUID | None, **details: object) -> None:
    audit.record(tenants.house_id(), Actor("staff", by.id), action, target_id, **details)
