"""Screens of staff: health, organisations, failed jobs, announcements, switches, and the gallery of components."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, session, url_for

from portal.admin import gallery as components
from portal.admin import queries, service
from portal.admin.samples import samples
from portal.core import flags
from portal.core.access import access, confirmed, signed_in, staff_only
from portal.core.checks import checkable
from portal.core.digits import ascii_digits, whole_or
from portal.core.errors import Invalid, NotFound
from portal.core.render import local_address, render, see_other, toast
from portal.i18n import reader, zones
from portal.i18n.locale import chosen_tag
from portal.i18n.names import tidy
from portal.i18n.words import gettext as _
from portal.workflows.fairness import service as shares
from portal.workflows.fairness.service import LANE_LABELS, Place, spans_of

bp = Blueprint("admin", __name__)
SEEN = "announcements_put_away"


@bp.get("/staff")
@staff_only
def home() -> Response:
    return render("admin/home.html", fragment="health", health=queries.health(), alarms=queries.alarms())


@bp.get("/staff/tenants")
@staff_only
def tenants() -> Response:
    words = str(tidy(request.args.get("q", "")))[:100]
    return render("admin/tenants.html", fragment="found", words=words, rows=queries.find_tenants(words))


@bp.get("/staff/tenants/<uuid:tenant_id>")
@staff_only
def tenant(tenant_id: UUID) -> Response:
    return _tenant(tenant_id)


@bp.post("/staff/tenants/<uuid:tenant_id>/suspend")
@staff_only
@confirmed
def suspend(tenant_id: UUID) -> Response:
    reason, reason_ar = (str(tidy(request.form.get(name, ""))) for name in ("reason", "reason_ar"))
    try:
        service.suspend(tenant_id, reason=reason, reason_ar=reason_ar, by=access().actor)
    except Invalid as refused:
        return _tenant(tenant_id, status=422, problems=refused.problems)
    toast(_("The organisation is suspended: its members read why instead of their pages."))
    return see_other(url_for("admin.tenant", tenant_id=tenant_id))


@bp.post("/staff/tenants/<uuid:tenant_id>/resume")
@staff_only
@confirmed
def resume(tenant_id: UUID) -> Response:
    service.resume(tenant_id, by=access().actor)
    toast(_("The organisation goes on."))
    return see_other(url_for("admin.tenant", tenant_id=tenant_id))


def _tenant(tenant_id: UUID, *, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    found = queries.tenant(tenant_id)
    if found is None:
        raise NotFound
    return render(
        "admin/tenant.html",
        status=status,
        given=request.form,
        problems=problems or {},
        organisation=found,
        zone=zones.name_of(found.timezone, chosen_tag()),
        people=queries.people_of(tenant_id),
        runs=queries.runs_of(tenant_id, first=request.args.get("run", "")),
        consent=queries.consent_of(tenant_id),
    )


@bp.get("/staff/fairness")
@staff_only
def fairness() -> Response:
    hours, spans = spans_of(request.args.get("span", ""), lambda span: url_for("admin.fairness", span=span))
    return render("admin/fairness.html", lanes=shares.shares(hours), labels=LANE_LABELS, spans=spans)


@bp.get("/staff/tenants/<uuid:tenant_id>/limits")
@staff_only
def limits(tenant_id: UUID) -> Response:
    return _limits(tenant_id)


@bp.post("/staff/tenants/<uuid:tenant_id>/limits")
@staff_only
def set_limits(tenant_id: UUID) -> Response:
    form = request.form.get
    typed = {lane: (whole_or(form(f"weight-{lane}", ""), usual=0), whole_or(form(f"cap-{lane}", ""), usual=None)) for lane in LANE_LABELS}
    try:
        service.limit_tenant(tenant_id, {lane: Place(weight or 0, cap) for lane, (weight, cap) in typed.items()}, by=access().actor)
    except Invalid as refused:
        return _limits(tenant_id, problems=refused.problems, status=422)
    toast(_("It counts from the next step on."))
    return see_other(url_for("admin.limits", tenant_id=tenant_id))


def _limits(tenant_id: UUID, *, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    found = queries.tenant(tenant_id)
    if found is None:
        raise NotFound
    places = shares.places_of(tenant_id)
    given: dict[str, Any] = {f"weight-{lane}": place.weight for lane, place in places.items()}
    given |= {f"cap-{lane}": place.cap or "" for lane, place in places.items()}
    return render(
        "admin/limits.html", status=status, organisation=found, labels=LANE_LABELS, given={**given, **request.form}, problems=problems or {}
    )


@bp.get("/staff/jobs")
@staff_only
def jobs() -> Response:
    return render("admin/jobs.html", jobs=queries.failing_jobs(), letters=queries.failed_letters())


@bp.post("/staff/jobs/<uuid:job_id>/retry")
@staff_only
def retry_job(job_id: UUID) -> Response:
    service.retry_job(job_id, by=access().actor)
    toast(_("The job is tried again within a second."))
    return see_other(url_for("admin.jobs"))


@bp.post("/staff/jobs/<uuid:job_id>/drop")
@staff_only
@confirmed
def drop_job(job_id: UUID) -> Response:
    service.drop_job(job_id, by=access().actor)
    toast(_("The job is given up."))
    return see_other(url_for("admin.jobs"))


@bp.get("/staff/announcements")
@staff_only
def announcements() -> Response:
    return _announcements()


@bp.post("/staff/announcements")
@staff_only
@checkable
def announce() -> Response:
    form = request.form
    try:
        service.announce(
            text=str(tidy(form.get("text", ""))),
            text_ar=str(tidy(form.get("text_ar", ""))),
            tone=form.get("tone", ""),
            since=_moment(form.get("since", "")),
            until=_moment(form.get("until", "")),
            by=access().actor,
        )
    except Invalid as refused:
        return _announcements(status=422, problems=refused.problems)
    toast(_("Everybody sees it while it holds."))
    return see_other(url_for("admin.announcements"))


@bp.post("/staff/announcements/<uuid:announcement_id>/end")
@staff_only
def end_announcement(announcement_id: UUID) -> Response:
    service.end_announcement(announcement_id, by=access().actor)
    return see_other(url_for("admin.announcements"))


@bp.post("/announcements/<uuid:announcement_id>/put-away")
@signed_in
def put_away(announcement_id: UUID) -> Response:
    if str(announcement_id) not in queries.announced_ids():
        raise NotFound
    session[SEEN] = [*session.get(SEEN, [])[-9:], str(announcement_id)]
    return see_other(local_address(request.form.get("next")))


def _announcements(*, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    return render("admin/announcements.html", status=status, rows=queries.announcements(), given=request.form, problems=problems or {})


def _moment(text: str) -> datetime | None:
    """Read a moment as the form sends it, in the reader's time zone."""
    try:
        return datetime.fromisoformat(ascii_digits(text)).replace(tzinfo=ZoneInfo(reader.current().preferences.timezone))
    except ValueError:
        return None


@bp.get("/staff/switches")
@staff_only
def switches() -> Response:
    return render("admin/switches.html", flags=flags.declared(), states=queries.flag_states())


@bp.post("/staff/switches/<name>")
@staff_only
@confirmed
def switch(name: str) -> Response:
    service.switch(name, is_on=request.form.get("on") == "1", by=access().actor)
    return see_other(url_for("admin.switches"))


@bp.get("/staff/gallery")
@staff_only
def gallery() -> Response:
    return see_other(url_for("admin.gallery_group", group=next(iter(components.GROUPS))))


@bp.get("/staff/gallery/<group>")
@staff_only
def gallery_group(group: str) -> Response:
    if group not in components.GROUPS:
        raise NotFound
    tabs = [(label, url_for("admin.gallery_group", group=each), each == group) for each, label in components.GROUPS.items()]
    return render(
        f"admin/gallery/{group}.html", group=group, groups=components.GROUPS, about=components.descriptions(), tabs=tabs, **samples()
    )
