"""What another system's answer means: whether it succeeded, what is in it, when to try again, and where the next page is. Pure."""

from __future__ import annotations

import json
import re
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urljoin

import jmespath
from jmespath.exceptions import JMESPathError

from portal.core.egress import Answer

LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[\w*]+\s*=\s*(?:"[^"]*"|[^",;\s]+))*)')
REL = re.compile(r'rel\s*=\s*(?:"([^"]*)"|([^",;\s]+))', re.IGNORECASE)
MAX_PATH = 500
MAX_DEPTH = 30
SUCCESS = "200-299"
AGAIN = "408, 425, 429, 500, 502-504"


class PathRefused(ValueError):
    """The path into an answer is not valid JMESPath, or asks for too much."""


def statuses(text: str) -> set[int]:
    """Read “200-299, 404, 5xx” as statuses.

    Raises:
        ValueError: it is written otherwise.
    """
    found: set[int] = set()
    for part in re.split(r"[,،\s]+", text.strip()):
        if not part:
            continue
        if match := re.fullmatch(r"([1-5])xx", part, re.IGNORECASE):
            found |= set(range(int(match[1]) * 100, int(match[1]) * 100 + 100))
        elif match := re.fullmatch(r"([1-5]\d\d)(?:\s*[-–]\s*([1-5]\d\d))?", part):
            found |= set(range(int(match[1]), int(match[2] or match[1]) + 1))
        else:
            raise ValueError(part)
    return found


def read_body(answer: Answer, way: str = "auto") -> Any:
    """Return the body as JSON where it is JSON, else as text."""
    text = answer.body.decode("utf-8", "replace").replace("\x00", "")
    if way == "text" or "json" not in answer.headers.get("content-type", ""):
        return text
    try:
        # NaN and infinities are no JSON, and PostgreSQL refuses them.
        return json.loads(text, parse_constant=lambda _name: None)
    except (ValueError, RecursionError):
        return text


def retry_after(answer: Answer) -> float | None:
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


def next_link(answer: Answer, url: str) -> str | None:
    """Return where the header `Link` says that the next page is, as a whole address."""
    for target, parameters in LINK.findall(answer.headers.get("link", "")):
        rel = REL.search(parameters)
        if rel and "next" in (rel[1] or rel[2]).lower().split():
            return urljoin(url, target)
    return None


def pick(path: str, value: Any) -> Any:
    """Return what a JMESPath finds in a value; an empty path finds the value itself.

    Raises:
        PathRefused: it is not valid, or does not fit the value.
    """
    path = path.strip()
    if not path:
        return value
    # Its compiler is recursive: what nests deeper than anybody writes is refused before it is read.
    if len(path) > MAX_PATH or sum(path.count(mark) for mark in "([{") > MAX_DEPTH:
        raise PathRefused(path[:80])
    try:
        return jmespath.search(path, value)
    except (JMESPathError, RecursionError, TypeError, ValueError) as wrong:
        raise PathRefused(str(wrong).splitlines()[0][:200] if str(wrong) else path[:80]) from None


def file_name(answer: Answer, url: str) -> str:
    """Return what a fetched file is called: as the header says, else the end of the address."""
    message = Message()
    message["Content-Disposition"] = answer.headers.get("content-disposition", "")
    try:
        named = message.get_filename()
    except (ValueError, LookupError):
        named = None
    return named or unquote(url.partition("?")[0].rstrip("/").rpartition("/")[2]) or "file"


def media_type(answer: Answer) -> str:
    """Return the media type of an answer without its parameters."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()
