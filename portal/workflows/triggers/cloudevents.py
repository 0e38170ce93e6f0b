"""CloudEvents 1.0 over HTTP: read one event, structured or binary. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch"
NAME = re.compile(r"[a-z0-9]{1,40}\Z", re.ASCII)
REQUIRED = ("id", "source", "specversion", "type")
LONGEST = 2_000


class NotAnEvent(Exception):
    """The request says that it is a CloudEvent and is none; `field` names the attribute that is wrong."""

    def __init__(self, attribute: str) -> None:
        super().__init__(attribute)
        self.field = attribute


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event: its attributes as texts, and its data as JSON, text or base64 text."""

    attributes: dict[str, Any]
    data: Any = field(default=None)

    @property
    def key(self) -> str:
        """What makes it the same event: its source and its id."""
        return f"{self.attributes['source']}\n{self.attributes['id']}"


def is_one(content_type: str, headers: Mapping[str, str]) -> bool:
    """Say whether a request claims to be a CloudEvent."""
    return content_type.startswith("application/cloudevents") or "ce-specversion" in {name.lower() for name in headers}


def read(content_type: str, headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """Return the event of a request.

    Raises:
        NotAnEvent: an attribute is missing or wrong, or several events come in one request.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith(BATCHED):
        raise NotAnEvent("batch")
    event = _structured(body) if kind == STRUCTURED else _binary(kind, headers, body)
    return _checked(event)


def _structured(body: bytes) -> CloudEvent:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnEvent("body") from None
    if not isinstance(found, dict) or ("data" in found and "data_base64" in found):
        raise NotAnEvent("body")
    attributes = {name: value for name, value in found.items() if name not in ("data", "data_base64") and value is not None}
    if "data_base64" in found:
        try:
            raw = base64.b64decode(found["data_base64"], validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise NotAnEvent("data_base64") from None
        return CloudEvent(attributes, _data(str(attributes.get("datacontenttype", "")), raw))
    return CloudEvent(attributes, found.get("data"))


def _binary(content_type: str, headers: Mapping[str, str], body: bytes) -> CloudEvent:
    attributes: dict[str, Any] = {name.lower()[3:]: _unquoted(value) for name, value in headers.items() if name.lower().startswith("ce-")}
    if content_type:
        attributes["datacontenttype"] = content_type
    return CloudEvent(attributes, _data(content_type or "application/json", body) if body else None)


def _data(content_type: str, raw: bytes) -> Any:
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("", "application/json", "text/json") or kind.endswith("+json"):
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise NotAnEvent("data") from None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode()


def _unquoted(value: str) -> str:
    """Undo the percent-encoding of the HTTP binding; quotation marks around a whole value fall away."""
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return unquote(text, errors="replace")


def _checked(event: CloudEvent) -> CloudEvent:
    for name, value in event.attributes.items():
        if not NAME.match(name):
            raise NotAnEvent(name[:40])
        if not isinstance(value, str | int | bool) or len(str(value)) > LONGEST:
            raise NotAnEvent(name)
    for name in REQUIRED:
        if not isinstance(event.attributes.get(name), str) or not event.attributes[name]:
            raise NotAnEvent(name)
    if event.attributes["specversion"] != "1.0":
        raise NotAnEvent("specversion")
    if "time" in event.attributes:
        try:
            datetime.fromisoformat(str(event.attributes["time"]))
        except ValueError:
            raise NotAnEvent("time") from None
    return event
