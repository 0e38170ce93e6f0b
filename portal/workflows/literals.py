"""Literals that look like secrets: a step's settings are seen by everybody who may see the workflow. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.registry import fields_of
from portal.workflows.definition import REFERRING, Node, Problem

# How keys of well-known systems begin, and what only secrets look like.
KNOWN = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|sk-[A-Za-z0-9_-]{20,}|sk_live_\w{10,}|rk_live_\w{10,}"
    r"|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|glpat-[\w-]{15,}|whsec_[\w+/=-]{20,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:Bearer|Basic)\s+[\w+/=.~-]{8,}|hooks\.slack(?:-gov)?\.com/services/",
)  # fmt: skip
NAMED = re.compile(r"pass(?:word|wd)?\Z|secret|token|api[-_ ]?key|authorization|credential|كلمة (?:السر|المرور)", re.IGNORECASE)
RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{24,}\Z")
VALUE = re.compile(r"\$\{.*?\}", re.DOTALL)
MIN_BITS_EACH = 3.8
MASKED = "••••••"
ADVICE = _l("This looks like a secret. Everybody who sees the workflow sees it: keep it in a connection instead.")


def warnings_of(nodes: list[Node]) -> list[Problem]:
    """Return a warning for each field of a step that holds what looks like a secret; publishing goes on all the same."""
    found = []
    for node in nodes:
        referring = {field.name for field in fields_of(node, REFERRING)}  # an id is often as mixed as a key
        for field, value in (node.get("config") or {}).items():
            if field not in referring and any(looks_secret(name, text) for name, text in _texts(field, value)):
                found.append(Problem(node.get("key"), field, ADVICE))
    return found


def looks_secret(name: str, text: str) -> bool:
    """Say whether a literal with this name looks like a secret."""
    plain = VALUE.sub("", text).strip()
    if KNOWN.search(plain):
        return True
    if NAMED.search(name) and len(plain) >= 8 and " " not in plain:
        return True
    return bool(RANDOM.match(plain)) and _bits_each(plain) >= MIN_BITS_EACH and bool(re.search(r"\d", plain))


def masked(value: Any, name: str = "") -> Any:
    """Return a value, as settings of a step or a result, with dots in the place of what looks like a secret; connections are only named in them anyway."""
    if isinstance(value, Mapping):
        own = str(value.get("name") or "") if set(value) == {"name", "value"} else ""
        return {key: masked(each, own if own and key == "value" else str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, name) for each in value]
    return MASKED if isinstance(value, str) and name not in ("connection", "name") and looks_secret(name, value) else value


def _bits_each(text: str) -> float:
    return sum(-count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _texts(field: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, list):
        for pair in value:
            if isinstance(pair, dict) and isinstance(pair.get("value"), str):
                yield str(pair.get("name") or ""), pair["value"]
