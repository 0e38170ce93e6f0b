"""Statements with named parameters, `:name`: what each driver wants, with every value apart from the text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# What may hold a colon that is no parameter: quoted text, quoted names, comments, dollar quotes, casts.
PIECE = re.compile(
    r"""
    (?P<skip>
        '(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*`
      | --[^\n]* | /\*.*?\*/
      | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)
      | ::
    )
    | :(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
MAX_STATEMENT = 20_000
# With these a MySQL text ends where a reader would not see it; PostgreSQL has them in E'' only.
BACKSLASH_QUOTE = re.compile(r"\\['\"]")


class StatementRefused(ValueError):
    """The statement cannot be sent; `.args[0]` is a code: too_long, missing or backslash, `.args[1]` what it is about."""


def names_in(statement: str) -> list[str]:
    """Return the parameters of a statement in the order in which they stand."""
    return [found["name"] for found in PIECE.finditer(statement) if found["name"]]


def for_driver(statement: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the statement with `%(name)s` for each `:name`, and the values that it uses; no value is ever put into the text.

    Raises:
        StatementRefused: it is too long, a value is missing, or its quotes cannot be told apart for sure.
    """
    if len(statement) > MAX_STATEMENT:
        raise StatementRefused("too_long", "")
    if BACKSLASH_QUOTE.search(statement):
        raise StatementRefused("backslash", "\\'")
    missing = [name for name in names_in(statement) if name not in values]
    if missing:
        raise StatementRefused("missing", missing[0])
    return "".join(_pieces(statement)), {name: values[name] for name in names_in(statement)}


def _pieces(statement: str) -> Iterator[str]:
    place = 0
    for found in PIECE.finditer(statement):
        yield statement[place : found.start()].replace("%", "%%")
        yield f"%({found['name']})s" if found["name"] else found[0].replace("%", "%%")
        place = found.end()
    yield statement[place:].replace("%", "%%")
