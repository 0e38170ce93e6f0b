"""What a token or client may be called and allowed: permissions of who makes it, by the words that people read. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.core.access import Permission
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l

LONGEST_NAME = 60

# Whatever the interface asks for has its words here; a test holds it to that.
WORDS: dict[str, Any] = {
    Permission.WORKFLOW_READ: _l("Read workflows"),
    Permission.WORKFLOW_EDIT: _l("Import and export workflows, and try drafts without any effect"),
    Permission.WORKFLOW_PUBLISH: _l("Publish drafts of workflows"),
    Permission.RUN_READ: _l("Read runs, with what went in and came out"),
    Permission.RUN_START: _l("Start runs"),
    Permission.SIGNAL_SEND: _l("Send signals to waiting runs"),
}
# A program makes no further ways in.
NEVER = frozenset({str(Permission.TOKEN_CREATE), str(Permission.TOKEN_MANAGE)})


def grantable(permissions: Iterable[str]) -> frozenset[str]:
    """Return the permissions that somebody with these may give to a program."""
    return frozenset(permissions) - NEVER


def offered(permissions: Iterable[str]) -> list[tuple[str, Any]]:
    """Return code and words of what a page offers to somebody with these permissions."""
    return [(str(code), words) for code, words in WORDS.items() if code in grantable(permissions)]


def said(codes: Iterable[str]) -> list[tuple[str, Any]]:
    """Return code and words of what a token or client may do, in the order of the form."""
    given = set(codes)
    return [(str(code), words) for code, words in WORDS.items() if code in given] + [(code, code) for code in sorted(given - set(WORDS))]


def problems_of(permissions: frozenset[str], *, name: str, wanted: list[str]) -> dict[str, Any]:
    """Return what is wrong with the name of a token or client, or with what it wants to be allowed, by field."""
    problems: dict[str, Any] = {}
    if not name:
        problems["name"] = _("Enter a name.")
    elif len(name) > LONGEST_NAME:
        problems["name"] = _("Use at most %(num)d characters.", num=LONGEST_NAME)
    if not wanted:
        problems["scopes"] = _("Choose at least one thing that it may do.")
    elif not set(wanted) <= grantable(permissions):
        problems["scopes"] = _("You cannot allow more than you may do yourself.")
    return problems
