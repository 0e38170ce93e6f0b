"""The tenant's page of support, and the way out for who looks."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, session, url_for

from portal.core.access import Permission, access, confirmed, requires, signed_in, staff_only
from portal.core.digits import ascii_digits
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.ids import as_uuid
from portal.core.render import changed, render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity import sessions
from portal.identity.support import queries, service
from portal.tenants import service as tenants

bp = Blueprint("support", __name__)


@bp.get("/settings/support")
@requires(Permission.SUPPORT_GRANT)
def show() -> Response:
    return _page()


@bp.post("/settings/support/grant")
@requires(Permission.SUPPORT_GRANT)
@confirmed
def grant() -> Response:
    here, hours = access(), ascii_digits(request.form.get("hours", ""))
    try:
        service.grant(here.tenant_id, int(hours) if hours.isdigit() else 0, by=here.actor)
    except Invalid as refused:
        return _page(status=422, problems=refused.problems)
    toast(_("Support may look now."))
    return see_other(url_for("support.show"))


@bp.post("/settings/support/revoke")
@requires(Permission.SUPPORT_GRANT)
def revoke() -> Response:
    here = access()
    service.revoke(here.tenant_id, by=here.actor)
    toast(_("Support may not look any more; whoever did is out."))
    return see_other(url_for("support.show"))


@bp.post("/settings/support/visits/<uuid:visit_id>/end")
@requires(Permission.SUPPORT_GRANT)
def end(visit_id: UUID) -> Response:
    here = access()
    service.leave(here.tenant_id, visit_id, by=here.actor)
    return changed(url_for("support.show"), _page)


@bp.post("/support/leave")
@signed_in
def leave() -> Response:
    here = access()
    if here.visit is None:
        raise NotFound
    service.leave(here.tenant_id, here.visit.id, by=here.actor)
    session.clear()
    sessions.continue_session(session, here.visit.staff_id, tenants.house_id())
    return see_other("/")


@bp.get("/staff/tenants/<uuid:tenant_id>/visit")
@staff_only
def enter(tenant_id: UUID) -> Response:
    return _entrance(tenant_id)


@bp.post("/staff/tenants/<uuid:tenant_id>/visit")
@staff_only
@confirmed
def begin(tenant_id: UUID) -> Response:
    here, form = access(), request.form
    person_id = as_uuid(form.get("person"))
    try:
        visit_id = service.enter(
            tenant_id, person_id, staff_id=here.person_id, reason=form.get("reason", ""), ticket=form.get("ticket", "")
        )
    except Invalid as refused:
        return _entrance(tenant_id, status=422, problems=refused.problems)
    except Conflict as refused:
        return _entrance(tenant_id, status=409, problems={"person": refused.message})
    assert person_id is not None
    session.clear()
    sessions.begin_visit(session, person_id, tenant_id, staff_id=here.person_id, visit_id=visit_id)
    return see_other("/")


def _entrance(tenant_id: UUID, *, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    members, until = service.whom_to_look_as(tenant_id)
    if members is None:
        raise NotFound
    return render(
        "support/enter.html", status=status, tenant_id=tenant_id, members=members, until=until, given=request.form, problems=problems or {}
    )


def _page(*, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    here = access()
    visits = queries.visits(here.tenant_id)
    return render(
        "support/show.html",
        fragment="visits",
        status=status,
        until=service.consent_until(here.tenant_id),
        hours=service.HOURS,
        visits=visits,
        is_live=any(each.is_open for each in visits),
        problems=problems or {},
    )
