"""What a step sends over HTTP: its address with query, its headers, its body as JSON, text, form, parts or a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from portal.workflows import stored
from portal.workflows.actions.base import Call
from portal.workflows.expressions import as_text

WRITING = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready but for its proof."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


def request_of(call: Call) -> Request:
    """Put together what a step sends.

    Raises:
        FileRefused: a file that it should send is not there.
    """
    config = call.config
    headers = {str(pair["name"]).strip(): as_text(pair["value"]).strip() for pair in config.get("headers") or () if pair["name"]}
    url = with_query(str(config["url"]).strip(), [(pair["name"], pair["value"]) for pair in config.get("query") or () if pair["name"]])
    content, media_type = _body(call) if config["method"] in WRITING else (None, "")
    if content is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = media_type
    return Request(config["method"], url, headers, content)


def with_query(url: str, pairs: list[tuple[str, Any]]) -> str:
    """Return an address with more parameters; one that it has already is replaced. A list gives its parameter several times."""
    if not pairs:
        return url
    parts = urlsplit(url)
    names = {quote(str(name), safe="") for name, _value in pairs}
    kept = [each for each in parts.query.split("&") if each and each.partition("=")[0] not in names]
    more = urlencode(
        [(name, [as_text(each) for each in value] if isinstance(value, list) else as_text(value)) for name, value in pairs], doseq=True
    )
    return urlunsplit(parts._replace(query="&".join([*kept, more])))


def _body(call: Call) -> tuple[bytes | None, str]:
    config = call.config
    way = config.get("send", "body")
    if way == "form":
        return urlencode(_fields(config), doseq=True).encode(), "application/x-www-form-urlencoded"
    if way == "parts":
        return _parts(call)
    if way == "file":
        files = stored.read_files(call.tenant_id, config.get("file"))
        return (files[0].content, files[0].media_type) if files else (None, "")
    value = config.get("body")
    if value in (None, ""):
        return None, ""
    content = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode()
    return content, "application/json" if _is_json(content) else "text/plain; charset=utf-8"


def _fields(config: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(pair["name"]), as_text(pair["value"])) for pair in config.get("form") or () if pair["name"]]


def _parts(call: Call) -> tuple[bytes, str]:
    """Write a form with files; the boundary comes from the step's key, so that a repeated call is the same byte for byte."""
    boundary = f"nasij-{call.idem_key}"
    body = bytearray()
    for name, value in _fields(call.config):
        body += _part(boundary, f'form-data; name="{_quoted(name)}"', "text/plain; charset=utf-8", value.encode())
    name = _quoted(str(call.config.get("file_field") or "file"))
    for file in stored.read_files(call.tenant_id, call.config.get("file")):
        body += _part(boundary, f'form-data; name="{name}"; filename="{_quoted(file.name)}"', file.media_type, file.content)
    return bytes(body) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, disposition: str, media_type: str, content: bytes) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {media_type}\r\n\r\n".encode() + content + b"\r\n"


def _quoted(text: str) -> str:
    """Escape a name as browsers do: nothing in it ends the quotes or the line."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
