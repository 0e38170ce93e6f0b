"""What workflows do when something happened: tell the person who started the run."""

from __future__ import annotations

from datetime import datetime

from portal import events
from portal.core import db
from portal.core.bus import listen
from portal.identity import service as identity
from portal.notifications import service as notifications
from portal.tenants import service as tenants
from portal.workflows import queries, service
from portal.workflows.engine.runner import again
from portal.workflows.engine.store import answering, standstill


@listen(events.RunFinished)
def on_run_finished(event: events.RunFinished) -> None:
    if event.started_by is None or event.status not in ("failed", "timed_out", "compensated"):
        return
    notifications.notify(
        event.tenant_id,
        [event.started_by],
        type=f"run.{event.status}",
        message="",
        severity="error",
        data={"run_id": str(event.run_id), **queries.names_of(event.tenant_id, event.workflow_id)},
        link=f"/runs/{event.run_id}",
    )


@listen(events.RunFinished)
def on_run_failed(event: events.RunFinished) -> None:
    if event.status in ("failed", "timed_out", "compensated"):
        service.start_error_run(event.tenant_id, event.run_id)


@listen(events.HistoryBroken)
def on_history_broken(event: events.HistoryBroken) -> None:
    is_house = event.tenant_id == tenants.house_id()
    people = identity.member_ids(event.tenant_id, roles=None if is_house else ("owner", "admin"))
    notifications.notify(
        event.tenant_id, people, type="history.broken", message="", severity="error",
        data={"run_id": str(event.run_id), "event": event.event}, link=None if is_house else f"/runs/{event.run_id}",
    )  # fmt: skip


@listen(events.TenantResumed)
def on_resumed(event: events.TenantResumed) -> None:
    standstill.go_on(event.tenant_id, datetime.fromisoformat(event.since))


@listen(events.SignalSent)
def on_signal_sent(event: events.SignalSent) -> None:
    # After the commit: who waits may stand in another run, whose row must not be locked after this one's. Losing it costs the
    # dispatcher's second.
    db.after_commit(lambda: again(lambda: answering.deliver_signal(event.tenant_id, event.signal_id)))
