"""Sign-in factors at the start: routes, and nothing else for who must add a factor first."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, g, request, session, url_for

from portal.core import clock, places
from portal.core.access import Permission, current
from portal.core.places import Place
from portal.core.render import is_fragment_request, see_other
from portal.i18n.words import lazy_gettext as _l
from portal.identity.factors import service
from portal.identity.factors.views import bp, is_led
from portal.identity.sessions import WebData
from portal.identity.sso import policy as sso

# What somebody may still do who must add a factor first; public pages, such as the way out, are open anyway.
OPEN = frozenset(
    {"factors.listing", "factors.add_app", "factors.new_app", "factors.confirm_app", "factors.new_passkey_options", "factors.add_passkey",
     "account.confirm", "account.confirm_check", "factors.confirm_options", "factors.confirm_with_passkey", "identity.switch_tenant", "identity.stay", "static"}
)  # fmt: skip


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.before_request(lead_to_factors)
    app.context_processor(tell_pages)
    note = _l("Passkeys, an authenticator app, recovery codes.")
    places.offer(Place("you", _l("Signing in"), "factors.listing", "user-key", 30, note=note))
    note = _l("What is asked of everybody who signs in.")
    places.offer(
        Place("organisation", _l("Security"), "factors.security", "shield-check", 20, permission=Permission.SECURITY_EDIT, note=note)
    )


def lead_to_factors() -> Any:
    """Lead who must have a second step and has none to the page where they add one; in the days of grace only tell them."""
    here, row = current(), session.row if isinstance(session, WebData) else None
    if here is None or here.visit or row is None or row.has_factor:
        return None
    demand = service.demand_of(here.tenant_id, here.person_id, role=here.role, rules=here.tenant_security)
    if demand is None or sso.provider_of_session(here.tenant_id, here.session_id) is not None:
        return None  # how somebody proves themselves to their organisation's provider is the provider's affair
    now = clock.now()
    if not demand.is_due(now):
        g.factor_days_left = demand.days_left(now)
        return None
    g.factor_is_due = True
    view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint in OPEN or view is None or hasattr(view, "public_because"):
        return None
    return _away(url_for("factors.listing"))


def _away(url: str) -> Response:
    if is_fragment_request():
        return Response(status=204, headers={"HX-Redirect": url})
    return see_other(url)


def tell_pages() -> dict[str, Any]:
    return {"factor_days_left": g.get("factor_days_left"), "is_led": is_led()}
