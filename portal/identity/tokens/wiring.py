"""Tokens at the start: their pages, their place in the settings, and who a request with a bearer's token speaks for."""

from __future__ import annotations

from flask import Flask, current_app, g, request

from portal.core.access import Access, Permission
from portal.core.errors import SignInNeeded
from portal.core.log import add_fields
from portal.core.places import Place, offer
from portal.i18n.words import lazy_gettext as _l
from portal.identity.roles import permissions_of
from portal.identity.tokens import (
    client_views,
    jobs,
    views,
)
from portal.identity.tokens.bearer import open_bearer

INTERFACE = "/api/"


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(views.organisation)
    app.register_blueprint(client_views.bp)
    app.before_request(find_bearer)
    offer(
        Place(
            "you",
            _l("API tokens"),
            "tokens.listing",
            "key-round",
            60,
            Permission.TOKEN_CREATE,
            _l("Let your own programs act for you."),
            prefix="tokens.",
        )
    )
    offer(
        Place(
            "you",
            _l("API clients"),
            "clients.listing",
            "plug",
            61,
            Permission.TOKEN_CREATE,
            _l("Programs that stay signed in for you."),
            prefix="clients.",
        )
    )
    offer(
        Place(
            "organisation",
            _l("Everybody's API tokens"),
            "organisation_tokens.listing_of_all",
            "key-round",
            60,
            Permission.TOKEN_MANAGE,
            _l("See and revoke the tokens of your organisation."),
        )
    )


def find_bearer() -> None:
    """Let a request of the interface in by the token it shows, and by nothing else: cookies count for pages only.

    What a token may do is what both its scopes and its person's role allow at this moment.
    """
    if not request.path.startswith(INTERFACE) or request.endpoint is None:
        return
    if hasattr(current_app.view_functions[request.endpoint], "public_because"):
        return
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not shown.token:
        raise SignInNeeded
    row = open_bearer(shown.token, address=request.remote_addr or "")
    g.access = Access(
        person_id=row.person_id,
        tenant_id=row.tenant_id,
        role=row.role,
        permissions=permissions_of(row.role, row.permissions) & frozenset(row.scopes),
        person_name=row.person_name,
        person_name_ar=row.person_name_ar,
        tenant_name=row.tenant_name,
        tenant_name_ar=row.tenant_name_ar,
        timezone=row.timezone,
        preferences=row.preferences,
        tenant_preferences=row.tenant_preferences,
        token_id=row.id,
    )
    add_fields(tenant=row.tenant_id, token=row.id)
