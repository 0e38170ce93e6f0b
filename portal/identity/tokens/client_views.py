"""Pages of API clients."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, url_for

from portal.core import clock, ids
from portal.core.access import Permission, access, confirmed, requires
from portal.core.errors import Conflict, Invalid
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.identity.tokens import clients, queries, scopes
from portal.identity.tokens.forms import ClientForm
from portal.identity.tokens.models import ApiClient

bp = Blueprint("clients", __name__)


@bp.get("/settings/clients")
@requires(Permission.TOKEN_CREATE)
def listing() -> Response:
    here = access()
    sees_all = here.can(Permission.TOKEN_MANAGE)
    found = queries.all_clients(here.tenant_id) if sees_all else queries.own_clients(here.tenant_id, here.person_id)
    names = identity.names_of(client.person_id for client in found) if sees_all else {}
    until = queries.latest_expiries(here.tenant_id, found)
    return render("clients/list.html", clients=found, names=names, until=until, state=lambda client: state_of(client, until.get(client.id)))


@bp.get("/settings/clients/new")
@requires(Permission.TOKEN_CREATE)
@confirmed
def new() -> Response:
    return _form(ClientForm(kind="confidential", request_key=str(ids.new_id())))


@bp.post("/settings/clients")
@requires(Permission.TOKEN_CREATE)
@confirmed
def create() -> Response:
    here, form = access(), ClientForm()
    if not form.validate():
        return _form(form, form.problems(), status=422)
    try:
        made = clients.create_client(
            here.tenant_id,
            here.person_id,
            name=form.name.data or "",
            kind=form.kind.data or "",
            wanted=form.scopes.data or [],
            request_key=form.key,
            by=here.actor,
        )
    except Invalid as refused:
        return _form(form, refused.problems, status=422)
    except Conflict as refused:
        toast(refused.message, "warning")
        return see_other(url_for("clients.listing"))
    return _shown_once(made)


def _form(form: ClientForm, problems: dict[str, str] | None = None, *, status: int = 200) -> Response:
    return render("clients/new.html", status=status, form=form, problems=problems or {}, offered=scopes.offered(access().permissions))


def _shown_once(made: clients.NewClient) -> Response:
    here = access()
    client = queries.get_client(here.tenant_id, made.id, person_id=here.person_id)
    answer = render("clients/made.html", client=client, made=made, exchange_url=url_for("api_tokens.exchange", _external=True))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/settings/clients/<uuid:client_id>")
@requires(Permission.TOKEN_CREATE)
def detail(client_id: UUID) -> Response:
    here = access()
    client = queries.get_client(here.tenant_id, client_id, person_id=_whose())
    until = queries.latest_expiries(here.tenant_id, [client]).get(client.id)
    return render(
        "clients/detail.html",
        client=client,
        owner=identity.names_of([client.person_id]).get(client.person_id, ""),
        is_own=client.person_id == here.person_id,
        state=state_of(client, until),
        until=until,
        scopes=scopes.said(client.scopes),
        lost=set(client.scopes) - identity.permissions_of(here.tenant_id, client.person_id),
    )


@bp.post("/settings/clients/<uuid:client_id>/renew")
@requires(Permission.TOKEN_CREATE)
@confirmed
def renew(client_id: UUID) -> Response:
    here = access()
    return _shown_once(clients.renew_client(here.tenant_id, here.person_id, client_id, by=here.actor))


@bp.post("/settings/clients/<uuid:client_id>/sign-out")
@requires(Permission.TOKEN_CREATE)
def sign_out(client_id: UUID) -> Response:
    here = access()
    clients.sign_out_client(here.tenant_id, client_id, person_id=_whose(), by=here.actor)
    toast(_("The client is signed out. Nothing that it has works any more."))
    return see_other(url_for("clients.detail", client_id=client_id))


@bp.get("/settings/clients/<uuid:client_id>/remove")
@requires(Permission.TOKEN_CREATE)
def ask_remove(client_id: UUID) -> Response:
    here = access()
    return render("clients/remove.html", client=queries.get_client(here.tenant_id, client_id, person_id=_whose()))


@bp.post("/settings/clients/<uuid:client_id>/remove")
@requires(Permission.TOKEN_CREATE)
def remove(client_id: UUID) -> Response:
    here = access()
    clients.remove_client(here.tenant_id, client_id, person_id=_whose(), by=here.actor)
    toast(_("The client is removed."))
    return see_other(url_for("clients.listing"))


def _whose() -> UUID | None:
    here = access()
    return None if here.can(Permission.TOKEN_MANAGE) else here.person_id


def state_of(client: ApiClient, until: datetime | None) -> str:
    """Return `live`, `signed_out`, `reuse`, `leak` or `expired`: left alone for seven days, or thirty days old."""
    if client.signed_out_at is not None:
        return client.signed_out_because if client.signed_out_because in ("reuse", "leak") else "signed_out"
    return "live" if until is not None and until > clock.now() else "expired"
