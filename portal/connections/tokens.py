"""Access tokens of OAuth 2.0 client credentials: kept sealed, fetched again by one worker while the others wait."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from sqlalchemy import text

from portal.connections import queries, vault
from portal.connections.errors import Unusable
from portal.connections.vault import Opened, place
from portal.core import db, egress
from portal.core.egress import Credentials
from portal.core.secrets import SecretLost, disclose, enclose

LEASE_S = 20
WAIT_S = 25.0
EARLY_S = 30  # a token that ends so soon is not used any more
USUAL_S = 300
LONGEST_S = 86_400
PASSING = frozenset({"dns", "connect", "tls", "timeout", "protocol"})


def access_token(connection: Opened) -> str:
    """Return an access token that is good for a while, from the row or from the authorisation server.

    Raises:
        Unusable: `token`, or why the server could not be asked.
    """
    end = time.monotonic() + WAIT_S
    while True:
        if kept := _kept(connection):
            connection.mask.add(kept)
            return kept
        if _lease(connection):
            return _fetched(connection)
        if time.monotonic() > end:
            raise Unusable("token", again=True)
        time.sleep(0.1)


def forget_token(tenant_id: UUID, connection_id: UUID) -> None:
    """Drop the token that is kept: the other system does not take it any more, or the secret is another one."""
    with db.transaction(tenant_id) as session:
        session.execute(
            text("update connections set token = null, token_until = null where tenant_id = :tenant and id = :id"),
            {"tenant": tenant_id, "id": connection_id},
        )


def _kept(connection: Opened) -> str | None:
    with db.transaction(connection.tenant_id) as session:
        good = session.scalar(
            text(
                "select token from connections where tenant_id = :tenant and id = :id"
                " and token_until > clock_timestamp() + make_interval(secs => :early)"
            ),
            {"tenant": connection.tenant_id, "id": connection.id, "early": EARLY_S},
        )
    try:
        return disclose(bytes(good), where=place(connection.tenant_id, connection.id, "token")) if good else None
    except SecretLost:
        return None


def _lease(connection: Opened) -> bool:
    """Take the right to fetch the next token; a worker that dies with it blocks the others for 20 seconds at most."""
    with db.transaction(connection.tenant_id) as session:
        taken = session.execute(
            text(
                "update connections set token_lease_until = clock_timestamp() + make_interval(secs => :lease)"
                " where tenant_id = :tenant and id = :id and (token_lease_until is null or token_lease_until < clock_timestamp())"
                " and (token_until is null or token_until <= clock_timestamp() + make_interval(secs => :early)) returning id"
            ),
            {"tenant": connection.tenant_id, "id": connection.id, "lease": LEASE_S, "early": EARLY_S},
        ).first()
    return taken is not None


def _fetched(connection: Opened) -> str:
    try:
        token, lasts_s = _ask(connection)
    except BaseException:
        _settle(connection, None, 0)
        raise
    connection.mask.add(token)
    _settle(connection, token, lasts_s)
    return token


def _settle(connection: Opened, token: str | None, lasts_s: int) -> None:
    sealed = enclose(token, where=place(connection.tenant_id, connection.id, "token")) if token else None
    with db.transaction(connection.tenant_id) as session:
        session.execute(
            text(
                "update connections set token = cast(:token as bytea), token_lease_until = null,"
                " token_until = clock_timestamp() + make_interval(secs => :lasts) where tenant_id = :tenant and id = :id"
            ),
            {"tenant": connection.tenant_id, "id": connection.id, "lasts": lasts_s, "token": sealed},
        )


def _ask(connection: Opened) -> tuple[str, int]:
    settings, secret = connection.settings, connection.secrets["client_secret"]
    wanted = {"grant_type": "client_credentials", **({"scope": settings["scopes"]} if settings.get("scopes") else {})}
    url = settings["token_url"]
    hosts = frozenset({egress.check_url(url, policy=egress.operator_policy()).authority})
    proof = {}
    if settings.get("client_auth") == "body":
        wanted |= {"client_id": settings["client_id"], "client_secret": secret}
    else:
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote(settings['client_id'], safe='')}:{quote(secret, safe='')}"
        proof = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        connection.mask.add(pair)
    try:
        answer = egress.send(
            "POST",
            url,
            headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(wanted).encode(),
            credentials=Credentials(hosts, proof),
        )
    except egress.EgressError as refused:
        raise Unusable(refused.code, refused.message, again=refused.code in PASSING) from None
    given = _read(answer.body)
    if answer.status != 200 or not isinstance(given.get("access_token"), str) or not given["access_token"]:
        raise Unusable("token", str(answer.status), again=answer.status == 429 or answer.status >= 500)
    lasts = given.get("expires_in", USUAL_S)
    return given["access_token"], min(int(lasts), LONGEST_S) if isinstance(lasts, int | float) and lasts > 0 else USUAL_S


def _read(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def reopened(connection: Opened) -> Opened:
    """Open a connection again, after somebody may have changed it."""
    with db.transaction(connection.tenant_id):
        row = queries.find_connection(connection.tenant_id, connection.id)
        if row is None:
            raise Unusable("gone")
        return vault.opened(row)
