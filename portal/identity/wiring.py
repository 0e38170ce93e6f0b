"""Identity at the start: sessions, the access of each request, its routes."""

from __future__ import annotations

from flask import Flask, g, session

from portal.core.access import Access
from portal.core.log import add_fields
from portal.identity.roles import PERMISSIONS
from portal.identity.sessions import DatabaseSessions, WebData
from portal.identity.views import bp


def init_app(app: Flask) -> None:
    app.session_interface = DatabaseSessions()
    app.register_blueprint(bp)
    app.before_request(find_access)


def find_access() -> None:
    """Turn the session into the Access of this request; a session without a live membership is nobody's."""
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
    )
    add_fields(tenant=row.tenant_id)
