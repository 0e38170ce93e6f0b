"""The second step of signing in, passkeys as the only step, and the page where people keep their factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, jsonify, request, session, url_for
from markupsafe import Markup

from portal.core import clock
from portal.core.access import Permission, access, confirmed, current, public, requires, signed_in
from portal.core.config import current_settings
from portal.core.errors import Conflict, NotFound
from portal.core.render import local_address, render, see_other, toast
from portal.i18n import formats
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext
from portal.identity import lockout, sessions
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.account.views import is_confirmed
from portal.identity.errors import ProviderNeeded, SignInRefused
from portal.identity.factors import half_session, policy, qr, queries, recovery, service, totp
from portal.identity.factors.ceremony import Site, site_of
from portal.identity.factors.errors import CodeRefused, LastFactor, PasskeyRefused
from portal.identity.factors.forms import CodeForm, NameForm, PasskeyForm, SecurityForm
from portal.identity.factors.half_session import Due
from portal.identity.origin import browser_of
from portal.identity.views import first_page
from portal.tenants import service as tenants

bp = Blueprint("factors", __name__)
WHY = "where people without a session come in"
SIGN_IN, CONFIRM, ADD = "sign-in", "confirm", "add"


# The second step


@bp.get("/sign-in/factor")
@public(WHY)
def second_step() -> Response:
    waiting = half_session.due()
    return _second_step(waiting, CodeForm(formdata=None)) if waiting else _too_late()


@bp.post("/sign-in/factor")
@public(WHY)
def second_step_check() -> Response:
    waiting = half_session.due()
    if waiting is None:
        return _too_late()
    form = CodeForm()
    if not form.validate():
        return _second_step(waiting, form, status=422)
    if not _proved(waiting, _kind(), form.code.data or ""):
        return _second_step(waiting, form, status=422, failed=True)
    return _enter(waiting.person_id, waiting.tenant_id, waiting.next)


def _proved(waiting: Due, kind: str, answer: str) -> bool:
    return identity.throttled(
        "factor",
        waiting.person_id,
        sessions.origin_of_request(),
        lambda: service.prove(waiting.person_id, kind, answer, tenant_id=waiting.tenant_id),
    )


def _kind() -> str:
    """Return which code is asked for: the address says so, so that it works without a script."""
    return service.RECOVERY if request.args.get("with") == service.RECOVERY else service.APP


def _second_step(waiting: Due, form: CodeForm, *, status: int = 200, failed: bool = False) -> Response:
    g.no_chrome = True
    apps, passkeys = queries.apps_of(waiting.person_id), queries.passkeys_of(waiting.person_id)
    kind = _kind()
    return _kept_nowhere(
        render(
            "factors/second_step.html",
            status=status,
            form=form,
            failed=failed,
            kind=kind if apps or kind == service.RECOVERY else "",
            has_app=bool(apps),
            has_passkey=bool(passkeys) and _site().can_have_passkeys,
            has_codes=queries.codes_left(waiting.person_id) > 0,
            demo=_demo_code(waiting.person_id, max((each.last_step or 0 for each in apps), default=0)),
        )
    )


def _too_late() -> Response:
    if current() is None:
        toast(_("That took too long. Sign in once more."), "warning")
    return see_other(url_for("identity.sign_in"))


def _enter(person_id: UUID, tenant_id: UUID | None, next_address: str) -> Response:
    try:
        identity.start_session(person_id, tenant_id)
    except SignInRefused:
        session.clear()
        return _too_late()
    session.clear()
    sessions.begin_session(session, person_id, tenant_id)
    return see_other(first_page(person_id, tenant_id, next_address))


def _demo_code(person_id: UUID, last_step: int) -> dict[str, str] | None:
    """Return the code that the demo's own authenticator shows, for who tries the demo; never anywhere else."""
    demo_people = current_app.config["DEMO_PEOPLE"]
    person = people.get_person(person_id) if demo_people else None
    secret = next((each.get("totp") for each in demo_people if person and each["email"] == person.email), None)
    return {"code": totp.next_code(secret, now_s=clock.now().timestamp(), after=last_step)} if secret else None


# Passkeys


@bp.post("/sign-in/passkey/options")
@public(WHY)
def passkey_options() -> Response:
    waiting = half_session.due()
    options, challenge = service.request_options(waiting.person_id if waiting else None, site=_site())
    half_session.keep_challenge(challenge, SIGN_IN)
    return _kept_nowhere(jsonify(options))


