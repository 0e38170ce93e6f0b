"""Identity at the start: sessions, the access of each request, its routes."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, session

from portal.core import palette
from portal.core.access import Access, current
from portal.core.log import add_fields
from portal.core.render import is_fragment_request
from portal.identity import entries, queries
from portal.identity.roles import PERMISSIONS
from portal.identity.service import IDLE
from portal.identity.sessions import DatabaseSessions, WebData
from portal.identity.views import bp


def init_app(app: Flask) -> None:
    app.session_interface = DatabaseSessions()
    app.register_blueprint(bp)
    app.before_request(find_access)
    app.context_processor(tell_pages)
    palette.provide(entries.find, place=8)


def tell_pages() -> dict[str, Any]:
    """What the shell shows of identity: the tenants to switch to, and how long a page may stand idle. Only for whole pages."""
    here = current()
    if here is None or is_fragment_request():
        return {"tenants": [], "idle_s": 0}
    return {"tenants": queries.tenants_of(here.person_id), "idle_s": int(IDLE.total_seconds())}


def find_access() -> None:
    """Turn the session into the Access of this request; a session without a live membership is nobody's."""
    if "database_away" in g:
        raise g.database_away
    row = session.row if isinstance(session, WebData) else None
    if row is None or row.role is None:
        return
    g.access = Access(
        person_id=row.person_id,
        tenant_id=row.tenant_id,
        role=row.role,
        permissions=PERMISSIONS[row.role],
        person_name=row.person_name,
        person_name_ar=row.person_name_ar,
        tenant_name=row.tenant_name,
        tenant_name_ar=row.tenant_name_ar,
        locale=row.locale,
        timezone=row.timezone,
        preferences=row.preferences,
        tenant_preferences=row.tenant_preferences,
        look=row.look,
    )
    add_fields(tenant=row.tenant_id)
