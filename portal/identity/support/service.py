"""The verbs of support: grant, visit, end. Both names stand in the tenant's audit book."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, update

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.i18n.words import gettext as _
from portal.identity import queries as people
from portal.identity.models import Person
from portal.identity.support import queries
from portal.identity.support.models import SupportGrant, SupportVisit

HOURS = (1, 4, 8, 24)
VISIT = timedelta(minutes=60)
SHORTEST_REASON = 10
LONGEST = 300
NEVER_AS = frozenset({"owner", "staff"})


def grant(tenant_id: UUID, hours: int, *, by: Actor) -> None:
    """Let staff look for some hours from now; an earlier consent gives way to this one.

    Raises:
        Invalid: not one of HOURS.
    """
    if hours not in HOURS:
        raise Invalid({"hours": _("Choose for how long.")})
    assert by.id is not None
    with db.transaction(tenant_id) as session:
        _end_grants(tenant_id)
        now = session.scalar(func.clock_timestamp())
        assert now is not None
        session.add(SupportGrant(tenant_id=tenant_id, granted_by=by.id, created_at=now, until=now + timedelta(hours=hours)))
        audit.record(tenant_id, by, "support.granted", hours=hours)
        bus.announce(events.SupportGranted(tenant_id, hours))


def revoke(tenant_id: UUID, *, by: Actor) -> None:
    """Take the consent back; whoever looks is out at their next request."""
    with db.transaction(tenant_id) as session:
        _end_grants(tenant_id)
        session.execute(
            update(SupportVisit)
            .where(SupportVisit.tenant_id == tenant_id, SupportVisit.ended_at.is_(None))
            .values(ended_at=func.clock_timestamp(), ended_by=by.id)
        )
        audit.record(tenant_id, by, "support.revoked")


def _end_grants(tenant_id: UUID) -> None:
    db.session().execute(
        update(SupportGrant)
        .where(SupportGrant.tenant_id == tenant_id, SupportGrant.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
    )


def enter(tenant_id: UUID, person_id: UUID | None, *, staff_id: UUID, reason: str, ticket: str) -> UUID:
    """Begin a visit: staff look as a member sees it, for an hour at most, and change nothing. Opens a unit of its own.

    Raises:
        Invalid: person, reason or ticket are missing.
        Conflict: the tenant has not consented, or the member is an owner.
        NotFound: no such member.
    """
    problems = {}
    if len(reason.strip()) < SHORTEST_REASON:
        problems["reason"] = _("Say in at least 10 characters why; the organisation reads it.")
    if not ticket.strip():
        problems["ticket"] = _("Give the number of the ticket.")
    if person_id is None:
        problems = {"person": _("Choose as whom you look."), **problems}
    if problems or person_id is None:
        raise Invalid(problems)
    by = Actor("staff", staff_id)
    # The request stands in the house's tenant: the visited one has a unit of its own.
    with db.unit_of_work(tenant_id), db.transaction() as session:
        consent = queries.grant_in_force(tenant_id, lock=True)
        if consent is None:
            raise Conflict(_("The organisation has not consented. Ask one of its administrators to allow support in the settings."))
        role = people.role_of(tenant_id, person_id)
        if role is None:
            raise NotFound
        if role in NEVER_AS:
            raise Conflict(_("Nobody looks as an owner. Choose another member."))
        now = session.scalar(func.clock_timestamp())
        assert now is not None
        visit = SupportVisit(
            tenant_id=tenant_id,
            grant_id=consent.id,
            staff_id=staff_id,
            person_id=person_id,
            reason=reason.strip()[:LONGEST],
            ticket=ticket.strip()[:60],
            until=min(now + VISIT, consent.until),
        )
        session.add(visit)
        session.flush()
        name = session.get_one(Person, staff_id).name
        audit.record(
            tenant_id, by, "support.entered", visit.id, on_behalf_of=person_id, staff=name, reason=visit.reason, ticket=visit.ticket
        )
        bus.announce(events.SupportEntered(tenant_id, visit.id))
        return visit.id


def leave(tenant_id: UUID, visit_id: UUID, *, by: Actor) -> None:
    """End a visit, by who looks or by the tenant; a second time changes nothing.

    Raises:
        NotFound: the tenant has no such visit.
    """
    with db.transaction(tenant_id) as session:
        visit = session.get(SupportVisit, visit_id, with_for_update=True)
        if visit is None or visit.tenant_id != tenant_id:
            raise NotFound
        if visit.ended_at is None:
            visit.ended_at, visit.ended_by = session.scalar(func.clock_timestamp()), by.id
            audit.record(tenant_id, by, "support.ended", visit_id, on_behalf_of=visit.person_id, pages=visit.pages)


def whom_to_look_as(tenant_id: UUID) -> tuple[list[tuple[str, str]] | None, Any]:
    """Return the members that staff may look as (id, name and address), and until when; None for no such tenant, none without consent."""
    with db.unit_of_work(tenant_id):
        if not queries.is_tenant(tenant_id):
            return None, None
        until = consent_until(tenant_id)
        return (queries.members(tenant_id, but=NEVER_AS) if until else []), until


def look(tenant_id: UUID, visit_id: UUID, path: str) -> Any:
    """Write down that staff look at a page ("": they do something else); return until, staff_id and staff_name(_ar), or None when the visit is over."""
    with db.transaction():
        return queries.note_page(tenant_id, visit_id, path)


def consent_until(tenant_id: UUID) -> Any:
    """Return until when staff may look, or None."""
    found = queries.grant_in_force(tenant_id)
    return found.until if found else None