@bp.post("/sign-in/passkey")
@public(WHY)
def passkey_sign_in() -> Response:
    """By itself two factors, so it stands for both steps; after a password it must be the same person's."""
    waiting, challenge, form = half_session.due(), half_session.take_challenge(SIGN_IN), PasskeyForm()
    try:
        if challenge is None or not form.validate():
            raise PasskeyRefused
        person_id = service.use_passkey(form.credential.data or "", site=_site(), challenge=challenge)
        if waiting is not None and person_id != waiting.person_id:
            raise PasskeyRefused
        tenant_id = waiting.tenant_id if waiting else identity.tenant_to_enter(person_id)
    except ProviderNeeded:
        toast(_("Your organisation lets its members in only through its identity provider."), "warning")
        return see_other(url_for("sso.find", next=request.args.get("next")))
    except (PasskeyRefused, SignInRefused):
        toast(_("That passkey was not accepted. Try again, or choose another way."), "danger")
        return see_other(url_for("factors.second_step") if waiting else url_for("identity.sign_in", next=request.args.get("next")))
    return _enter(person_id, tenant_id, waiting.next if waiting else request.args.get("next", ""))


@bp.post("/confirm/passkey/options")
@signed_in
def confirm_options() -> Response:
    options, challenge = service.request_options(access().person_id, site=_site())
    half_session.keep_challenge(challenge, CONFIRM)
    return _kept_nowhere(jsonify(options))


@bp.post("/confirm/passkey")
@signed_in
def confirm_with_passkey() -> Response:
    here, challenge, sent = access(), half_session.take_challenge(CONFIRM), request.form.get("credential", "")
    if service.prove(here.person_id, service.PASSKEY, sent, tenant_id=here.tenant_id, site=_site(), challenge=challenge):
        return is_confirmed()
    toast(_("That passkey was not accepted. Try again, or choose another way."), "danger")
    return see_other(url_for("account.confirm", next=local_address(request.args.get("next"))))


def _site() -> Site:
    settings = current_settings()
    return site_of(settings.public_url, host="" if settings.is_production else request.host)


# What a person has


@bp.get("/settings/sign-in")
@signed_in
def listing() -> Response:
    return _list(PasskeyForm(formdata=None))


def _list(form: PasskeyForm, *, renamed: NameForm | None = None, factor_id: UUID | None = None, status: int = 200) -> Response:
    here = access()
    return render(
        "factors/list.html",
        status=status,
        form=form,
        renamed=renamed,
        renamed_id=factor_id,
        apps=queries.apps_of(here.person_id),
        passkeys=queries.passkeys_of(here.person_id),
        codes_left=queries.codes_left(here.person_id),
        few=recovery.FEW,
        must_have=service.must_have(here.person_id),
        can_have_passkeys=_site().can_have_passkeys,
        is_led=is_led(),
    )


def is_led() -> bool:
    """Say whether the person of this request must add a second step before anything else."""
    return bool(g.get("factor_is_due"))


@bp.post("/settings/sign-in/app")
@signed_in
@confirmed
def add_app() -> Response:
    try:
        factor_id = service.begin_app(access().person_id)
    except Conflict as refused:
        toast(refused.message, "warning")
        return see_other(url_for("factors.listing"))
    return see_other(url_for("factors.new_app", factor_id=factor_id))


@bp.get("/settings/sign-in/app/<uuid:factor_id>")
@signed_in
@confirmed
def new_app(factor_id: UUID) -> Response:
    return _new_app(factor_id, CodeForm(formdata=None))


def _new_app(factor_id: UUID, form: CodeForm, *, status: int = 200) -> Response:
    here = access()
    secret = service.begun_secret(here.person_id, factor_id)
    person = people.get_person(here.person_id)
    address = totp.address(secret, account=person.email if person else "", issuer=_("Nasij"))
    return _kept_nowhere(
        render(
            "factors/new_app.html",
            status=status,
            form=form,
            factor_id=factor_id,
            key=totp.grouped(secret),
            address=address,
            picture=Markup(qr.picture(address)),  # noqa: S704 - squares made by us
            is_led=is_led(),
        )
    )


@bp.post("/settings/sign-in/app/<uuid:factor_id>")
@signed_in
@confirmed
def confirm_app(factor_id: UUID) -> Response:
    here, form = access(), CodeForm()
    if not form.validate():
        return _new_app(factor_id, form, status=422)
    try:
        codes = service.confirm_app(here.tenant_id, here.person_id, factor_id, form.code.data or "", by=here.actor)
    except CodeRefused as refused:
        form.code.errors = [_why(refused)]
        return _new_app(factor_id, form, status=422)
    return _added(_("The app is added. From now on it is asked for when you sign in."), codes)


def _why(refused: CodeRefused) -> str:
    if refused.minutes_off:
        return ngettext(
            "The clock of your device is about %(num)d minute off. Let it set its time by itself, then enter a new code.",
            "The clock of your device is about %(num)d minutes off. Let it set its time by itself, then enter a new code.",
            refused.minutes_off,
        )
    return _("That code is not right. Enter the six digits that the app shows now.")


