"""HTTP calls with a connection: its proof is made for one call and bound to its servers; what comes back is masked."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from portal.connections import tokens
from portal.connections.errors import Unusable
from portal.connections.vault import Opened
from portal.core import clock, egress
from portal.core.egress import Answer, Credentials, Timeouts

PASSING = tokens.PASSING
WEBHOOK_SECRET = "whsec_"  # noqa: S105 - how such keys begin


def send(
    connection: Opened | None,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    message_id: str,
    timeouts: Timeouts | None = None,
    max_body: int = egress.MAX_BODY,
    max_request: int = egress.MAX_REQUEST,
) -> Answer:
    """Make one call, with the connection's proof if there is one, and return the answer without its secrets.

    An access token that is refused is fetched anew, once: the first call was refused, so nothing happened twice.

    Args:
        message_id: the step's stable key; signed calls carry it as their id.

    Raises:
        Unusable: no answer, or no proof; `.sent` says whether the call may have arrived.
    """
    call = partial(egress.send, method, url, headers=headers, body=body, timeouts=timeouts, max_body=max_body, max_request=max_request)
    try:
        credentials = proof(connection, body, message_id) if connection else None
        answer = call(credentials=credentials)
        if answer.status == 401 and connection is not None and connection.kind == "http_oauth2":
            tokens.forget_token(connection.tenant_id, connection.id)
            answer = call(credentials=proof(connection, body, message_id))
    except egress.EgressError as refused:
        raise Unusable(refused.code, refused.message, again=refused.code in PASSING, sent=refused.sent) from None
    return masked(answer, connection) if connection else answer


def masked(answer: Answer, connection: Opened) -> Answer:
    """Return an answer without the connection's secrets."""
    mask = connection.mask
    return replace(
        answer,
        headers={mask.text(name): mask.text(value) for name, value in answer.headers.items()},
        body=mask.bytes(answer.body, is_cut=answer.truncated),
    )


def proof(connection: Opened, body: bytes | None, message_id: str) -> Credentials:
    """Return what proves us to the other system for this one call.

    Raises:
        Unusable: no access token was given.
    """
    settings, secrets = connection.settings, connection.secrets
    if connection.kind == "http_query":
        return Credentials(connection.hosts, query={settings["parameter"]: secrets["key"]})
    if connection.kind == "http_basic":
        pair = base64.b64encode(f"{settings['username']}:{secrets['password']}".encode()).decode()
        return Credentials(connection.hosts, {"Authorization": f"Basic {pair}"})
    if connection.kind in ("http_bearer", "slack_bot"):
        return Credentials(connection.hosts, {"Authorization": f"Bearer {secrets['token']}"})
    if connection.kind == "http_header":
        return Credentials(connection.hosts, {settings["header"]: secrets["key"]})
    if connection.kind == "http_oauth2":
        return Credentials(connection.hosts, {"Authorization": f"Bearer {tokens.access_token(connection)}"})
    if connection.kind == "http_hmac":
        digest = hmac.new(secrets["signing_key"].encode(), body or b"", settings["algorithm"]).hexdigest()
        return Credentials(connection.hosts, {settings["header"]: f"{settings.get('prefix') or ''}{digest}"})
    if connection.kind == "http_signed":
        return Credentials(connection.hosts, _signed(connection, body, message_id))
    return Credentials(connection.hosts)


def _signed(connection: Opened, body: bytes | None, message_id: str) -> dict[str, str]:
    """Sign as Standard Webhooks say; while the key before is kept, with both: the receiver may still hold the old one."""
    moment = str(int(clock.now().timestamp()))
    content = f"{message_id}.{moment}.".encode() + (body or b"")
    keys = [each["signing_key"] for each in (connection.secrets, connection.before) if each.get("signing_key")]
    signatures = [base64.b64encode(hmac.new(webhook_key(key), content, hashlib.sha256).digest()).decode() for key in keys]
    return {"webhook-id": message_id, "webhook-timestamp": moment, "webhook-signature": " ".join(f"v1,{each}" for each in signatures)}


def webhook_key(text: str) -> bytes:
    """Return the bytes of a key of Standard Webhooks.

    Raises:
        ValueError: it is no base64.
    """
    return base64.b64decode(text.removeprefix(WEBHOOK_SECRET), validate=True)
