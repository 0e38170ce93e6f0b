"""What identity does when an organisation stops: sessions end, owners are told."""

from __future__ import annotations

from sqlalchemy import text

from portal import events
from portal.core import db
from portal.core.bus import listen
from portal.identity.members import queries
from portal.mail import service as mail
from portal.tenants import service as tenants


@listen(events.TenantClosed)
def on_closed(event: events.TenantClosed) -> None:
    """End every session in the organisation, and tell its owners."""
    db.session().execute(text("delete from sessions where tenant_id = :tenant"), {"tenant": event.tenant_id})
    _tell_owners(event, "organisation_closed")


@listen(events.TenantSuspended)
def on_suspended(event: events.TenantSuspended) -> None:
    _tell_owners(event, "organisation_suspended")


def _tell_owners(event: events.TenantClosed | events.TenantSuspended, message: str) -> None:
    tenant = tenants.get(event.tenant_id)
    for owner in queries.owners(event.tenant_id):
        mail.post(
            owner.email, message, locale=owner.locale, name=owner.name, name_ar=owner.name_ar, organisation=tenant.name,
            organisation_ar=tenant.name_ar, reason=tenant.status_reason or "", reason_ar=tenant.status_reason_ar or "",
        )  # fmt: skip
