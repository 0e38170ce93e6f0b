"""What programs do with tokens themselves: exchange a refresh token, report a leaked one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from portal.api import bodies
from portal.core import clock
from portal.core.access import public
from portal.core.errors import Invalid
from portal.i18n.words import gettext as _
from portal.identity.tokens import service as tokens

bp = Blueprint("api_tokens", __name__, url_prefix="/api/v1")
MOST = 100
LARGEST_REPORT = 50_000


@bp.post("/token")
@public("a client shows its refresh token in the body; it has nothing else")
def exchange() -> Response:
    sent = _sent()
    problems = {name: _("Send a text.") for name, value in sent.items() if not isinstance(value, str)}
    problems |= {name: _("This is missing.") for name in ("refresh_token", "client_id") if not sent.get(name)}
    if sent.get("grant_type", "refresh_token") != "refresh_token":
        problems["grant_type"] = _("Only “refresh_token” is known.")
    if problems:
        raise Invalid(problems)
    grant = tokens.exchange(
        sent["refresh_token"], client_id=sent["client_id"], client_secret=sent.get("client_secret"), address=request.remote_addr or ""
    )
    now = clock.now()
    return bodies.answer(
        {
            "access_token": grant.access,
            "token_type": "Bearer",
            "expires_in": max(0, int((grant.access_expires_at - now).total_seconds())),
            "refresh_token": grant.refresh,
            "refresh_expires_in": max(0, int((grant.refresh_expires_at - now).total_seconds())),
            "scope": " ".join(grant.scopes),
        }
    )


def _sent() -> dict[str, Any]:
    """Return the fields of the body, a form as OAuth writes it or JSON, with client and secret from HTTP Basic where they came so."""
    names = ("grant_type", "refresh_token", "client_id", "client_secret")
    given = request.form if request.mimetype == "application/x-www-form-urlencoded" else bodies.read_object()
    sent = {name: given[name] for name in names if name in given}
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        sent |= {"client_id": basic.username, "client_secret": basic.password}
    return sent


@bp.post("/leaked-tokens")
@public("whoever finds a leaked token may be nobody that we know")
def report() -> Response:
    if (request.content_length or 0) > LARGEST_REPORT:
        raise Invalid({"": _("Send at most %(num)d texts in %(size)d kB.", num=MOST, size=LARGEST_REPORT // 1000)})
    sent = bodies.read()
    if not isinstance(sent, list) or not all(isinstance(each, str) for each in sent):
        raise Invalid({"": _("Send a JSON list of texts.")})
    if len(sent) > MOST:
        raise Invalid({"": _("Send at most %(num)d texts in %(size)d kB.", num=MOST, size=LARGEST_REPORT // 1000)})
    tokens.report_leak(sent, address=request.remote_addr or "")
    # The same for found and unknown ones.
    return bodies.answer({"received": len(sent)}, 202)
