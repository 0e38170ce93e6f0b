"""Pages of API tokens, and the one where anybody reports a leaked one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import clock, ids, paging
from portal.core.access import Permission, access, confirmed, public, requires
from portal.core.errors import Conflict, Invalid
from portal.core.paging import Page
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext
from portal.identity import service as identity
from portal.identity.tokens import queries, scopes, service
from portal.identity.tokens.errors import TooManyReports
from portal.identity.tokens.forms import LeakForm, RotateForm, TokenForm
from portal.identity.tokens.models import ApiToken

bp = Blueprint("tokens", __name__)
organisation = Blueprint("organisation_tokens", __name__)
LENGTHS = (7, 30, 60, 90, 180, 365)
OVERLAPS = (0, 1, 4, 24)


@bp.get("/settings/tokens")
@requires(Permission.TOKEN_CREATE)
def listing() -> Response:
    here = access()
    return render("tokens/list.html", tokens=queries.own_tokens(here.tenant_id, here.person_id), state=state_of)


@bp.get("/settings/tokens/new")
@requires(Permission.TOKEN_CREATE)
@confirmed
def new() -> Response:
    return _form(TokenForm(days=str(service.USUAL_DAYS), request_key=str(ids.new_id())))


@bp.post("/settings/tokens")
@requires(Permission.TOKEN_CREATE)
@confirmed
def create() -> Response:
    here, form = access(), TokenForm()
    if not form.validate():
        return _form(form, form.problems(), status=422)
    try:
        made = service.create_token(
            here.tenant_id,
            here.person_id,
            name=form.name.data or "",
            wanted=form.scopes.data or [],
            days=form.length,
            networks=form.networks.data or "",
            request_key=form.key,
            by=here.actor,
        )
    except Invalid as refused:
        return _form(form, refused.problems, status=422)
    except Conflict as refused:
        toast(refused.message, "warning")
        return see_other(url_for("tokens.listing"))
    return _shown_once(made)


def _form(form: TokenForm, problems: dict[str, str] | None = None, *, status: int = 200) -> Response:
    return render(
        "tokens/new.html",
        status=status,
        form=form,
        problems=problems or {},
        offered=scopes.offered(access().permissions),
        lengths=[(str(days), ngettext("%(num)d day", "%(num)d days", days)) for days in LENGTHS],
    )


def _shown_once(made: service.Made) -> Response:
    """Answer the form itself with the secret: nowhere is it kept for another request to show it."""
    here = access()
    answer = render("tokens/made.html", token=queries.get_token(here.tenant_id, made.id, person_id=here.person_id), secret=made.secret)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/settings/tokens/<uuid:token_id>")
@requires(Permission.TOKEN_CREATE)
def detail(token_id: UUID) -> Response:
    return _detail(token_id)


def _detail(token_id: UUID, problems: dict[str, str] | None = None, *, status: int = 200) -> Response:
    here = access()
    token = queries.get_token(here.tenant_id, token_id, person_id=_whose())
    return render(
        "tokens/detail.html",
        status=status,
        token=token,
        owner=identity.names_of([token.person_id]).get(token.person_id, ""),
        is_own=token.person_id == here.person_id,
        state=state_of(token),
        scopes=scopes.said(token.scopes),
        lost=set(token.scopes) - identity.permissions_of(here.tenant_id, token.person_id),
        overlaps=[
            ("0", _("ends at once")),
            *((str(h), ngettext("works %(num)d hour more", "works %(num)d hours more", h)) for h in OVERLAPS[1:]),
        ],
        problems=problems or {},
    )


@bp.post("/settings/tokens/<uuid:token_id>/rotate")
@requires(Permission.TOKEN_CREATE)
@confirmed
def rotate(token_id: UUID) -> Response:
    here, form = access(), RotateForm()
    try:
        made = service.rotate_token(here.tenant_id, here.person_id, token_id, overlap_h=form.hours, by=here.actor)
    except Invalid as refused:
        return _detail(token_id, refused.problems, status=422)
    except Conflict as refused:
        toast(refused.message, "warning")
        return see_other(url_for("tokens.detail", token_id=token_id))
    return _shown_once(made)


@bp.get("/settings/tokens/<uuid:token_id>/revoke")
@requires(Permission.TOKEN_CREATE)
def ask_revoke(token_id: UUID) -> Response:
    here = access()
    token = queries.get_token(here.tenant_id, token_id, person_id=_whose())
    owner = identity.names_of([token.person_id]).get(token.person_id, "")
    return render("tokens/revoke.html", token=token, owner=owner, is_own=token.person_id == here.person_id)


@bp.post("/settings/tokens/<uuid:token_id>/revoke")
@requires(Permission.TOKEN_CREATE)
def revoke(token_id: UUID) -> Response:
    here = access()
    whose = queries.get_token(here.tenant_id, token_id, person_id=_whose()).person_id
    service.revoke_token(here.tenant_id, token_id, person_id=whose, by=here.actor)
    toast(_("The token is revoked. It does not work any more."))
    return see_other(url_for("tokens.listing" if whose == here.person_id else "organisation_tokens.listing_of_all"))


@organisation.get("/settings/tokens/all")
@requires(Permission.TOKEN_MANAGE)
def listing_of_all() -> Response:
    here = access()
    listing = queries.all_tokens(here.tenant_id, Page(after=paging.read_cursor(request.args.get("after"))))
    names = identity.names_of(token.person_id for token in listing.items)
    return render("tokens/all.html", listing=listing, names=names, state=state_of)


def _whose() -> UUID | None:
    """Whose tokens the reader may look at: their own, or those of everybody."""
    here = access()
    return None if here.can(Permission.TOKEN_MANAGE) else here.person_id


def state_of(token: ApiToken) -> str:
    """Return `live`, `rotated` (live, but another follows), `soon`, `expired`, `leak` or `revoked`."""
    if token.revoked_at is not None:
        return "leak" if token.revoked_because == "leak" else "revoked"
    if token.expires_at <= clock.now():
        return "expired"
    if token.rotated_to is not None:
        return "rotated"
    return "soon" if service.days_until(token.expires_at) <= max(service.NOTICES[1:]) else "live"


@bp.get("/report-leak")
@public("whoever finds a leaked token may be nobody that we know")
def leak_form() -> Response:
    return _leak(LeakForm())


@bp.post("/report-leak")
@public("whoever finds a leaked token may be nobody that we know")
def report_leak() -> Response:
    form = LeakForm()
    if not form.validate():
        return _leak(form, form.problems(), status=422)
    if not form.found.data:
        return _leak(form, {"found": _("Paste what you found.")}, status=422)
    try:
        service.report_leak([form.found.data], address=request.remote_addr or "")
    except TooManyReports as refused:
        return _leak(form, {"": _("Too many reports came from your network. Try again in an hour.")}, status=refused.status)
    toast(_("Thank you. Every token in it that was good has been revoked, and its owner knows."))
    return see_other(url_for("tokens.leak_form"))


def _leak(form: LeakForm, problems: dict[str, Any] | None = None, *, status: int = 200) -> Response:
    return render("tokens/report_leak.html", status=status, form=form, problems=problems or {})
