"""The choice between a person's organisations; leaving one; the names, zone and end of the one they work in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, session, url_for

from portal.core.access import Permission, access, confirmed, known, requires, signed_in, signed_in_anywhere
from portal.core.errors import Conflict, Invalid, NotFound, SignInNeeded
from portal.core.ids import as_uuid
from portal.core.render import local_address, render, see_other, toast
from portal.i18n import zones
from portal.i18n.locale import chosen_tag
from portal.i18n.words import gettext as _
from portal.identity import sessions
from portal.identity.members import service as members
from portal.identity.members.errors import LastOwner
from portal.identity.naming import pair, written
from portal.identity.organisations import service
from portal.identity.organisations.forms import CloseForm, OrganisationForm
from portal.identity.outside import outside
from portal.tenants import service as tenants

bp = Blueprint("organisations", __name__)


@bp.get("/organisations")
@signed_in_anywhere
def choose() -> Response:
    who = known()
    if who is None:
        raise SignInNeeded
    found = service.all_of(who.person_id)
    resting = [row for row in found if row.status != "active"]
    return outside(
        "organisations/choose.html", active=[row for row in found if row.status == "active"], who=who,
        resting=[(row, service.owners_of(row.id, who.person_id)) for row in resting], next=local_address(request.args.get("next")),
    )  # fmt: skip


@bp.get("/settings/organisations")
@signed_in
def mine() -> Response:
    return _mine()


@bp.post("/organisations/leave")
@signed_in_anywhere
def leave() -> Response:
    who, tenant_id = known(), as_uuid(request.form.get("tenant"))
    if who is None or tenant_id is None:
        raise NotFound
    try:
        members.leave(tenant_id, who.person_id)
    except LastOwner:
        toast(_("You are its only owner. Make somebody else an owner first, or close the organisation."), "warning")
        return see_other(url_for("organisations.mine") if who.tenant_id else url_for("organisations.choose"))
    toast(_("You have left the organisation."))
    if who.tenant_id not in (None, tenant_id):
        return see_other(url_for("organisations.mine"))
    # The session went with the membership: the person stays signed in, and chooses where to go on.
    sessions.continue_session(session, who.person_id, None)
    return see_other(url_for("organisations.choose"))


def _mine() -> Response:
    here = access()
    return render("organisations/mine.html", organisations=service.all_of(here.person_id))


@bp.get("/settings/organisation")
@requires(Permission.TENANT_EDIT)
def edit() -> Response:
    tenant = tenants.get(access().tenant_id)
    return _form(OrganisationForm(formdata=None, data={**written(tenant), "timezone": zones.name_of(tenant.timezone, chosen_tag())}))


@bp.post("/settings/organisation")
@requires(Permission.TENANT_EDIT)
def save() -> Response:
    form = OrganisationForm()
    if not form.validate():
        return _form(form, form.problems(), 422)
    name, name_ar = pair(form.name.data, form.name_ar.data)
    service.change(access(), name=name, name_ar=name_ar, timezone=form.zone() or "")
    toast(_("The organisation is changed."))
    return see_other(url_for("organisations.edit"))


@bp.get("/settings/organisation/close")
@requires(Permission.TENANT_EDIT)
@confirmed
def edit_closing() -> Response:
    return _close({})


@bp.post("/settings/organisation/close")
@requires(Permission.TENANT_EDIT)
@confirmed
def close() -> Response:
    here, form = access(), CloseForm()
    names: dict[str, Any] = {"name": here.tenant_name, "name_ar": here.tenant_name_ar}
    try:
        service.close(here, form.typed.data or "")
    except Invalid as refused:
        return _close(refused.problems, refused.status)
    except Conflict:
        raise NotFound from None
    sessions.continue_session(session, here.person_id, None)
    return outside("organisations/closed.html", organisation=names)


def _close(problems: dict[str, str], status: int = 200) -> Response:
    return render("organisations/close.html", status=status, problems=problems, tenant=tenants.get(access().tenant_id))


def _form(form: OrganisationForm, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    return render("organisations/edit.html", status=status, form=form, problems=problems or {}, zones=zones.listed(chosen_tag()))
