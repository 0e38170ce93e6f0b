"""Small pieces of CEL, written so that nothing in a name or text can end them early. Pure."""

from __future__ import annotations

import json
import re

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "namespace", "null",
     "package", "return", "true", "var", "void", "while"}
)  # fmt: skip


def quoted(text: str) -> str:
    """Write a text as CEL writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def part(base: str, keys: tuple[str | int, ...]) -> str:
    """Write a path below a value; the CEL has the same strength as the value itself."""
    for key in keys:
        if isinstance(key, int):
            base += f"[{key}]"
        elif NAME.match(key) and key not in RESERVED:
            base += f".{key}"
        else:
            base += f"[{quoted(key)}]"
    return base


def literal(value: object) -> str:
    """Write a plain value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, int | float):
        return repr(float(value))
    return quoted(str(value))


def escaped(text: str) -> str:
    """Write a plain text so that none of it is taken for a value of ours."""
    return text.replace("${", "$${")
