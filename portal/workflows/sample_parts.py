"""What the samples are put together from."""

from __future__ import annotations

from typing import Any

from portal.i18n.locale import chosen_tag


def text(english: str, arabic: str) -> str:
    """Return the text in the language of the person who begins with the sample: it is theirs to change from then on."""
    return arabic if chosen_tag() == "ar" else english


def step(
    key: str, kind: str, name: str, name_ar: str, config: dict[str, Any], *, parent: str | None = None, lane: str | None = None
) -> dict[str, Any]:
    """Return a step as the designer would leave it."""
    return {
        "key": key,
        "kind": kind,
        "name": name,
        "name_ar": name_ar,
        "parent": parent,
        "lane": lane,
        "config": config,
        "retry": {"attempts": 3},
        "timeout_s": 30,
    }


def asked(key: str, kind: str, label: str, label_ar: str, *, required: bool = True) -> dict[str, Any]:
    """Return an input of a workflow."""
    return {"key": key, "type": kind, "label": label, "label_ar": label_ar, "required": required, "choices": []}


def column(key: str, kind: str, label: str, label_ar: str) -> dict[str, Any]:
    """Return a column of a data table."""
    return {"key": key, "type": kind, "label": label, "label_ar": label_ar, "required": False}


def pairs(**values: str) -> list[dict[str, str]]:
    """Return names and values as a field of pairs keeps them."""
    return [{"name": name, "value": value} for name, value in values.items()]
