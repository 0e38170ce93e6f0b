"""Who the token speaks for."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.api import bodies
from portal.core.access import access, signed_in

bp = Blueprint("api_me", __name__, url_prefix="/api/v1")


@bp.get("/me")
@signed_in
def show() -> Response:
    here = access()
    return bodies.answer(
        {
            "person": {"id": str(here.person_id), "name": here.person_name, "name_ar": here.person_name_ar},
            "organisation": {"id": str(here.tenant_id), "name": here.tenant_name, "name_ar": here.tenant_name_ar},
            "role": here.role,
            "permissions": sorted(here.permissions),
        }
    )
