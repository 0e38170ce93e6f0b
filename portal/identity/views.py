"""Signing in and out, the language switch, the switch between organisations, and how a person wants pages written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, request, session, url_for

from portal.core.access import Access, access, current, known, public, signed_in, signed_in_anywhere
from portal.core.errors import NotFound
from portal.core.ids import as_uuid
from portal.core.render import local_address, render, see_other, toast
from portal.i18n import formats, sample, zones
from portal.i18n import locale as i18n
from portal.i18n.locale import chosen_tag, plain_name
from portal.i18n.preferences import allowed, resolve
from portal.i18n.reader import LOCALES, Locale, of, reading
from portal.i18n.words import gettext as _
from portal.identity import service, sessions
from portal.identity.errors import ProviderNeeded, SignInRefused
from portal.identity.factors import half_session
from portal.identity.factors import service as factors
from portal.identity.forms import PreferencesForm, SignInForm
from portal.identity.sso import policy
from portal.identity.sso.models import IdentityProvider
from portal.identity.sso.saml import service as saml

bp = Blueprint("identity", __name__)


@bp.get("/sign-in")
@public("where people without a session come in")
def sign_in() -> Response:
    if current() is not None:
        return see_other(local_address(request.args.get("next")))
    return _page(SignInForm())


@bp.post("/sign-in")
@public("where people without a session come in")
def sign_in_check() -> Response:
    form = SignInForm()
    if not form.validate():
        return _page(form, status=422, ways=policy.ways_of_address(form.email.data or "") if not form.password.data else ())
    try:
        person_id, tenant_id = service.sign_in(form.email.data or "", form.password.data or "", sessions.origin_of_request())
    except SignInRefused:
        return _page(form, status=422, failed=True)
    except ProviderNeeded as needed:
        return _page(form, status=422, ways=[needed.provider], needs_provider=True)
    wanted = request.args.get("next")
    if factors.has_factor(person_id):
        half_session.begin(person_id, tenant_id, next_address=local_address(wanted))
        return see_other(url_for("factors.second_step"))
    service.start_session(person_id, tenant_id)
    session.clear()
    sessions.begin_session(session, person_id, tenant_id)
    return see_other(first_page(person_id, tenant_id, wanted))


def first_page(person_id: UUID, tenant_id: UUID | None, wanted: str | None) -> str:
    """Return where somebody goes who has just signed in: the page they came for, else the choice of an organisation if there is one."""
    there = local_address(wanted)
    if there == "/" and (tenant_id is None or service.has_several_tenants(person_id)):
        return url_for("organisations.choose")
    return there


@bp.post("/sign-out")
@public("signing out twice is no error")
def sign_out() -> Response:
    here = current()
    sessions.finish_session(session)  # first: whatever the provider does, nobody is signed in here from now on
    onward = saml.came_through(here.tenant_id, here.session_id) if here else ""
    answer = see_other(onward or url_for("identity.sign_in"))
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@bp.post("/tenant")
@signed_in_anywhere
def switch_tenant() -> Response:
    here = known()
    wanted = as_uuid(request.form.get("tenant"))
    if here is None or wanted is None:
        raise NotFound
    if wanted != here.tenant_id:
        if stops := _why_not_switch(here.person_id, wanted):
            return stops
        service.switch_tenant(here.person_id, wanted, leaving=here.tenant_id)
        session.clear()
        sessions.continue_session(session, here.person_id, wanted)
    return see_other(local_address(request.form.get("next")))


def _why_not_switch(person_id: UUID, wanted: UUID) -> Response | None:
    """A provider speaks for its own organisation only; and where an organisation wants its provider, a password does not get in."""
    # Asked of the session and not of the access: who came through a provider may have lost the membership since.
    row = session.row  # type: ignore[attr-defined]  # the interface makes WebData
    if row.tenant_id is not None and (came_through := policy.provider_of_session(row.tenant_id, row.id)):
        sentence = _("You came in with %(name)s, which is for this organisation only. Sign out, then sign in to the other one.",
                     name=plain_name(came_through))  # fmt: skip
        toast(sentence, "warning")
        return see_other("/")
    if policy.provider_to_enter(wanted, person_id):
        return see_other(url_for("sso.start", which=policy.slug_of(wanted)))
    return None


@bp.get("/session")
@signed_in
def stay() -> Response:
    """Asked by pages that stand open: any request keeps the session alive."""
    return Response(status=204)


@bp.post("/locale")
@public("the language is chosen before signing in, too")
def switch_locale() -> Response:
    tag = i18n.known(request.form.get("locale"))
    here = current()
    if here is not None:
        service.choose_locale(here.person_id, tag)
    return _in_language(tag, see_other(local_address(request.form.get("next"))))


def _in_language(tag: str, answer: Response) -> Response:
    """Let the browser keep the language, for the pages before signing in."""
    answer.set_cookie(
        "locale", tag, max_age=31_536_000, samesite="Lax", httponly=True, secure=bool(current_app.config["SESSION_COOKIE_SECURE"])
    )
    return answer


@bp.get("/settings/preferences")
@signed_in
def preferences() -> Response:
    here = access()
    chosen = allowed(here.preferences)
    return _preferences(PreferencesForm(data={**chosen, "language": here.locale or chosen_tag()}), chosen)


@bp.post("/settings/preferences")
@signed_in
def save_preferences() -> Response:
    here, form = access(), PreferencesForm()
    if not form.validate():
        return _preferences(form, allowed(form.given()), status=422)
    tag = form.language.data or chosen_tag()
    service.save_preferences(here.tenant_id, here.person_id, form.given(), locale=tag, by=here.actor)
    with reading(_candidate(here, tag, form.given())):
        toast(_("Your preferences are saved."))
    return _in_language(tag, see_other(url_for("identity.preferences")))


@bp.post("/settings/preferences/sample")
@signed_in
def sample_preferences() -> Response:
    form = PreferencesForm()
    return _preferences(form, allowed(form.given()))


def _preferences(form: PreferencesForm, chosen: dict[str, Any], *, status: int = 200) -> Response:
    here = access()
    tag = form.language.data if form.language.data in LOCALES else chosen_tag()
    candidate = _candidate(here, tag, chosen)
    region = {"region": chosen["region"]} if "region" in chosen else {}
    with reading(candidate):
        shown = sample.make(candidate)
    return render(
        "identity/preferences.html",
        fragment="sample",
        status=status,
        form=form,
        chosen=chosen,
        usual=resolve(region, here.tenant_preferences, timezone=here.timezone),
        own_region=resolve({}, here.tenant_preferences, timezone=here.timezone).region,
        week=[(str(day), formats.weekday(day)) for day in (5, 6, 0, 1, 2, 3, 4)],
        regions=sample.regions(chosen_tag()),
        zones=zones.listed(chosen_tag()),
        zone_name=zones.name_of,
        sample=shown,
    )


def _candidate(here: Access, tag: str, chosen: dict[str, Any]) -> Locale:
    """Return who reads if these choices are kept."""
    return of(tag, resolve(chosen, here.tenant_preferences, timezone=here.timezone))


def _page(
    form: SignInForm, *, status: int = 200, failed: bool = False, ways: Sequence[IdentityProvider] = (), needs_provider: bool = False
) -> Response:
    g.no_chrome = True
    return render(
        "identity/sign_in.html",
        status=status,
        form=form,
        failed=failed,
        ways=ways,
        needs_provider=needs_provider,
        next=local_address(request.args.get("next")),
        demo_people=current_app.config["DEMO_PEOPLE"],
    )
