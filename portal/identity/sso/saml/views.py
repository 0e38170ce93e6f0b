"""Signing in through a SAML provider: its answer in two halves, our metadata, and the end of a session, there or here.

The provider's page sends its answer as a form from another site, and browsers leave our session's cookie (SameSite=Lax) out of that. So the
first half judges the message by itself, without a session and without setting one: it would take the place of the one that the browser
has. It seals what it found and sends the browser on with a GET, which carries the cookie. The second half compares it with what this
browser began, and only then is anybody signed in. No second cookie, no script, nothing of the message trusted twice.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, request, session, url_for

from portal.core.access import for_programs, public
from portal.core.errors import NotFound
from portal.core.render import see_other
from portal.i18n.words import gettext as _
from portal.identity.outside import outside
from portal.identity.sso import service as sso
from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.saml import logouts, service
from portal.identity.sso.saml import metadata as ours
from portal.identity.sso.saml.peer import Peer
from portal.identity.sso.saml.service import Passed
from portal.identity.sso.service import Provider
from portal.identity.sso.views import TEST, finish, refused_page, take_flow

log = logging.getLogger(__name__)
bp = Blueprint("saml", __name__)
LONGEST_RELAY = 200


@bp.post("/sign-in/sso/<uuid:way_id>/acs")
@for_programs("the provider's page sends it from another site: the signature proves it here, and the browser's own session in `arrive`")
def receive(way_id: UUID) -> Response:
    provider, peer = service.find(way_id)
    relay_state = request.form.get("RelayState", "")
    # What is not ours cannot be one: it names nothing that was begun.
    relay_state = relay_state if len(relay_state) <= LONGEST_RELAY else ""
    try:
        answer = service.receive(provider, peer, request.form.get("SAMLResponse", ""))
        passed = Passed(relay_state, claims=answer.claims, in_response_to=answer.in_response_to)
    except TokenRefused as refused:
        log.warning("an answer of a provider is refused", extra={"reason": refused.reason, "provider": str(provider.id)})
        passed = Passed(relay_state, refused=refused.reason)
    return _unkept(see_other(url_for("saml.arrive", way_id=way_id, sealed=service.seal_pass(provider, passed))))


@bp.get("/sign-in/sso/<uuid:way_id>/arrive")
@public("where people come back from their provider")
def arrive(way_id: UUID) -> Response:
    provider, _peer = service.find(way_id)
    passed = service.open_pass(provider, request.args.get("sealed", ""))
    flow = take_flow(way_id, passed.relay_state) if passed else None
    if passed is None or flow is None:
        return refused_page(_("This sign-in was begun in another browser, or too long ago. Begin again."))
    reason = passed.refused
    if not reason and passed.in_response_to != request_id_of(flow):
        reason = "in_response_to"
    if reason or passed.claims is None:
        return _turned_away(provider, reason, flow)
    return finish(provider, passed.claims, flow)


def request_id_of(flow: dict[str, Any]) -> str:
    """Return the id of the request that began a way to a provider: a name in XML may not begin with a digit."""
    return f"_{flow['nonce']}"


def _turned_away(provider: Provider, reason: str, flow: dict[str, Any]) -> Response:
    if flow["purpose"] == TEST:
        # Kept for the page of the settings, which only those see who may change what is wrong.
        session["sso_tested"] = {"provider": str(provider.id), "refused": reason}
        return see_other(url_for("sso_settings.show", provider_id=provider.id))
    if reason == "denied":
        return refused_page(_("You were not signed in there. Try again, or ask an admin of your organisation."), provider=provider)
    # Only now: a browser began this, so nobody fills the organisation's book from outside.
    sso.refuse(provider, reason)
    if reason == "certificate_expired":
        sentence = _("The certificate of the provider has expired. An admin of your organisation has to enter the new one.")
        return refused_page(sentence, provider=provider)
    return refused_page(_("The answer of the provider cannot be trusted, so nobody was signed in. Begin again."), provider=provider)


@bp.get("/sign-in/sso/<uuid:way_id>/metadata")
@public("providers fetch it; it holds addresses and a certificate, nothing that is secret")
def metadata(way_id: UUID) -> Response:
    _provider, peer = service.find(way_id)
    answer = Response(ours.ours(peer), mimetype="application/samlmetadata+xml")
    answer.headers["Content-Disposition"] = 'inline; filename="nasij-saml.xml"'
    return answer


@bp.route("/sign-in/sso/<uuid:way_id>/slo", methods=["GET", "POST"])
@for_programs(
    "the provider sends it through the browser, signed; a GET is one of its two bindings, and without the signature it changes nothing"
)
def log_out(way_id: UUID) -> Response:
    provider, peer = service.find(way_id)
    if "SAMLResponse" in request.values:
        return _answered(provider, peer)
    try:
        if request.method == "POST":
            farewell = logouts.judge_posted(request.form.get("SAMLRequest", ""), request.form.get("RelayState", ""), peer)
        elif "SAMLRequest" in request.args:
            farewell = logouts.judge_redirected(request.query_string.decode("ascii", "replace"), peer)
        else:
            raise NotFound
        service.end_sessions_for(provider, farewell)
    except TokenRefused as refused:
        log.warning("a logout request is refused", extra={"reason": refused.reason, "provider": str(provider.id)})
        return _unkept(Response(_("The logout request is refused."), status=400, mimetype="text/plain"))
    url = service.answer_to(peer, farewell)
    if not url:
        return _unkept(Response(_("You are signed out."), mimetype="text/plain"))
    answer: Response = redirect(url, code=303)  # type: ignore[assignment]  # a werkzeug response is one
    return _unkept(answer)


def _answered(provider: Provider, peer: Peer) -> Response:
    """Take the provider's answer to our own logout request. It changes nothing: who reads it is signed out here already."""
    try:
        if request.method == "POST":
            goodbye = logouts.judge_posted_answer(request.form.get("SAMLResponse", ""), peer)
        else:
            goodbye = logouts.judge_redirected_answer(request.query_string.decode("ascii", "replace"), peer)
        service.check_goodbye(provider, goodbye)
    except TokenRefused as refused:
        log.warning("an answer to a logout is refused", extra={"reason": refused.reason, "provider": str(provider.id)})
        return _unkept(Response(_("The answer of the provider cannot be trusted. Here you are signed out in any case."), status=400,
                                mimetype="text/plain"))  # fmt: skip
    # A page of ours, opened by itself: a form from another site came without the session that the browser may have, see above.
    return _unkept(see_other(url_for("saml.left", way_id=provider.id, all=int(goodbye.is_whole))))


@bp.get("/sign-in/sso/<uuid:way_id>/leave")
@public("who comes here has just signed out; what it does is sealed in its address")
def leave(way_id: UUID) -> Response:
    """Send somebody who signed out here on to their provider.

    A page and no redirect: signing out is a form, and the policy of our pages lets no form lead to another site.
    """
    provider, peer = service.find(way_id)
    url = service.way_out(provider, peer, request.args.get("sealed", ""))
    if not url:
        return see_other(url_for("identity.sign_in"))
    return outside("identity/sso/saml/leave.html", provider=provider, url=url)


@bp.get("/sign-in/sso/<uuid:way_id>/left")
@public("who comes here has signed out")
def left(way_id: UUID) -> Response:
    provider, _peer = service.find(way_id)
    return outside("identity/sso/saml/left.html", provider=provider, is_whole=request.args.get("all") == "1")


def _unkept(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
