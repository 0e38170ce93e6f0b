"""Signing in through a provider: finding it, going there, coming back, and its word that a session is over."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, jsonify, redirect, request, session, url_for

from portal.core import clock, db
from portal.core.access import Permission, access, current, for_programs, public, signed_in
from portal.core.config import current_settings
from portal.core.errors import NotFound
from portal.core.ids import as_uuid
from portal.core.render import local_address, render, see_other
from portal.core.secrets import new_token
from portal.i18n.locale import chosen_tag
from portal.i18n.words import gettext as _
from portal.identity import sessions
from portal.identity.sso import arriving, oidc, policy, service
from portal.identity.sso.errors import ProviderFaulty, SsoRefused, TokenRefused
from portal.identity.sso.forms import WaysForm
from portal.identity.sso.models import IdentityProvider
from portal.identity.sso.oidc import Claims
from portal.identity.sso.saml import service as saml
from portal.identity.sso.service import Provider

log = logging.getLogger(__name__)
bp = Blueprint("sso", __name__)
# A person may begin in several tabs, and takes their time at the provider.
MOST_FLOWS = 5
FLOW_S = 900
LONGEST_ANSWER = 4_000
# What a way to the provider is for: coming in, trying it out before others do, or proving once more that it is the same person.
ENTER, TEST, CONFIRM = "enter", "test", "confirm"


@bp.get("/sign-in/sso")
@public("where people without a session come in")
def find() -> Response:
    return _page(WaysForm(formdata=None))


@bp.post("/sign-in/sso")
@public("where people without a session come in")
def show_ways() -> Response:
    form = WaysForm()
    if not form.validate():
        return _page(form, status=422)
    where = form.where.data or ""
    ways = policy.ways_of_address(where) if "@" in where else policy.ways_of_slug(where.casefold())
    if not ways:
        sentence = _("No organisation that we know signs in this way with that. Sign in with your password.")
        return _page(form, problem=sentence, status=422)
    return _page(form, ways=ways, hint=where if "@" in where else "")


@bp.get("/sign-in/sso/<which>")
@public("where people without a session come in")
def start(which: str) -> Response:
    """Go to a provider by its id, or choose one of an organisation by its short name."""
    provider_id = as_uuid(which)
    if provider_id is None:
        ways = policy.ways_of_slug(which)
        if not ways:
            raise NotFound
        return _page(WaysForm(formdata=None), ways=ways)
    provider = service.find_provider(provider_id)
    if not provider.is_enabled:
        raise NotFound
    hint = request.args.get("email", "")[:320]
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        # Another site sent the browser here: whoever is signed in at the provider would be signed in here without having asked for it.
        return _page(
            WaysForm(formdata=None), ways=[each for each in policy.ways_of(provider.tenant_id) if each.id == provider.id], hint=hint
        )
    return go(provider, next_=local_address(request.args.get("next")), hint=hint)


def go(provider: Provider, *, next_: str, hint: str = "", purpose: str = ENTER) -> Response:
    """Send the browser to a provider, and remember in its session what must come back."""
    flow = {"provider": str(provider.id), "nonce": new_token(), "verifier": new_token(), "next": next_, "purpose": purpose}
    state = new_token()
    flows = {key: each for key, each in session.get("sso", {}).items() if _is_young(each)}
    kept = dict(list(flows.items())[-(MOST_FLOWS - 1) :])
    session["sso"] = {**kept, state: {**flow, "at": clock.now().timestamp()}}
    if provider.kind == "saml":
        url = saml.way_to(provider, request_id=f"_{flow['nonce']}", relay_state=state, again=purpose != ENTER)
    else:
        url = _oidc_way(provider, flow, state=state, hint=hint)
    answer: Response = redirect(url, code=303)  # type: ignore[assignment]  # a werkzeug response is one
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _oidc_way(provider: Provider, flow: dict[str, str], *, state: str, hint: str) -> str:
    return oidc.way_to(
        provider.discovery,
        client_id=provider.client_id,
        redirect_uri=callback_of(provider.id),
        state=state,
        nonce=flow["nonce"],
        verifier=flow["verifier"],
        hint=hint,
        again=flow["purpose"] != ENTER,
    )


def callback_of(provider_id: UUID) -> str:
    """Return where a provider sends people back: an address of its own, so that no provider can answer for another."""
    return _absolute(url_for("sso.come_back", way_id=provider_id))


def logout_of(provider_id: UUID) -> str:
    """Return where a provider says that a session is over."""
    return _absolute(url_for("sso.end", way_id=provider_id))


def _absolute(path: str) -> str:
    return current_settings().public_url.rstrip("/") + path


def _is_young(flow: dict[str, Any]) -> bool:
    return bool(clock.now().timestamp() - float(flow["at"]) < FLOW_S)


@bp.get("/sign-in/sso/<uuid:way_id>/callback")
@public("where people come back from their provider")
def come_back(way_id: UUID) -> Response:
    provider = _oidc(way_id)
    flow = take_flow(way_id, request.args.get("state", ""))
    if flow is None:
        return refused_page(_("This sign-in was begun in another browser, or too long ago. Begin again."))
    try:
        claims = _claims_of(provider, flow)
    except ProviderFaulty as faulty:
        return refused_page(faulty.message, provider=provider)
    except TokenRefused as refused:
        log.warning("an answer of a provider is refused", extra={"reason": refused.reason, "provider": str(provider.id)})
        service.refuse(provider, refused.reason)
        return refused_page(_("The answer of the provider cannot be trusted, so nobody was signed in. Begin again."), provider=provider)
    except SsoRefused as refused:
        return refused_page(refused.message, provider=provider)
    return finish(provider, claims, flow)


def _oidc(way_id: UUID) -> Provider:
    provider = service.find_provider(way_id)
    if provider.kind != "oidc":
        raise NotFound
    return provider


def finish(provider: Provider, claims: Claims, flow: dict[str, Any]) -> Response:
    """Do what somebody went to their provider for, now that it has said who they are."""
    if flow["purpose"] == TEST:
        return _tested(provider, claims)
    if flow["purpose"] == CONFIRM:
        return _confirmed(provider, claims, flow)
    try:
        _let_in(provider, claims)
    except SsoRefused as refused:
        service.refuse(provider, refused.reason)
        return refused_page(refused.message, provider=provider)
    return see_other(local_address(flow["next"]))


def take_flow(provider_id: UUID, state: str) -> dict[str, Any] | None:
    """Return what this browser began with this provider; each beginning ends once."""
    flows = dict(session.get("sso", {}))
    flow = flows.pop(state, None)
    if flow is None:
        return None
    session["sso"] = flows
    return flow if _is_young(flow) and flow["provider"] == str(provider_id) else None


def _claims_of(provider: Provider, flow: dict[str, Any]) -> Claims:
    given, discovery = request.args, provider.discovery
    answers_as = given.get("iss")
    if (answers_as is None and discovery.names_itself) or (answers_as is not None and answers_as != provider.issuer):
        raise TokenRefused("mix_up")
    if "error" in given:
        if given["error"] == "access_denied":
            raise SsoRefused("denied", _("You were not signed in there. Try again, or ask an admin of your organisation."))
        raise ProviderFaulty(_("The provider could not sign you in. Try again later, or sign in with your password."))
    code = given.get("code", "")
    if not 0 < len(code) <= LONGEST_ANSWER:
        raise TokenRefused("no_code")
    return oidc.redeem(
        discovery,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        redirect_uri=callback_of(provider.id),
        code=code,
        verifier=flow["verifier"],
        nonce=flow["nonce"],
    )


def _let_in(provider: Provider, claims: Claims) -> None:
    with db.transaction():
        person_id = arriving.arrive(provider, claims, locale=_locale(claims))
        session.clear()
        # The provider may have known the browser without asking: sensitive acts want a proof of their own.
        sessions.begin_session(session, person_id, provider.tenant_id, is_confirmed=False)
        service.note_session(provider.tenant_id, sessions.keep_now(session), provider, claims)


def _locale(claims: Claims) -> str:
    tag = claims.locale.lower().partition("-")[0]
    return tag if tag in ("ar", "en") else chosen_tag()


def _tested(provider: Provider, claims: Claims) -> Response:
    here = current()
    if here is None or here.tenant_id != provider.tenant_id or not here.can(Permission.SSO_EDIT):
        raise NotFound
    service.note_test(provider.tenant_id, provider.id, by=here.actor)
    session["sso_tested"] = {
        "provider": str(provider.id), "issuer": provider.issuer, "subject": claims.subject, "email": claims.email,
        "email_verified": claims.email_verified, "name": claims.name,
    }  # fmt: skip
    return see_other(url_for("sso_settings.show", provider_id=provider.id))


@bp.get("/confirm/sso")
@signed_in
def confirm() -> Response:
    """Prove once more who one is, where one came from."""
    here = access()
    came_through = policy.provider_of_session(here.tenant_id, here.session_id)
    if came_through is None or not came_through.is_enabled:
        raise NotFound
    return go(service.find_provider(came_through.id), next_=local_address(request.args.get("next")), purpose=CONFIRM)


def _confirmed(provider: Provider, claims: Claims, flow: dict[str, Any]) -> Response:
    here = current()
    if here is None or here.tenant_id != provider.tenant_id:
        raise NotFound
    # Asked to ask again, a provider says when it did: one that did not proves nothing.
    is_fresh = claims.proved_at is not None and claims.proved_at >= float(flow["at"]) - oidc.SKEW_S
    if not is_fresh or not arriving.is_same(provider, claims, here.person_id):
        return refused_page(_("The provider did not confirm that it is you. Go back and try again, or enter your password."))
    sessions.continue_session(session, here.person_id, here.tenant_id, is_confirmed=True)
    return see_other(local_address(flow["next"]))


@bp.post("/sign-in/sso/<uuid:way_id>/logout")
@for_programs("the provider calls it, and proves itself by its signature")
def end(way_id: UUID) -> Response:
    provider = _oidc(way_id)
    try:
        service.end_sessions_for(provider, request.form.get("logout_token", ""))
    except (TokenRefused, ProviderFaulty) as refused:
        log.warning("a logout token is refused", extra={"reason": getattr(refused, "reason", "faulty"), "provider": str(provider.id)})
        answer = jsonify(error="invalid_request", error_description="The logout token is refused.")
        answer.status_code = 400
    else:
        answer = Response(status=200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def refused_page(message: str, *, provider: Provider | None = None) -> Response:
    """Say why nobody was signed in, with the other ways in."""
    ways = [] if provider is None or not provider.is_enabled else policy.ways_of(provider.tenant_id)
    return _page(WaysForm(formdata=None), problem=message, ways=ways, status=422)


def _page(form: WaysForm, *, ways: list[IdentityProvider] | None = None, problem: str = "", hint: str = "", status: int = 200) -> Response:
    g.no_chrome = True
    return render(
        "identity/sso/find.html",
        status=status,
        form=form,
        ways=ways or [],
        problem=problem,
        hint=hint,
        next=local_address(request.args.get("next")),
    )
