"""What a request to the address of a webhook proves and says: one delivery, whatever its form."""

from __future__ import annotations

import hmac
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Request
from werkzeug.exceptions import BadRequest

from portal.core import clock, db
from portal.core.errors import Invalid, PortalError
from portal.core.ids import new_id
from portal.i18n.words import gettext as _
from portal.workflows.triggers import arriving, cloudevents, mapping, service, signing
from portal.workflows.triggers.arriving import Arrival
from portal.workflows.triggers.base import Opened
from portal.workflows.triggers.cloudevents import CloudEvent, NotAnEvent

log = logging.getLogger(__name__)

HIDDEN = frozenset({"authorization", "cookie", "proxy-authorization", "webhook-signature"})
MOST_HEADERS = 60
LONGEST_KEY = 200
# A refused proof is written down for who builds the workflow, but not each time: strangers must not fill tables.
NOTED_EVERY_S = 10.0

_noted: dict[tuple[UUID, str], float] = {}


class Unproven(PortalError):
    """The request does not prove that it comes from who may call; it is not told in which way."""

    status = 401
    code = "unproven"


class OtherKind(PortalError):
    """The body is of a kind that is not read here."""

    status = 415
    code = "unsupported_media_type"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery: under which key it is the same, what it says, and the CloudEvent that it is, if it is one."""

    key: str
    arrived: dict[str, Any]
    body: Any
    event: CloudEvent | None


def prove(trigger: Opened, request: Request, body: bytes) -> None:
    """Check the proof that the trigger asks for.

    Raises:
        Unproven: it is missing or wrong.
    """
    proof = trigger.config["proof"]
    if proof == "none":
        return
    known = service.secrets_of(trigger.tenant_id, trigger.id, trigger.secrets)
    try:
        if proof == "standard":
            signing.verify(dict(request.headers.items()), body, known, now=clock.now())
            return
        shown = request.headers.get(trigger.config["header"], "").encode()
        if not any(hmac.compare_digest(shown, each.encode()) for each in known):
            raise signing.SignatureRefused("wrong_secret")
    except signing.SignatureRefused as refused:
        _note_refusal(trigger, refused.code)
        raise Unproven(_("The request does not prove where it comes from. Look at its signature or secret, and at its clock.")) from None


def read(trigger: Opened, request: Request, body: bytes) -> Delivery:
    """Return what a proven request delivers.

    Raises:
        Invalid: it says that it is a CloudEvent, and an attribute is wrong; or its key is odd.
        BadRequest: the body cannot be read.
        OtherKind: it is of a kind that is not read here.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    kind = request.mimetype
    event = None
    if cloudevents.is_one(kind, headers):
        try:
            event = cloudevents.read(request.content_type or "", headers, body)
        except NotAnEvent as wrong:
            raise Invalid({wrong.field: _("This is no CloudEvent of version 1.0: look at this attribute.")}) from None
    said = event.data if event else _body(kind, request, body)
    hidden = HIDDEN | {trigger.config["header"].lower()}
    arrived = {
        "body": said,
        "headers": dict([(name, value) for name, value in headers.items() if name not in hidden][:MOST_HEADERS]),
        "query": request.args.to_dict(),
        "event": event.attributes if event else {},
    }
    return Delivery(_key(headers, event), arrived, said, event)


def arrival_of(trigger: Opened, delivery: Delivery) -> Arrival:
    """Return a delivery as what starts a run."""
    return Arrival(
        key=delivery.key,
        read=lambda declared: mapping.read(declared, trigger.config, delivery.arrived, delivery.body),
    )


def _key(headers: Mapping[str, str], event: CloudEvent | None) -> str:
    """Return the key under which a delivery is the same: of the event, or of the header; one without either is always another."""
    if event is not None:
        return arriving.fitted(f"event:{event.key}")
    for name in ("webhook-id", "idempotency-key"):
        if key := headers.get(name, "").strip():
            if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
                raise Invalid({name: _("Use at most 200 printable ASCII characters.")})
            return f"id:{key}"
    return f"new:{new_id()}"


def _body(kind: str, request: Request, body: bytes) -> Any:
    if not body:
        return {}
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise BadRequest from None
    if kind == "application/x-www-form-urlencoded":
        return {name: values[0] if len(values) == 1 else values for name, values in request.form.lists()}
    if kind.startswith("text/"):
        return body.decode("utf-8", "replace")
    raise OtherKind(_("Send JSON, a form, text or a CloudEvent."))


def _refuse(constant: str) -> Any:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(constant)


def _note_refusal(trigger: Opened, code: str) -> None:
    now = time.monotonic()
    if _noted.get((trigger.id, code), float("-inf")) > now - NOTED_EVERY_S:
        return
    if len(_noted) > 10_000:
        _noted.clear()
    _noted[(trigger.id, code)] = now
    with db.transaction():
        arriving.note(trigger, Arrival(key=f"unproven:{code}", read=dict), "refused", reason=code)  # type: ignore[arg-type]  # never read
