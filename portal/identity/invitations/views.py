"""The pages of invitations: ask people in, and the page that the link in the mail opens."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, session, url_for

from portal.core.access import Known, Permission, access, known, public, requires
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.ids import as_uuid
from portal.core.render import render, see_other, toast
from portal.i18n.locale import chosen_tag
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext
from portal.identity import queries as identity
from portal.identity import sessions, standing
from portal.identity.invitations import queries, service
from portal.identity.invitations.errors import AccountThere, InvitationSpent, WrongPerson
from portal.identity.invitations.forms import InviteForm, JoinForm
from portal.identity.invitations.service import Opened
from portal.identity.outside import outside

bp = Blueprint("invitations", __name__)


@bp.get("/settings/members/invite")
@requires(Permission.MEMBER_EDIT)
def invite() -> Response:
    return _invite(InviteForm(formdata=None, data={"role": "member", "language": chosen_tag()}))


@bp.post("/settings/members/invite")
@requires(Permission.MEMBER_EDIT)
def send() -> Response:
    form = InviteForm()
    if not form.validate():
        return _invite(form, form.problems(), 422)
    try:
        sent = service.invite(access(), form.addresses.data or "", form.role.data or "", form.language.data or "")
    except Invalid as refused:
        return _invite(form, refused.problems, refused.status)
    toast(ngettext("%(num)d invitation is on its way.", "%(num)d invitations are on their way.", len(sent)))
    return see_other(url_for("members.listing"))


def _invite(form: InviteForm, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    here = access()
    mine = standing.of_person(here.tenant_id, here.person_id)
    if mine is None:
        raise Forbidden
    may_have = [each for each in standing.every(here.tenant_id) if mine.may_give(each)]
    return render("members/invite.html", status=status, form=form, problems=problems or {}, may_have=may_have)


@bp.post("/settings/invitations/<uuid:invitation_id>/resend")
@requires(Permission.MEMBER_EDIT)
def resend(invitation_id: UUID) -> Response:
    here = access()
    queries.get(here.tenant_id, invitation_id)
    try:
        service.resend(here, invitation_id)
    except Conflict as refused:
        toast(refused.message, "warning")
    else:
        toast(_("The invitation is on its way again; the link before does not work any more."))
    return see_other(url_for("members.listing"))


@bp.post("/settings/invitations/<uuid:invitation_id>/revoke")
@requires(Permission.MEMBER_EDIT)
def revoke(invitation_id: UUID) -> Response:
    service.revoke(access(), invitation_id)
    toast(_("The invitation is withdrawn; its link does not work any more."))
    return see_other(url_for("members.listing"))


@bp.get("/invitation")
@public("the token is the proof; opening the page changes nothing, programs that look at mail do that")
def show() -> Response:
    return _page(as_uuid(request.args.get("in")), request.args.get("token", ""), JoinForm(formdata=None))


@bp.post("/invitation")
@public("the token is the proof, and for who has an account the session")
def accept() -> Response:
    tenant_id, token, who = as_uuid(request.form.get("in")), request.form.get("token", ""), known()
    try:
        opened = service.look_up(tenant_id, token)
    except InvitationSpent:
        return _spent()
    if opened.has_account:
        return _join(opened, token, who)
    form = JoinForm()
    if who is not None or not form.validate():
        return _page(tenant_id, token, form, form.problems() if who is None else {}, 422)
    try:
        person_id = service.join_new(
            opened.tenant_id, token, name=form.name.data, name_ar=form.name_ar.data or None, password=form.password.data or "",
            locale=chosen_tag(),
        )  # fmt: skip
    except Invalid as refused:
        return _page(tenant_id, token, form, refused.problems, 422)
    except (InvitationSpent, AccountThere):
        return _page(tenant_id, token, form)
    session.clear()
    sessions.begin_session(session, person_id, opened.tenant_id)
    toast(_("Welcome."))
    return see_other(url_for("home.show"))


def _join(opened: Opened, token: str, who: Known | None) -> Response:
    """Let somebody with an account in who is signed in; who is not signs in first."""
    if who is None:
        return _page(opened.tenant_id, token, JoinForm(formdata=None))
    try:
        service.join(opened.tenant_id, token, who.person_id)
    except InvitationSpent:
        return _spent()
    except WrongPerson as refused:
        return _page(opened.tenant_id, token, JoinForm(formdata=None), status=refused.status)
    # Through the same door as everybody who goes from one organisation into another.
    toast(_("You are a member now. Choose the organisation to work in it."))
    return see_other(url_for("organisations.choose"))


def _page(tenant_id: UUID | None, token: str, form: JoinForm, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    try:
        opened = service.look_up(tenant_id, token)
    except InvitationSpent:
        return _spent()
    who = known()
    person = identity.find_person(opened.email_key) if who else None
    return outside(
        "invitations/show.html", status=status, opened=opened, token=token, form=form, problems=problems or {}, who=who,
        is_for_me=who is not None and person is not None and person.id == who.person_id,
        back=f"/invitation?in={opened.tenant_id.hex}&token={token}",
    )  # fmt: skip


def _spent() -> Response:
    return outside("invitations/spent.html", status=404)
