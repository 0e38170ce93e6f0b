"""What is told of requests to publish: the bell and a mail; and an edited draft makes its request void."""

from __future__ import annotations

from uuid import UUID

from portal import events
from portal.core.bus import listen
from portal.identity import service as identity
from portal.mail import service as mail
from portal.notifications import service as notifications
from portal.workflows import queries as workflows
from portal.workflows.versions import publishing

MOST_MAILS = 100
TONES = {"approved": "success", "rejected": "warning", "void": "warning"}


@listen(events.WorkflowDraftChanged)
def on_draft_changed(event: events.WorkflowDraftChanged) -> None:
    publishing.make_void(event.tenant_id, event.workflow_id)


@listen(events.PublishAsked)
def on_asked(event: events.PublishAsked) -> None:
    request = publishing.get(event.tenant_id, event.request_id)
    _tell(event.tenant_id, event.workflow_id, event.request_id, "asked", publishing.checkers(event.tenant_id, request), "info")


@listen(events.PublishDecided)
def on_decided(event: events.PublishDecided) -> None:
    if event.state in TONES:
        request = publishing.get(event.tenant_id, event.request_id)
        _tell(event.tenant_id, event.workflow_id, event.request_id, event.state, [request.asked_by], TONES[event.state])


def _tell(tenant_id: UUID, workflow_id: UUID, request_id: UUID, what: str, people: list[UUID], tone: str) -> None:
    link = f"/publish-requests/{request_id}"
    facts = workflows.names_of(tenant_id, workflow_id)
    notifications.notify(tenant_id, people, type=f"publish.{what}", message="", severity=tone, data=facts, link=link)
    if len(people) > MOST_MAILS:
        return
    for row in identity.addresses_of(tenant_id, people):
        mail.post(
            row.email, "publish", locale=row.locale, tenant_id=tenant_id, link=link, what=what, workflow=facts["workflow"],
            workflow_ar=facts["workflow_ar"] or "",
        )  # fmt: skip
