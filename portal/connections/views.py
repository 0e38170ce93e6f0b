"""Pages of connections: what there is, a new one, one with its test, rotation, uses and end."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for
from werkzeug.datastructures import MultiDict

from portal.connections import queries, service
from portal.connections.checking import Given, bound_before, read, read_secrets
from portal.connections.errors import InUse, NothingToBringBack, Unusable
from portal.connections.kinds import KINDS, Kind
from portal.connections.models import Connection
from portal.connections.wording import HOURS, say_test, scopes_of
from portal.core import clock
from portal.core.access import Permission, access, confirmed, requires
from portal.core.digits import ascii_digits
from portal.core.errors import Invalid, NotFound
from portal.core.forms import clean
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _

bp = Blueprint("connections", __name__, url_prefix="/settings/connections")


@bp.get("")
@requires(Permission.CONNECTION_READ)
def listing() -> Response:
    here = access()
    rows = queries.list_connections(here.tenant_id)
    return render(
        "connections/list.html",
        connections=rows,
        kinds=KINDS,
        uses=service.all_uses(here.tenant_id),
        said={row.id: say_test(row.test_code) for row in rows},
        can_manage=here.can(Permission.CONNECTION_MANAGE),
    )


@bp.get("/new")
@requires(Permission.CONNECTION_MANAGE)
@confirmed
def new() -> Response:
    kind = KINDS.get(request.args.get("kind", ""))
    if kind is None:
        return render("connections/pick.html", kinds=list(KINDS.values()))
    given = Given(settings={each.name: each.default for each in kind.plain})
    return _form(kind, given)


@bp.post("/new")
@requires(Permission.CONNECTION_MANAGE)
@confirmed
def create() -> Response:
    here, kind = access(), KINDS.get(request.form.get("kind", ""))
    if kind is None:
        raise NotFound
    given = read(kind, request.form)
    try:
        connection_id = service.add_connection(here.tenant_id, kind.key, given, by=here.actor)
    except Invalid as refused:
        return _form(kind, given, problems=refused.problems, status=422)
    toast(_("The connection is there. Test it once."))
    return see_other(url_for("connections.detail", connection_id=connection_id))


@bp.get("/<uuid:connection_id>")
@requires(Permission.CONNECTION_READ)
def detail(connection_id: UUID) -> Response:
    return _detail(connection_id)


def _detail(connection_id: UUID, *, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    here = access()
    row = queries.get_connection(here.tenant_id, connection_id)
    kind = KINDS[row.kind]
    kept = row.before_until is not None and row.before_until > clock.now()
    return render(
        "connections/detail.html",
        status=status,
        connection=row,
        kind=kind,
        said=say_test(row.test_code),
        before_until=row.before_until if kept else None,
        uses=service.uses_of(here.tenant_id, connection_id),
        scope=scopes_of(here.tenant_id, row),
        hours=HOURS,
        can_manage=here.can(Permission.CONNECTION_MANAGE),
        problems=problems or {},
        rate=request.form.get("rate", row.rate_count or ""),
        per=request.form.get("per", row.rate_per or "second"),
    )


@bp.get("/<uuid:connection_id>/edit")
@requires(Permission.CONNECTION_MANAGE)
@confirmed
def edit(connection_id: UUID) -> Response:
    row = queries.get_connection(access().tenant_id, connection_id)
    given = Given(row.name, row.name_ar or "", dict(row.settings), scope=row.scope, scope_items=list(row.scope_items))
    return _form(KINDS[row.kind], given, row=row)


@bp.post("/<uuid:connection_id>/edit")
@requires(Permission.CONNECTION_MANAGE)
@confirmed
def save(connection_id: UUID) -> Response:
    here = access()
    row = queries.get_connection(here.tenant_id, connection_id)
    kind = KINDS[row.kind]
    keeps = frozenset(each.name for each in kind.secrets)
    given = read(kind, request.form, keeps=keeps, hosts_before=bound_before(row.hosts, row.settings))
    try:
        service.change_connection(here.tenant_id, connection_id, given, by=here.actor)
    except Invalid as refused:
        return _form(kind, given, row=row, problems=refused.problems, status=422)
    except Unusable:
        return _form(
            kind,
            given,
            row=row,
            problems={each.name: _("Enter the secret again: what is kept cannot be read.") for each in kind.secrets},
            status=422,
        )
    toast(_("The connection is saved."))
    return see_other(url_for("connections.detail", connection_id=connection_id))


def _form(
    kind: Kind, given: Given, *, row: Connection | None = None, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    return render(
        "connections/form.html",
        status=status,
        kind=kind,
        given=given,
        connection=row,
        problems=problems or {},
        scope=scopes_of(access().tenant_id, row),
    )


@bp.post("/<uuid:connection_id>/test")
@requires(Permission.CONNECTION_USE)
def test(connection_id: UUID) -> Response:
    here = access()
    code = service.test_connection(here.tenant_id, connection_id, by=here.actor)
    said = say_test(code)
    toast(said.text, said.tone)
    return see_other(url_for("connections.detail", connection_id=connection_id, _anchor="test"))


@bp.post("/<uuid:connection_id>/rate")
@requires(Permission.CONNECTION_MANAGE)
def limit(connection_id: UUID) -> Response:
    here = access()
    typed = ascii_digits(clean(request.form.get("rate", "")))
    try:
        count = int(typed) if typed.isdecimal() and len(typed) < 9 else None if not typed else 0
        service.limit_rate(here.tenant_id, connection_id, count, request.form.get("per", ""), by=here.actor)
    except Invalid as refused:
        return _detail(connection_id, problems=refused.problems, status=422)
    toast(_("It counts from the next call on."))
    return see_other(url_for("connections.detail", connection_id=connection_id, _anchor="limits"))


@bp.post("/<uuid:connection_id>/rotate")
@requires(Permission.CONNECTION_MANAGE)
@confirmed
def rotate(connection_id: UUID) -> Response:
    here = access()
    row = queries.get_connection(here.tenant_id, connection_id)
    problems: dict[str, str] = {}
    secrets = read_secrets(KINDS[row.kind], request.form, problems)
    _check_same_place(row, secrets, problems)
    if problems:
        return _detail(connection_id, problems=problems, status=422)
    hours = request.form.get("keep", "24")
    keep = int(hours) if hours.isdecimal() and int(hours) in service.KEPT_HOURS else 24
    service.rotate(here.tenant_id, connection_id, secrets, keep_hours=keep, by=here.actor)
    toast(_("The new secret counts from now on. Test it once."))
    return see_other(url_for("connections.detail", connection_id=connection_id, _anchor="rotation"))


def _check_same_place(row: Connection, secrets: dict[str, str], problems: dict[str, str]) -> None:
    """A webhook's address is a secret and a place at once: a new one stays on the servers of the connection."""
    if "webhook_url" in secrets:
        form = MultiDict({"name": row.name, "webhook_url": secrets["webhook_url"], "scope": "tenant"})
        if not set(read(KINDS[row.kind], form).hosts) <= set(row.hosts):
            problems["webhook_url"] = _("The new address is on another server. Change it by editing the connection.")


