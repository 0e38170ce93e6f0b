"""What programs send, read so that nothing in it can break more than its own request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Response, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from portal.core.errors import Invalid
from portal.core.paging import Listing, Place, read_place
from portal.i18n.words import gettext as _

MOST = 100


def read() -> Any:
    """Return the JSON value of the body; an empty body is an empty object.

    Raises:
        BadRequest: it is no JSON.
        UnsupportedMediaType: it says that it is something else.
    """
    sent = request.get_data()
    if not sent:
        return {}
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        return json.loads(sent, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadRequest from None


def read_object() -> dict[str, Any]:
    """Return the JSON object of the body.

    Raises:
        Invalid: it is another value.
    """
    value = read()
    if not isinstance(value, dict):
        raise Invalid({"": _("Send a JSON object.")})
    return value


def page_asked(kind: str) -> tuple[Place | None, int]:
    """Return after which row a page begins and how many rows it has, as the address asks.

    Raises:
        Invalid: one of them means nothing.
    """
    after, limit = request.args.get("after"), request.args.get("limit", "50")
    place = read_place(after, kind)
    problems = {}
    if after and place is None:
        problems["after"] = _("Give “next” of the page before, unchanged.")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MOST):
        problems["limit"] = _("Give a whole number from 1 to 100.")
    if problems:
        raise Invalid(problems)
    return place, int(limit)


def answer(body: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    """Return a JSON answer, kept by nobody on the way."""
    made = Response(json.dumps(body, ensure_ascii=False, default=_plain), status, mimetype="application/json")
    made.headers["Cache-Control"] = "no-store"
    made.vary.update(("Authorization", "Accept-Language"))
    for name, value in headers.items():
        made.headers[name.replace("_", "-")] = value
    return made


def answer_page(items: list[Any], listing: Listing[Any]) -> Response:
    """Return one page of a list; `next` is what to ask for as `after`, null on the last page."""
    return answer({"items": items, "next": listing.next_cursor})


def _plain(value: Any) -> str:
    """Moments are written in UTC, as in 2026-11-23T20:15:00Z."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)


def _refuse(constant: str) -> Any:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(constant)
