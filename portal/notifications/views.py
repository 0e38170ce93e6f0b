"""The bell's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import paging
from portal.core.access import Permission, access, requires
from portal.core.paging import Page
from portal.core.render import changed, render
from portal.i18n.words import lazy_gettext as _l
from portal.notifications import queries, service

bp = Blueprint("notifications", __name__)

SENTENCES: dict[str, Any] = {
    "run.failed": _l("A run that you started has failed."),
    "run.timed_out": _l("A run that you started took longer than its time limit and was ended."),
    "run.compensated": _l("A run that you started has failed, and what it did was taken back."),
    "export.ready": _l("A file that you asked for is ready."),
    "export.failed": _l("A file that you asked for could not be made. Ask for it again; if it fails again, tell us."),
    "bulk.done": _l("What you asked for many rows at once is done."),
    "bulk.failed": _l("What you asked for many rows at once is over, but some rows could not be changed."),
    "account.new_device": _l("Your account was used with a browser that we had not seen before."),
    "account.crowded_out": _l("You signed in on more than ten devices; the one that was seen longest ago was signed out."),
    "account.locked": _l("A member's password is locked: somebody entered it wrongly too often."),
    "token.expiring": _l("One of your API tokens ends soon. Rotate it, or what uses it will stop."),
    "token.revoked": _l("An admin has revoked one of your API tokens."),
    "token.leaked": _l("An API token was found in the open and has been revoked."),
    "client.admin": _l("An admin has signed out one of your API clients."),
    "client.leak": _l("Something that belongs to an API client was found in the open. The client has been signed out."),
    "client.reuse": _l("A refresh token was used twice: somebody may have copied it. The API client has been signed out."),
    "member.joined": _l("Somebody you invited has joined the organisation."),
    "member.role_changed": _l("You have another role in the organisation."),
    "task.opened": _l("A task waits for your decision."),
    "task.reminded": _l("A reminder: a task still waits for your decision."),
    "task.escalated": _l("Nobody decided a task in time, so you may decide it too."),
    "task.delegated": _l("A task was handed on to you."),
    "sign_in.stuffing": _l("Passwords are tried at many accounts. Look at the page of health."),
    "run.stuck": _l("A run is stuck: nothing of it lives, and it has not ended. Look at its organisation."),
    "history.broken": _l("The recorded history of a run was changed after it was written. Please tell whoever runs the database."),
    "publish.asked": _l("Somebody asks you to agree before a workflow is published."),
    "publish.approved": _l("A change that you asked for was agreed to and is live."),
    "publish.rejected": _l("A change that you asked for was not agreed to."),
    "publish.void": _l("A draft was changed after you asked to publish it. Ask again when it is ready."),
    "step.in_doubt": _l("A step was cut off and may have happened. Please decide how the run goes on."),
}


@bp.get("/notifications")
@requires(Permission.NOTIFICATION_READ)
def listing() -> Response:
    return _page()


@bp.post("/notifications/<uuid:notification_id>/read")
@requires(Permission.NOTIFICATION_READ)
def mark_read(notification_id: UUID) -> Response:
    here = access()
    service.mark_read(here.tenant_id, here.person_id, notification_id)
    return changed(url_for("notifications.listing"), _page)


@bp.post("/notifications/read-all")
@requires(Permission.NOTIFICATION_READ)
def mark_all_read() -> Response:
    here = access()
    service.mark_all_read(here.tenant_id, here.person_id)
    return changed(url_for("notifications.listing"), _page)


def _page() -> Response:
    here = access()
    page = Page(after=paging.read_cursor(request.args.get("after")))
    rows = queries.list_notifications(here.tenant_id, here.person_id, page)
    return render("notifications/list.html", fragment="notices", listing=rows, sentences=SENTENCES)
