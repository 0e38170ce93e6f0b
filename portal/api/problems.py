"""What the interface answers when it refuses: RFC 9457 problem+json, in the language that the program asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g, jsonify, request

from portal.i18n.words import lazy_gettext as _l

INTERFACE = "/api/"
# Addresses that only programs call: the triggers of workflows.
FOR_PROGRAMS = (INTERFACE, "/hooks/")
# Registered with IANA for answers with 429; the others are ours.
REGISTERED = {429: "https://iana.org/assignments/http-problem-types#quota-exceeded"}
OURS = "urn:nasij:problem:"
NAMES = {
    400: "malformed", 401: "not-signed-in", 403: "forbidden", 404: "not-found", 405: "method-not-allowed", 409: "conflict", 413: "too-large",
    415: "wrong-media-type", 422: "invalid", 429: "quota-exceeded", 500: "broken", 503: "away",
}  # fmt: skip
TITLES: dict[int, Any] = {
    400: _l("The request cannot be read"),
    401: _l("No valid token"),
    403: _l("Not allowed"),
    404: _l("Not found"),
    405: _l("This address does not take this method"),
    409: _l("Not possible at the moment"),
    413: _l("Too large"),
    415: _l("This kind of body is not taken here"),
    422: _l("Something that was sent is not right"),
    429: _l("Too many requests"),
    500: _l("Something broke on our side"),
    503: _l("Away for a moment"),
}
DETAILS: dict[int, Any] = {
    400: _l("Send valid JSON, in UTF-8."),
    401: _l("Send a token that is known, not expired and not revoked, from a network that it is good for: Authorization: Bearer …"),
    403: _l("The token, or the role of its person, does not allow this."),
    404: _l("Nothing here has this address, or it belongs to others."),
    405: _l("Look at the Allow header for what it takes."),
    409: _l("Nothing was changed."),
    413: _l("Send less at once."),
    415: _l("Send the body as application/json."),
    422: _l("Look at “errors” for what to change."),
    429: _l("Wait for as long as Retry-After says, then try again."),
    500: _l("Nothing was done. Try again; if it stays so, tell us the id of this answer."),
    503: _l("Try again in a few seconds."),
}


def is_asked() -> bool:
    """Say whether the request is for the interface: it never gets HTML, whatever it accepts."""
    return request.path == INTERFACE.rstrip("/") or request.path.startswith(FOR_PROGRAMS)


def answer(status: int, *, message: str = "", errors: Mapping[str, Any] | None = None) -> Response:
    """Return a refusal; `instance` is the id under which our logs have this request."""
    known = status if status in NAMES else 500 if status >= 500 else 400
    body: dict[str, Any] = {
        "type": REGISTERED.get(known, OURS + NAMES[known]),
        "title": str(TITLES[known]),
        "status": status,
        "detail": message or str(DETAILS[known]),
        "instance": f"urn:uuid:{g.get('request_id', '')}",
    }
    if errors:
        body["detail"] = str(DETAILS[422])
        body["errors"] = [{"field": name, "detail": str(text)} for name, text in errors.items()]
    if known == 429:
        body["violated-policies"] = []
    made = jsonify(body)
    made.status_code, made.mimetype = status, "application/problem+json"
    if status == 401:
        made.headers["WWW-Authenticate"] = 'Bearer realm="Nasij"'
    made.headers["Cache-Control"] = "no-store"
    made.vary.update(("Authorization", "Accept-Language"))
    return made
