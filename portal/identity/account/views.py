"""The account's pages: confirm, password, lost password, devices."""

from __future__ import annotations

from flask import Blueprint, Response, request, session, url_for

from portal.core.access import access, confirmed, public, signed_in
from portal.core.errors import Invalid, NotFound
from portal.core.render import local_address, render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.identity import sessions
from portal.identity.account import service
from portal.identity.account.errors import LinkSpent
from portal.identity.account.forms import ChangePasswordForm, ConfirmForm, ForgottenForm, NewPasswordForm
from portal.identity.factors import service as factors
from portal.identity.factors.forms import CodeForm
from portal.identity.origin import browser_of
from portal.identity.outside import outside
from portal.identity.sso import policy

bp = Blueprint("account", __name__)


@bp.get("/confirm")
@signed_in
def confirm() -> Response:
    return _confirm({})


def _confirm(problems: dict[str, str], *, status: int = 200) -> Response:
    here, wanted = access(), local_address(request.args.get("next"))
    kinds = factors.kinds_of(here.person_id)
    kind = factors.APP if request.args.get("with") == factors.APP and factors.APP in kinds else "password"
    provider = policy.provider_of_session(here.tenant_id, here.session_id)
    return render("account/confirm.html", status=status, problems=problems, next=wanted, kind=kind, kinds=kinds, provider=provider)


@bp.post("/confirm")
@signed_in
def confirm_check() -> Response:
    problems = _wrong_code() if request.args.get("with") == factors.APP else _wrong_password()
    return _confirm(problems, status=422) if problems else is_confirmed()


def _wrong_password() -> dict[str, str]:
    form = ConfirmForm()
    if not form.validate():
        return form.problems()
    if service.confirm(access().person_id, form.password.data or "", sessions.origin_of_request()):
        return {}
    return {"password": _("This is not your password, or it was tried too often. Wait a little and try again.")}


def _wrong_code() -> dict[str, str]:
    here, form, origin = access(), CodeForm(), sessions.origin_of_request()
    if not form.validate():
        return form.problems()
    code = form.code.data or ""
    if identity.throttled(
        "factor", here.person_id, origin, lambda: factors.prove(here.person_id, factors.APP, code, tenant_id=here.tenant_id)
    ):
        return {}
    return {"code": _("This code is not right, or codes were tried too often. Wait for the next one.")}


def is_confirmed() -> Response:
    """Go on to the page that asked for it, with a session in which the person has just proved who they are."""
    here = access()
    sessions.continue_session(session, here.person_id, here.tenant_id, is_confirmed=True)
    return see_other(local_address(request.args.get("next")))


@bp.get("/settings/password")
@signed_in
@confirmed
def password() -> Response:
    return _password({})


def _password(problems: dict[str, str], *, status: int = 200) -> Response:
    person_id = access().person_id
    return render("account/password.html", status=status, problems=problems, has_password=service.has_password(person_id),
                  shortest=service.shortest_for(person_id))  # fmt: skip


@bp.post("/settings/password")
@signed_in
@confirmed
def change_password() -> Response:
    here, form = access(), ChangePasswordForm()
    if not form.validate():
        return _password(form.problems(), status=422)
    if service.has_password(here.person_id) and not service.confirm(here.person_id, form.current.data or "", sessions.origin_of_request()):
        return _password({"current": _("This is not your password, or it was tried too often. Wait a little and try again.")}, status=422)
    try:
        service.change_password(here.tenant_id, here.person_id, form.password.data or "", session_id=here.session_id)
    except Invalid as refused:
        return _password(refused.problems, status=422)
    sessions.continue_session(session, here.person_id, here.tenant_id, is_confirmed=True)
    toast(_("Your password is changed. Everywhere else you are signed out."))
    return see_other(url_for("account.password"))


@bp.get("/password/forgotten")
@public("who has lost the password cannot sign in")
def forgotten() -> Response:
    return outside("account/forgotten.html", form=ForgottenForm())


@bp.post("/password/forgotten")
@public("who has lost the password cannot sign in")
def ask_reset() -> Response:
    form = ForgottenForm()
    if not form.validate():
        return outside("account/forgotten.html", status=422, form=form)
    service.ask_reset(form.email.data or "", sessions.origin_of_request())
    return outside("account/asked.html", email=form.email.data)


@bp.get("/password/reset")
@public("the token is the proof; opening the page uses nothing up")
def reset() -> Response:
    token = request.args.get("token", "")
    if not service.is_link_valid(token):
        return _spent()
    return outside("account/reset.html", token=token, problems={})


@bp.post("/password/reset")
@public("the token is the proof")
def reset_password() -> Response:
    form, token = NewPasswordForm(), request.form.get("token", "")
    if not form.validate():
        return outside("account/reset.html", status=422, token=token, problems=form.problems())
    try:
        service.reset_password(token, form.password.data or "")
    except LinkSpent:
        return _spent()
    except Invalid as refused:
        return outside("account/reset.html", status=422, token=token, problems=refused.problems)
    sessions.finish_session(session)
    return outside("account/done.html")


@bp.get("/settings/devices")
@signed_in
def devices() -> Response:
    here = access()
    rows = [
        {
            "key": row.id.hex(),
            "is_here": row.id == here.session_id,
            "browser": browser_of(row.user_agent)[0],
            "system": browser_of(row.user_agent)[1],
            "row": row,
        }
        for row in service.sessions_of(here.person_id)
    ]
    rows.sort(key=lambda each: not each["is_here"])
    return render("account/devices.html", rows=rows)


@bp.post("/settings/devices/end")
@signed_in
@confirmed
def end_session() -> Response:
    here = access()
    try:
        wanted = bytes.fromhex(request.form.get("session", ""))
    except ValueError:
        raise NotFound from None
    service.end_session(here.tenant_id, here.person_id, wanted)
    toast(_("Signed out on that device."))
    return see_other(url_for("account.devices"))


@bp.post("/settings/devices/end-others")
@signed_in
@confirmed
def end_others() -> Response:
    here = access()
    service.end_others(here.tenant_id, here.person_id, session_id=here.session_id)
    toast(_("You are signed out everywhere but here."))
    return see_other(url_for("account.devices"))


def _spent() -> Response:
    return outside("account/spent.html", status=404)
