"""Signals: tell whoever waits that something happened; and the addresses to which other systems answer a step."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from portal.api import bodies
from portal.core.access import Permission, access, public, requires
from portal.core.errors import Invalid, NotFound
from portal.i18n.words import gettext as _
from portal.workflows.signals import service as signals

bp = Blueprint("api_signals", __name__, url_prefix="/api/v1")

LONGEST_KEY = 200
LARGEST = 250_000


@bp.post("/signals")
@requires(Permission.SIGNAL_SEND)
def send() -> Response:
    here, body = access(), bodies.read_object()
    name, key = body.get("signal"), body.get("key", "")
    problems = {field: _("Send a text.") for field, value in (("signal", name), ("key", key)) if not isinstance(value, str)}
    if problems:
        raise Invalid(problems)
    signal_id, is_new = signals.send_signal(
        here.tenant_id, str(name), key=str(key), payload=body.get("payload"), by=here.actor, source="api", dedup_key=_key()
    )
    return bodies.answer({"id": str(signal_id), "is_new": is_new}, 202)


@bp.post("/callbacks/<token>")
@public("whoever was given the address may answer, once; its signature is the proof")
def answer(token: str) -> Response:
    request.max_content_length = LARGEST
    signal_id = signals.receive_callback(token, bodies.read())
    if signal_id is None:
        raise NotFound
    return bodies.answer({"id": str(signal_id), "accepted": True}, 202)


def _key() -> Any:
    """Return the key under which the signal is kept: the same key of the same person is the same signal."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key:
        return None
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Invalid({"Idempotency-Key": _("Use at most 200 printable ASCII characters.")})
    return f"api:{access().person_id}:{key}"