@bp.post("/settings/sign-in/passkey/options")
@signed_in
@confirmed
def new_passkey_options() -> Response:
    options, challenge = service.creation_options(access().person_id, site=_site())
    half_session.keep_challenge(challenge, ADD)
    return _kept_nowhere(jsonify(options))


@bp.post("/settings/sign-in/passkey")
@signed_in
@confirmed
def add_passkey() -> Response:
    here, challenge, form = access(), half_session.take_challenge(ADD), PasskeyForm()
    if not form.validate() and form.name.errors:
        return _list(form, status=422)
    try:
        if challenge is None:
            raise PasskeyRefused
        codes = service.add_passkey(
            here.tenant_id,
            here.person_id,
            form.credential.data or "",
            name=form.name.data or " · ".join(filter(None, browser_of(request.headers.get("User-Agent", "")))),
            site=_site(),
            challenge=challenge,
            by=here.actor,
        )
    except PasskeyRefused:
        form.credential.errors = [_("The passkey could not be added. Try again.")]
        return _list(form, status=422)
    return _added(_("The passkey is added."), codes)


def _added(sentence: str, codes: list[str]) -> Response:
    """Go on: with the first factor come recovery codes, which are shown this once."""
    if codes:
        return _codes(codes, sentence)
    toast(sentence)
    return see_other(url_for("factors.listing"))


@bp.post("/settings/sign-in/codes")
@signed_in
@confirmed
def make_codes() -> Response:
    here = access()
    if not service.has_factor(here.person_id):
        return see_other(url_for("factors.listing"))
    return _codes(service.make_codes(here.tenant_id, here.person_id, by=here.actor), "")


def _codes(codes: list[str], sentence: str) -> Response:
    """Show codes in the answer to the form itself: they are kept nowhere, so no later page could show them."""
    person = people.get_person(access().person_id)
    return _kept_nowhere(render("factors/codes.html", codes=codes, sentence=sentence, email=person.email if person else ""))


@bp.post("/settings/sign-in/<uuid:factor_id>/name")
@signed_in
def rename(factor_id: UUID) -> Response:
    here, form = access(), NameForm()
    if queries.get_factor(here.person_id, factor_id) is None:
        raise NotFound
    if not form.validate():
        return _list(PasskeyForm(formdata=None), renamed=form, factor_id=factor_id, status=422)
    service.rename_factor(here.tenant_id, here.person_id, factor_id, form.name.data or "", by=here.actor)
    toast(_("The name is changed."))
    return see_other(url_for("factors.listing"))


@bp.post("/settings/sign-in/<uuid:factor_id>/remove")
@signed_in
@confirmed
def remove(factor_id: UUID) -> Response:
    here = access()
    try:
        service.remove_factor(here.tenant_id, here.person_id, factor_id, by=here.actor)
    except LastFactor as refused:
        toast(refused.message, "warning")
    else:
        toast(_("It is removed, and no longer asked for."))
    return see_other(url_for("factors.listing"))


# What an organisation asks


@bp.get("/settings/security")
@requires(Permission.SECURITY_EDIT)
def security() -> Response:
    kept = tenants.security_of(access().tenant_id)
    rule = lockout.rule_of(kept)
    shown = rule or lockout.Rule(5, 15, 15)
    return _security(
        {
            "factor": kept.get("factor", policy.OFF),
            "lockout": "on" if rule else policy.OFF,
            "lockout_after": shown.after,
            "lockout_window": shown.window_min,
            "lockout_for": shown.for_min,
            "publishing": "together" if kept.get("publish_needs_approval") else "alone",
        }
    )


def _security(chosen: Mapping[str, Any], problems: dict[str, str] | None = None, *, status: int = 200) -> Response:
    return render(
        "factors/security.html", status=status, chosen=chosen, problems=problems or {}, without=queries.count_without(access().tenant_id),
        grace=policy.GRACE.days, after=[(each, formats.number(each)) for each in lockout.AFTER],
        minutes=[(each, ngettext("%(num)s minute", "%(num)s minutes", each)) for each in lockout.MINUTES],
    )  # fmt: skip


@bp.post("/settings/security")
@requires(Permission.SECURITY_EDIT)
@confirmed
def save_security() -> Response:
    here, form = access(), SecurityForm()
    if not form.validate():
        return _security(form.data, form.problems(), status=422)
    service.ask_for_factors(here.tenant_id, is_asked=form.factor.data == policy.REQUIRED, by=here.actor)
    lockout.save_rule(here.tenant_id, form.rule(), by=here.actor)
    together = form.publishing.data == "together"
    if together != bool(tenants.security_of(here.tenant_id).get("publish_needs_approval")):
        tenants.save_security(here.tenant_id, {"publish_needs_approval": together}, by=here.actor)
    toast(_("Saved."))
    return see_other(url_for("factors.security"))


def _kept_nowhere(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
