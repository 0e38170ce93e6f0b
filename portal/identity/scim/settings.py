"""The page of the settings where an organisation lets its directory in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, confirmed, requires
from portal.core.config import current_settings
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity.scim import queries, service

bp = Blueprint("scim_settings", __name__, url_prefix="/settings/provisioning")


@bp.get("")
@requires(Permission.SSO_EDIT)
def show() -> Response:
    return _show()


def _show(fresh: str = "") -> Response:
    here = access()
    groups = queries.list_groups(here.tenant_id, count=200)
    members = queries.members_of(here.tenant_id, [group.id for group in groups])
    answer = render(
        "identity/scim/show.html",
        address=f"{current_settings().public_url.rstrip('/')}/scim/v2",
        tokens=queries.list_tokens(here.tenant_id),
        fresh=fresh,
        users=queries.count_users(here.tenant_id),
        groups=groups,
        sizes={group_id: len(each) for group_id, each in members.items()},
    )
    if fresh:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/tokens")
@requires(Permission.SSO_EDIT)
@confirmed
def make_token() -> Response:
    here = access()
    try:
        token = service.make_token(here.tenant_id, by=here.actor)
    except Conflict as refused:
        toast(refused.message, "warning")
        return see_other(url_for("scim_settings.show"))
    # The answer itself shows it: a redirect would have to keep it somewhere until the next page.
    return _show(token)


@bp.post("/tokens/<uuid:token_id>/delete")
@requires(Permission.SSO_EDIT)
@confirmed
def delete_token(token_id: UUID) -> Response:
    here = access()
    service.delete_token(here.tenant_id, token_id, by=here.actor)
    toast(_("The token is deleted. The directory cannot come in with it any more."))
    return see_other(url_for("scim_settings.show"))


@bp.post("/groups/<uuid:group_id>")
@requires(Permission.SSO_EDIT)
@confirmed
def set_role(group_id: UUID) -> Response:
    here = access()
    try:
        service.set_group_role(here.tenant_id, group_id, request.form.get("role") or None, by=here.actor)
    except Invalid:
        raise NotFound from None
    toast(_("The members of the group have its role now."))
    return see_other(url_for("scim_settings.show"))
