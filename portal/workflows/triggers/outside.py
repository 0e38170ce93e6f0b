"""Addresses that strangers and other systems open: webhooks and forms."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from flask import Blueprint, Response, abort, current_app, request, url_for
from flask_wtf.csrf import CSRFError, validate_csrf
from wtforms import ValidationError

from portal.core import clock, db, ids
from portal.core.access import Permission, access, for_programs, public
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.render import render, see_other
from portal.core.secrets import token_hash
from portal.workflows.errors import GateFull, NotPublished
from portal.workflows.triggers import answering, arriving, forming, queries, rates, receiving
from portal.workflows.triggers.base import Opened
from portal.workflows.triggers.webhook import takes

bp = Blueprint("starts_outside", __name__)
LONGEST_FORM = 200_000
TRAP = "homepage_url"


@bp.route("/hooks/<token>", methods=["POST"], provide_automatic_options=False)
@for_programs("the trigger says how its callers prove themselves")
def hook(token: str) -> Response:
    # A unit of its own: who is signed in in this browser, if anybody, has nothing to do with it.
    with db.unit_of_work():
        trigger = _open(token, "webhook")
        body = request.get_data()
        receiving.prove(trigger, request, body)
        rates.take(trigger.tenant_id, trigger.id, per_minute=int(trigger.config["per_minute"]))
        delivery = receiving.read(trigger, request, body)
        if delivery.event is not None and not takes(trigger.config, delivery.event.attributes["type"]):
            with db.transaction():
                arriving.note(trigger, receiving.arrival_of(trigger, delivery), "filtered", reason="type")
            return answering.ignored()
        waits = trigger.config["reply"] == "wait"
        try:
            run_id, _is_new, answers = arriving.begun(trigger, receiving.arrival_of(trigger, delivery), carries=waits)
        except NotPublished:
            raise NotFound from None
        if not waits:
            return answering.accepted(run_id)
        if answers:
            return answering.said(answers[0])
    return answering.answered(trigger.tenant_id, run_id, wait_s=float(trigger.config["wait_s"]))


@bp.route("/hooks/<token>", methods=["OPTIONS"], provide_automatic_options=False)
@for_programs("senders of CloudEvents ask first whether they may")
def may_call(token: str) -> Response:
    with db.unit_of_work():
        trigger = _open(token, "webhook")
    answer = Response(status=204, headers={"Allow": "POST"})
    if origin := request.headers.get("WebHook-Request-Origin", "")[:200]:
        answer.headers["WebHook-Allowed-Origin"] = origin
        answer.headers["WebHook-Allowed-Rate"] = str(trigger.config["per_minute"])
    return answer


@bp.get("/f/<token>")
@public("a form that its workflow's builder gave to everybody, or to members, who sign in first")
def show_form(token: str) -> Response:
    return _form(token)


@bp.post("/f/<token>")
@for_programs("nobody is signed in, so there is nothing that another page could misuse; a form for members checks its token itself")
def send_form(token: str) -> Response:
    if (request.content_length or 0) > LONGEST_FORM:
        abort(413)
    with db.unit_of_work():
        form = _opened_form(token)
        by = None
        if form.is_for_members:
            _check_csrf()
            by = access().actor
        elif request.form.get(TRAP):
            return see_other(url_for("starts_outside.thanks", token=token))
        key = _key(form.trigger.id)
        try:
            forming.send(form, request.form.to_dict(), key=key, by=by, address=request.remote_addr or "")
        except Invalid as wrong:
            problems = wrong.problems
        except GateFull as full:
            return _form(token, status=422, given=request.form.to_dict(), refused=full.message)
        else:
            return see_other(url_for("starts_outside.thanks", token=token))
    return _form(token, status=422, given=request.form.to_dict(), problems=problems)


@bp.get("/f/<token>/thanks")
@public("the page after the form")
def thanks(token: str) -> Response:
    with db.unit_of_work():
        form = _opened_form(token)
    return render("starts/thanks.html", form=form, again=url_for("starts_outside.show_form", token=token))


def _form(
    token: str, *, status: int = 200, given: dict[str, Any] | None = None, problems: dict[str, str] | None = None, refused: str = ""
) -> Response:
    with db.unit_of_work():
        form = _opened_form(token)
    if form.ends_at is not None and clock.now() >= form.ends_at:
        return render("starts/closed.html", status=410, form=form)
    answer = render(
        "starts/form.html",
        status=status,
        form=form,
        action=url_for("starts_outside.send_form", token=token),
        given=given or {},
        problems=problems or {},
        refused=refused,
        request_key=(given or {}).get("request_key") or str(ids.new_id()),
        trap=TRAP,
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _opened_form(token: str) -> forming.OpenForm:
    """Return the form of an address, for who may see it.

    Raises:
        NotFound: there is none, it is off, or it is for members of an organisation where the reader is not.
        SignInNeeded: it is for members, and nobody is signed in.
        Forbidden: the member's role starts no runs.
    """
    form = forming.open_form(_open(token, "form"))
    if form.is_for_members:
        here = access()
        if here.tenant_id != form.trigger.tenant_id:
            raise NotFound
        if not here.can(Permission.RUN_START):
            raise Forbidden
    return form


def _open(token: str, kind: str) -> Opened:
    found = queries.opened_by_address(token_hash(token))
    if found is None or found.kind != kind:
        raise NotFound
    return found


def _check_csrf() -> None:
    if not current_app.config["WTF_CSRF_ENABLED"]:
        return
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError as wrong:
        raise CSRFError(wrong.args[0]) from None


def _key(trigger_id: UUID) -> str:
    """Return the key of the form as it was opened; one that is no id of ours is made into one."""
    given = request.form.get("request_key", "")
    try:
        return str(UUID(given))
    except ValueError:
        return str(uuid5(trigger_id, given or str(ids.new_id())))
