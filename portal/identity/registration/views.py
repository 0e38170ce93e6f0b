"""The pages of registration: ask, prove the address, and a second organisation for who has an account."""

from __future__ import annotations

from flask import Blueprint, Response, request, session, url_for

from portal.core.access import known, public, signed_in_anywhere
from portal.core.errors import Invalid, SignInNeeded
from portal.core.render import see_other, toast
from portal.i18n.locale import chosen_tag
from portal.i18n.words import gettext as _
from portal.identity import sessions
from portal.identity.outside import outside
from portal.identity.registration import service
from portal.identity.registration.errors import LinkSpent, TooOften
from portal.identity.registration.forms import AgainForm, OrganisationForm, RegisterForm

bp = Blueprint("registration", __name__)
# Which link this browser asked for: it need not prove again that it knows the password.
ASKED_HERE = "registration"


@bp.get("/register")
@public("where organisations begin")
def ask() -> Response:
    return _form(RegisterForm())


@bp.post("/register")
@public("where organisations begin; capped by network and address")
def send() -> Response:
    form = RegisterForm()
    if not form.validate():
        return _form(form, status=422)
    wish = service.Wish(
        organisation=form.organisation.data, organisation_ar=form.organisation_ar.data or None, name=form.name.data,
        name_ar=form.name_ar.data or None, email=form.email.data or "", locale=chosen_tag(),
    )  # fmt: skip
    try:
        asked = service.ask(wish, form.password.data or "", sessions.origin_of_request())
    except Invalid as refused:
        return _form(form, status=422, problems=refused.problems)
    except TooOften as refused:
        return _form(form, status=refused.status, problems={"": _too_often()})
    # The same for an address that has an account: this browser is told nothing of it.
    session[ASKED_HERE] = asked.hex() if asked else ""
    return outside("registration/asked.html", email=form.email.data, problems={})


@bp.post("/register/again")
@public("the mail may have been lost; capped by network and address")
def send_again() -> Response:
    form = AgainForm()
    if not form.validate():
        return outside("registration/asked.html", status=422, email=form.email.data, problems=form.problems())
    try:
        service.ask_again(form.email.data or "", sessions.origin_of_request())
    except TooOften as refused:
        return outside("registration/asked.html", status=refused.status, email=form.email.data, problems={"": _too_often()})
    return outside("registration/asked.html", email=form.email.data, problems={}, was_sent=True)


@bp.get("/register/confirm")
@public("the token is the proof; opening the page changes nothing, programs that look at mail do that")
def confirm() -> Response:
    return _confirm(request.args.get("token", ""))


@bp.post("/register/confirm")
@public("the token is the proof")
def make() -> Response:
    token = request.form.get("token", "")
    if not _asked_here(token) and not service.knows_password(token, request.form.get("password", ""), sessions.origin_of_request()):
        wrong = _("This is not the password that was chosen with this link, or it was tried too often. Wait a little and try again.")
        return _confirm(token, {"password": wrong})
    try:
        person_id, tenant_id = service.confirm(token)
    except LinkSpent:
        return _confirm("")
    session.clear()
    sessions.begin_session(session, person_id, tenant_id)
    toast(_("Welcome. Your organisation is ready."))
    return see_other("/home")


def _asked_here(token: str) -> bool:
    return service.is_same_browser(token, session.get(ASKED_HERE))


def _confirm(token: str, problems: dict[str, str] | None = None) -> Response:
    found = service.look_up(token)
    if found is None:
        return outside("registration/spent.html", status=404)
    facts = {"name": found.facts["organisation"], "name_ar": found.facts["organisation_ar"]}
    return outside(
        "registration/confirm.html", status=422 if problems else 200, token=token, organisation=facts, email=found.email,
        asks_password=not _asked_here(token), problems=problems or {},
    )  # fmt: skip


@bp.get("/organisations/new")
@signed_in_anywhere
def another() -> Response:
    return outside("registration/another.html", form=OrganisationForm(), problems={})


@bp.post("/organisations/new")
@signed_in_anywhere
def add() -> Response:
    form, who = OrganisationForm(), known()
    if who is None:
        raise SignInNeeded
    if not form.validate():
        return outside("registration/another.html", status=422, form=form, problems=form.problems())
    try:
        tenant_id = service.add_organisation(
            who.person_id, form.organisation.data, form.organisation_ar.data or None, sessions.origin_of_request()
        )
    except TooOften as refused:
        return outside("registration/another.html", status=refused.status, form=form, problems={"": _too_often()})
    session.clear()
    sessions.continue_session(session, who.person_id, tenant_id)
    toast(_("Your organisation is ready."))
    return see_other(url_for("home.show"))


def _form(form: RegisterForm, *, status: int = 200, problems: dict[str, str] | None = None) -> Response:
    return outside("registration/ask.html", status=status, form=form, problems=problems or form.problems())


def _too_often() -> str:
    return _("This was asked for too often. Try again in an hour.")
