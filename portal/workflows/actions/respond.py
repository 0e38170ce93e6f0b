"""Answer who called the address of the workflow and waits: a status, some headers, a body."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field

# What an answer may say beside its body. The address is on our own host, so nothing here may steer a browser.
HEADERS = frozenset({"cache-control", "content-language", "etag", "last-modified", "link", "location", "retry-after"})
OWN_HEADER = re.compile(r"x-[a-z0-9-]{1,60}\Z", re.ASCII)
TYPES = (
    ("application/json", "JSON"),
    ("text/plain", _l("Plain text")),
    ("text/csv", "CSV"),
    ("application/xml", "XML"),
)
LONGEST_HEADER = 1_000


class Respond:
    kind: ClassVar[str] = "respond"
    icon: ClassVar[str] = "corner-down-right"
    label: ClassVar[Any] = _l("Answer the caller")
    description: ClassVar[Any] = _l("Say what the system hears that started the run with a call and waits for the answer")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("status", "number", _l("Status"), _l("200 to 299 for what worked, 400 to 599 for what did not"), required=True, default=200),
        Field("type", "choice", _l("Kind of body"), choices=TYPES, default="application/json"),
        Field("body", "long_text", _l("Body"), _l("For JSON one value, e.g. ${ input } or {\"id\": \"${ run.id }\"}")),
        Field("headers", "pairs", _l("Headers"), _l("Cache-Control, Content-Language, ETag, Last-Modified, Link, Location, Retry-After or X-…"),
              default=()),
    )  # fmt: skip
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("status", _l("Status")), ("body", _l("Body")))

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        status = _status(call.config["status"])
        if status is None:
            return Failed("respond_status", detail=str(call.config["status"])[:40])
        headers: dict[str, str] = {}
        for pair in call.config["headers"] or ():
            name, value = str(pair["name"]).strip().lower(), str(pair["value"]).strip()
            if name not in HEADERS and not OWN_HEADER.match(name):
                return Failed("respond_header", detail=name[:60])
            if len(value) > LONGEST_HEADER or not (value.isascii() and value.isprintable()):
                return Failed("respond_header", detail=name[:60])
            headers[name] = value
        return Done({"status": status, "type": call.config["type"], "headers": headers, "body": call.config["body"]})


def _status(given: Any) -> int | None:
    try:
        status = int(float(given))
    except (TypeError, ValueError, OverflowError):
        return None
    return status if 200 <= status <= 299 or 400 <= status <= 599 else None
