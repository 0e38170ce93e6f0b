"""Identity at the start: sessions, the access of each request, its routes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Flask, g, session
from flask.typing import ResponseReturnValue
from flask_login import LoginManager

from portal.core import access, frame, palette, places
from portal.core.access import Access, Known, current
from portal.core.log import add_fields
from portal.core.places import Place
from portal.core.render import is_fragment_request
from portal.i18n.words import lazy_gettext as _l
from portal.identity import entries, queries, roles
from portal.identity.service import limits_of
from portal.identity.sessions import DatabaseSessions, WebData, keep_device
from portal.identity.support import visits as support
from portal.identity.views import bp
from portal.identity.whereabouts import place_of

# Carries the signed-in person to whatever knows Flask-Login. Sessions are rows of ours, so it keeps and protects none itself.
people = LoginManager()
people.session_protection = None
people.request_loader(lambda _request: current())


def init_app(app: Flask) -> None:
    app.session_interface = DatabaseSessions()
    people.init_app(app)
    app.register_blueprint(bp)
    app.before_request(find_access)
    app.after_request(keep_device)
    app.context_processor(tell_pages)
    app.jinja_env.filters["place"] = place_of
    frame.offer(frame.Fact("tenants", queries.OWN_TENANTS, _tenants, ()))
    access.know_names(queries.names_of)
    palette.provide(entries.find, place=8)
    note = _l("Language, digits, calendar, week and time zone.")
    places.offer(Place("you", _l("Preferences"), "identity.preferences", "languages", 10, note=note))


def tell_pages() -> dict[str, Any]:
    """How long a page may stand idle; only for whole pages."""
    here = current()
    if here is None or is_fragment_request():
        return {"idle_s": 0}
    return {"idle_s": limits_of(roles.weight(here.role, here.permissions), here.tenant_security)[0]}


def _tenants(found: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The organisations to switch to."""
    return [{**each, "id": UUID(each["id"])} for each in found or ()]


def find_access() -> ResponseReturnValue | None:
    """Turn the session into the Access of this request; without a live membership it says no more than who the person is."""
    if "database_away" in g:
        raise g.database_away
    row = session.row if isinstance(session, WebData) else None
    if row is None or row.person_name is None:
        return None
    visit = None
    if row.visit_id is not None:
        visit = support.visit_of(row) if row.role is not None else None
        if visit is None:
            return support.visit_is_over(row)
    is_in = row.role is not None
    g.known = Known(
        row.person_id,
        row.person_name,
        row.person_name_ar,
        tenant_id=row.tenant_id if is_in else None,
        waits_at=row.tenant_id if row.tenant_status == "suspended" else None,
    )
    if not is_in:
        return None
    allowed = roles.permissions_of(row.role, row.permissions)
    g.access = Access(
        person_id=row.person_id,
        tenant_id=row.tenant_id,
        role=row.role,
        permissions=support.only_looking(allowed) if visit else allowed,
        person_name=row.person_name,
        person_name_ar=row.person_name_ar,
        tenant_name=row.tenant_name,
        tenant_name_ar=row.tenant_name_ar,
        locale=row.locale,
        timezone=row.timezone,
        preferences=row.preferences,
        tenant_preferences=row.tenant_preferences,
        tenant_security=row.tenant_security,
        look=row.look,
        session_id=row.id,
        confirmed_at=row.confirmed_at,
        visit=visit,
    )
    add_fields(tenant=row.tenant_id, visit=row.visit_id)
    if visit:
        support.refuse_changes()
    return None