@bp.post("/<uuid:connection_id>/bring-back")
@requires(Permission.CONNECTION_MANAGE)
@confirmed
def bring_back(connection_id: UUID) -> Response:
    here = access()
    try:
        service.bring_back(here.tenant_id, connection_id, by=here.actor)
    except NothingToBringBack:
        toast(_("The secret before this one is not kept any more."), "warning")
    else:
        toast(_("The secret before counts again."))
    return see_other(url_for("connections.detail", connection_id=connection_id, _anchor="rotation"))


@bp.get("/<uuid:connection_id>/delete")
@requires(Permission.CONNECTION_MANAGE)
def ask_delete(connection_id: UUID) -> Response:
    here = access()
    row = queries.get_connection(here.tenant_id, connection_id)
    return render("connections/delete.html", connection=row, uses=service.uses_of(here.tenant_id, connection_id))


@bp.post("/<uuid:connection_id>/delete")
@requires(Permission.CONNECTION_MANAGE)
@confirmed
def delete(connection_id: UUID) -> Response:
    here = access()
    try:
        service.delete_connection(here.tenant_id, connection_id, by=here.actor)
    except InUse as refused:
        toast(refused.message, "warning")
        return see_other(url_for("connections.detail", connection_id=connection_id, _anchor="uses"))
    toast(_("The connection is deleted."))
    return see_other(url_for("connections.listing"))
