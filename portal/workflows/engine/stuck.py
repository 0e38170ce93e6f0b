"""The alarm about runs that nothing will ever move on: a fault of ours, found within a minute (I-7)."""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import SYSTEM
from portal.identity import service as identity
from portal.mail import service as mail
from portal.tenants import service as tenants
from portal.workflows.engine.store import look

log = logging.getLogger(__name__)


def watch() -> int:
    """Give the alarms that are due, one for each run: an entry in the house's audit log, bell and mail of the staff, an error in our log;
    returns how many are new.

    For the dispatcher, twice a minute; safe when two do it at once.
    """
    found = look.stuck_runs()
    if not found:
        return 0
    with db.transaction():
        house_id = tenants.house_id()
    with db.unit_of_work(house_id), db.transaction() as session:
        session.execute(text("select pg_advisory_xact_lock(hashtext('stuck_runs'))"))
        return sum(_give(house_id, *each) for each in found)


def _give(house_id: UUID, tenant_id: UUID, run_id: UUID) -> bool:
    given = "select 1 from audit_entries where tenant_id = :house and action = 'run.stuck' and target_id = :run limit 1"
    if db.session().scalar(text(given), {"house": house_id, "run": run_id}):
        return False
    audit.record(house_id, SYSTEM, "run.stuck", run_id, organisation=tenant_id)
    bus.announce(events.RunStuck(house_id, tenant_id, run_id))
    _mail_staff(house_id, tenant_id, run_id)
    log.error("a run is stuck: nothing of it lives, and it has not ended", extra={"tenant": str(tenant_id), "run": str(run_id)})
    return True


def _mail_staff(house_id: UUID, tenant_id: UUID, run_id: UUID) -> None:
    organisation = tenants.get(tenant_id)
    for staff in identity.addresses_of(house_id, identity.member_ids(house_id, roles=("staff",))):
        mail.post(
            staff.email, "run_stuck", locale=staff.locale, name=staff.name, name_ar=staff.name_ar, organisation=organisation.name,
            organisation_ar=organisation.name_ar, run=str(run_id), link=f"/staff/tenants/{tenant_id}?run={run_id}#runs-title",
        )  # fmt: skip
