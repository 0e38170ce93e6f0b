"""What the bell does when something happened to an account, a membership, or the tokens and clients of somebody: tell who must know."""

from __future__ import annotations

from uuid import UUID

from portal import events
from portal.core.bus import listen
from portal.identity import service as identity
from portal.notifications import service


@listen(events.SignedInFromNewDevice)
def on_new_device(event: events.SignedInFromNewDevice) -> None:
    if event.tenant_id is not None:
        service.notify(
            event.tenant_id, [event.person_id], type="account.new_device", message="", severity="warning", link="/settings/devices"
        )


@listen(events.SessionsCrowdedOut)
def on_crowded_out(event: events.SessionsCrowdedOut) -> None:
    if event.tenant_id is not None:
        service.notify(
            event.tenant_id, [event.person_id], type="account.crowded_out", message="", severity="info", link="/settings/devices"
        )


@listen(events.MemberJoined)
def on_member_joined(event: events.MemberJoined) -> None:
    if event.invited_by is not None:
        link = f"/settings/members/{event.person_id}"
        service.notify(event.tenant_id, [event.invited_by], type="member.joined", message="", severity="success", link=link)


@listen(events.RoleChanged)
def on_role_changed(event: events.RoleChanged) -> None:
    service.notify(event.tenant_id, [event.person_id], type="member.role_changed", message="", link="/settings/organisations")


@listen(events.TokenExpiring)
def on_token_expiring(event: events.TokenExpiring) -> None:
    service.notify(
        event.tenant_id,
        [event.person_id],
        type="token.expiring",
        message="",
        severity="warning",
        data={"name": event.name, "days": event.days},
        link=f"/settings/tokens/{event.token_id}",
    )


@listen(events.TokenRevoked)
def on_token_revoked(event: events.TokenRevoked) -> None:
    """Tell the owner what others did; of a leak the admins hear, too."""
    if event.because == "person":
        return
    is_theft = event.because == "leak"
    service.notify(
        event.tenant_id,
        {event.person_id, *(_admins(event.tenant_id) if is_theft else ())},
        type="token.leaked" if is_theft else "token.revoked",
        message="",
        severity="error" if is_theft else "warning",
        data={"name": event.name},
        link=f"/settings/tokens/{event.token_id}",
    )


@listen(events.ApiClientSignedOut)
def on_client_signed_out(event: events.ApiClientSignedOut) -> None:
    if event.because == "person":
        return
    is_theft = event.because in ("leak", "reuse")
    service.notify(
        event.tenant_id,
        {event.person_id, *(_admins(event.tenant_id) if is_theft else ())},
        type=f"client.{event.because}",
        message="",
        severity="error" if is_theft else "warning",
        data={"name": event.name},
        link=f"/settings/clients/{event.client_id}",
    )


def _admins(tenant_id: UUID) -> list[UUID]:
    return identity.member_ids(tenant_id, roles=("owner", "admin"))


@listen(events.AccountLocked)
def on_account_locked(event: events.AccountLocked) -> None:
    link = f"/settings/members/{event.person_id}"
    service.notify(event.tenant_id, _admins(event.tenant_id), type="account.locked", message="", severity="warning", link=link)


@listen(events.RunStuck)
def on_stuck(event: events.RunStuck) -> None:
    staff = identity.member_ids(event.tenant_id, roles=("staff",))
    link = f"/staff/tenants/{event.organisation_id}?run={event.run_id}#runs-title"
    service.notify(event.tenant_id, staff, type="run.stuck", message="", severity="error", data={"run_id": str(event.run_id)}, link=link)


@listen(events.StuffingSuspected)
def on_stuffing(event: events.StuffingSuspected) -> None:
    staff = identity.member_ids(event.tenant_id, roles=("staff",))
    service.notify(event.tenant_id, staff, type="sign_in.stuffing", message="", severity="error", link="/staff#alarms")
