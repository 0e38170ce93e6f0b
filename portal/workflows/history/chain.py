"""The chain of a run's events, and the file in which a run's history leaves the house. Pure: it needs no database.

The hash of an event is SHA-256 over this text in UTF-8, which the schema's trigger `chain_event` writes in the same way:

    ["tenant", "run", seq, "2026-01-31T12:00:00.000000Z", "kind", "actor", "node_key" or null, data or null, "hash of the event before"]

Hashes are written in hexadecimal digits; the first event stands behind an empty one. `data` is written as PostgreSQL writes a
`jsonb`: names by length and then by their bytes, numbers as they were given. The file is JSON, one event a line, and is
exactly what `head_line`, `event_line` and `TAIL` write, so that not one of its bytes can change unnoticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

FORMAT = "nasij-run-history/1"
TAIL = "]}\n"
FIELDS = ("seq", "at", "kind", "actor", "node_key", "data", "prev_hash", "hash")
MAX_LINE = 8 * 1024 * 1024


class Number(str):
    """A number as it was written: reading it as a float would lose what the hash has seen."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Head:
    """Whose history it is, how many events there are, and the hash of the last one."""

    tenant: str
    run: str
    count: int
    hash: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is hashed; `data` is read by `read`, numbers are kept as written."""

    seq: int
    at: str
    kind: str
    actor: str
    node_key: str | None
    data: Any
    prev_hash: str
    hash: str


class Broken(Exception):
    """A history is not what was written.

    Args:
        seq: the number that the first wrong event should have; 0 means that the head or the file as a whole is wrong.
        reason: `changed`, `moved` (it does not stand behind the one before), `number`, `short`, `long`, `head`, `file`.
    """

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"event {seq}: {reason}")
        self.seq, self.reason = seq, reason


def read(text: str) -> Any:
    """Read JSON, numbers as they were written.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_refuse)


def canonical(value: Any) -> str:
    """Write a value as PostgreSQL writes a `jsonb`."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return "{" + ", ".join(f"{_text(name)}: {canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(canonical, value)) + "]"
    if isinstance(value, Number):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def hash_of(head: Head, event: Event) -> str:
    """Return the hash that an event must have."""
    return hashlib.sha256(_hashed(head, event).encode("utf-8", "surrogatepass")).hexdigest()


def head_line(head: Head) -> str:
    """Return the first line of a file."""
    known = {"format": FORMAT, "tenant": head.tenant, "run": head.run, "count": head.count, "head": head.hash}
    return json.dumps(known, ensure_ascii=False)[:-1] + ', "events": [\n'


def event_line(event: Event, *, is_last: bool) -> str:
    """Return the line of an event."""
    parts = (f"{_text(name)}: {canonical(getattr(event, name))}" for name in FIELDS)
    return "{" + ", ".join(parts) + "}" + ("\n" if is_last else ",\n")


def verify(head: Head, events: Iterable[Event]) -> int:
    """Check a chain from its first event to its head; returns how many events it has. Holds one event at a time.

    Raises:
        Broken: at the first event that is not as it was written.
    """
    before, number = "", 0
    for number, event in enumerate(events, 1):
        if number > head.count:
            raise Broken(number, "long")
        if event.seq != number:
            raise Broken(number, "number")
        if event.prev_hash != before:
            raise Broken(number, "moved")
        if hash_of(head, event) != event.hash:
            raise Broken(number, "changed")
        before = event.hash
    if number != head.count:
        raise Broken(number + 1, "short")
    if before != head.hash:
        raise Broken(0, "head")
    return number


def verify_file(lines: Iterator[str], *, expected: str | None = None) -> Head:
    """Check a file line by line, and return its head.

    Args:
        expected: the hash of the last event as it was noted elsewhere: a file whose whole chain was written anew is noticed only so.

    Raises:
        Broken: at the first line that is not as it was written.
    """
    head = _read_head(next(lines, ""))
    if expected is not None and expected.strip().lower() != head.hash:
        raise Broken(0, "head")
    verify(head, _events(lines, head.count))
    if next(lines, None) is not None:
        raise Broken(0, "file")
    return head


def _read_head(line: str) -> Head:
    try:
        given = json.loads(line.removesuffix("\n") + "]}")
        head = Head(str(given["tenant"]), str(given["run"]), int(given["count"]), str(given["head"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Broken(0, "file") from None
    if line != head_line(head):
        raise Broken(0, "file")
    return head


def _events(lines: Iterator[str], count: int) -> Iterator[Event]:
    number = 0
    for line in lines:
        if line == TAIL:
            return
        number += 1
        try:
            given = read(line.removesuffix("\n").removesuffix(","))
            event = Event(**{**given, "seq": int(given["seq"])})
            written = event_line(event, is_last=number == count)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Broken(number, "changed") from None
        if line != written:
            raise Broken(number, "changed")
        yield event
    raise Broken(number + 1, "short")


def _hashed(head: Head, event: Event) -> str:
    return canonical([head.tenant, head.run, event.seq, event.at, event.kind, event.actor, event.node_key, event.data, event.prev_hash])


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
