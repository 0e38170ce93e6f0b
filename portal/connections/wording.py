"""What pages of connections say: results of tests in words, and what a connection can be kept to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.connections.models import Connection
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l

HOURS = (("24", _l("1 day")), ("1", _l("1 hour")), ("168", _l("7 days")), ("0", _l("Not at all")))

# Code of a test → what it means, and what to do.
TESTS: dict[str, Any] = {
    "ok": _l("It works."),
    "no_test": _l("Nothing was tried: give an address to test with."),
    "refused": _l("The other system was reached, but refused the secret."),
    "status": _l("The other system was reached, but answered with an error. Look at the address to test with."),
    "token": _l("No access token was given. Look at the client id, the secret and the address of tokens."),
    "lost": _l("The secret cannot be read any more. Enter it again."),
    "bound": _l("The address to test with is not on one of the servers of the connection."),
    "dns": _l("The name of the server was not found."),
    "blocked": _l("Calls to this server are not allowed."),
    "connect": _l("The server could not be reached."),
    "tls": _l("The server's certificate is not valid for its name, or it does not speak TLS."),
    "timeout": _l("The server did not answer in time."),
    "protocol": _l("The server's answer could not be understood."),
    "too_large": _l("The server's answer is too large."),
    "cut_off": _l("The connection broke."),
    "query": _l("The database was reached, but did not answer the question."),
    "statement": _l("The database was reached, but did not answer the question."),
    "chat_access": _l("The other system was reached, but refused the secret."),
    "chat_refused": _l("The other system did not take the message."),
    "chat_channel": _l("There is no such channel, or the bot is not in it."),
}
UNKNOWN = _l("It did not work.")


@dataclass(frozen=True, slots=True)
class Said:
    """A result in words; `tone` as for tags."""

    text: Any
    tone: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a connection can be kept to, as (value, label), and what it is kept to, in words."""

    workflows: list[tuple[str, str]]
    kinds: list[tuple[str, Any]]
    kept_to: list[Any]


_offers: list[tuple[Callable[[UUID], list[tuple[str, str]]], Callable[[], list[tuple[str, Any]]]]] = []


def offer_scopes(workflows: Callable[[UUID], list[tuple[str, str]]], kinds: Callable[[], list[tuple[str, Any]]]) -> None:
    """Let the package above say which workflows and step kinds there are."""
    _offers[:] = [(workflows, kinds)]


def say_test(code: str | None) -> Said:
    """Return the result of a test in words."""
    if code is None:
        return Said(_("Not tested yet"), "neutral")
    tone = "success" if code == "ok" else "warning" if code == "no_test" else "danger"
    return Said(str(TESTS.get(code, UNKNOWN)), tone)


def scopes_of(tenant_id: UUID, row: Connection | None) -> Scope:
    """Return what a connection can be kept to."""
    workflows = [each for offer, _kinds in _offers for each in offer(tenant_id)]
    kinds = [each for _workflows, offer in _offers for each in offer()]
    known = dict(workflows) | dict(kinds)
    kept_to = [known.get(item, item) for item in row.scope_items] if row is not None and row.scope != "tenant" else []
    return Scope(workflows, kinds, kept_to)
