"""Call another system over HTTP, with the step's stable key in `Idempotency-Key`."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from portal.core import egress
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field

METHODS = tuple((method, method) for method in ("POST", "GET", "PUT", "PATCH", "DELETE"))
SAFE_METHODS = ("GET", "PUT", "DELETE")
AGAIN_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
PASSING = frozenset({"dns", "connect", "tls", "timeout", "protocol"})


class Webhook:
    kind: ClassVar[str] = "webhook"
    icon: ClassVar[str] = "webhook"
    label: ClassVar[Any] = _l("Webhook")
    description: ClassVar[Any] = _l("Call another system over HTTP and use its answer")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("method", "choice", _l("Method"), choices=METHODS, default="POST"),
        Field("url", "text", _l("Address"), _l("Begins with https://"), required=True),
        Field("headers", "pairs", _l("Headers"), default=()),
        Field("body", "long_text", _l("Body"), _l("JSON or text; empty for none"), show_when=("method", ("POST", "PUT", "PATCH"))),
        Field(
            "if_cut_off",
            "choice",
            _l("If the call is cut off"),
            _l("Each call carries a key that stays the same when it is repeated."),
            choices=(("repeat", _l("Repeat it: the receiver drops doubles by the key")), ("ask", _l("Ask a person: it may have happened"))),
            default="repeat",
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("status", _l("HTTP status")),
        ("body", _l("Answer")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        if config.get("method") in SAFE_METHODS or config.get("if_cut_off", "repeat") == "repeat":
            return "idempotent"
        return "unsafe"

    def perform(self, call: Call) -> Outcome:
        body = _body(call.config.get("body"))
        headers = {str(pair["name"]): str(pair["value"]) for pair in call.config.get("headers") or () if pair["name"]}
        headers["Idempotency-Key"] = call.idem_key
        if body is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json" if _is_json(body) else "text/plain; charset=utf-8"
        try:
            answer = egress.send(call.config["method"], str(call.config["url"]).strip(), headers=headers, body=body)
        except egress.EgressError as refused:
            return Failed(f"call_{refused.code}", detail=refused.message, again=refused.code in PASSING, sent=refused.sent)
        return _judge(answer)


def _judge(answer: egress.Answer) -> Outcome:
    if 200 <= answer.status < 300:
        return Done({"status": answer.status, "body": _read(answer)})
    again = answer.status in AGAIN_STATUSES
    # An answer is proof of arrival, and a status says that the receiver did not do it: repeating is the receiver's wish.
    return Failed("call_status", detail=str(answer.status), again=again, sent=False, retry_after_s=_retry_after(answer))


def _body(value: Any) -> bytes | None:
    if value in (None, ""):
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode()


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def _read(answer: egress.Answer) -> Any:
    text = answer.body.decode("utf-8", "replace").replace("\x00", "")
    if "json" not in answer.headers.get("content-type", ""):
        return text
    try:
        # NaN and infinities are no JSON, and PostgreSQL refuses them.
        return json.loads(text, parse_constant=lambda _name: None)
    except (ValueError, RecursionError):
        return text


def _retry_after(answer: egress.Answer) -> float | None:
    """Read `Retry-After`: seconds, or a date compared with the answer's own `Date` so that clocks need not agree."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - parsedate_to_datetime(answer.headers["date"])).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None
