"""One line about what a step does, for its card. Pure."""

from __future__ import annotations

import re
from typing import Any

from portal.i18n.locale import bilingual
from portal.i18n.words import ngettext
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import Node

VALUE = re.compile(r"\$\{\s*(.*?)\s*\}")


def summary_of(node: Node) -> list[tuple[str, str]]:
    """Return one line about what a step does, as pieces ("text" | "code", words)."""
    summarise = _SUMMARIES.get(node["kind"])
    return summarise(node.get("config") or {}, node) if summarise and node.get("config") else []


def _pieces(text: Any) -> list[tuple[str, str]]:
    parts = VALUE.split(str(text or ""))
    return [("code" if number % 2 else "text", part) for number, part in enumerate(parts) if part.strip()]


def _choice(node: Node, name: str, config: dict[str, Any]) -> str:
    wanted = next(each for each in ACTIONS[node["kind"]].fields if each.name == name)
    return str(dict(wanted.choices).get(config.get(name, wanted.default), ""))


def _about_webhook(config: dict[str, Any], _node: Node) -> list[tuple[str, str]]:
    return [("code", str(config.get("method", "POST"))), *(("code", text) for _kind, text in _pieces(config.get("url")))]


def _about_database(config: dict[str, Any], node: Node) -> list[tuple[str, str]]:
    table = config.get("table")
    return [("text", _choice(node, "operation", config)), *([("code", str(table))] if table else [])]


def _about_list(config: dict[str, Any], _node: Node) -> list[tuple[str, str]]:
    what = config.get("where") or config.get("by") or config.get("path") or config.get("value") or config.get("list")
    return [("code", str(what))] if what else []


def _about_wait(config: dict[str, Any], node: Node) -> list[tuple[str, str]]:
    if config.get("mode") == "working":
        return [*_pieces(config.get("amount")), ("text", _choice(node, "working_unit", config))]
    if config.get("mode") == "until":
        return _pieces(config.get("until"))
    amount, unit = config.get("amount", ""), config.get("unit", "minutes")
    if not isinstance(amount, int):
        return [*_pieces(amount), ("text", _choice(node, "unit", config))]
    words = {
        "seconds": ngettext("%(num)d second", "%(num)d seconds", amount),
        "minutes": ngettext("%(num)d minute", "%(num)d minutes", amount),
        "hours": ngettext("%(num)d hour", "%(num)d hours", amount),
        "days": ngettext("%(num)d day", "%(num)d days", amount),
    }
    return [("text", words.get(unit, str(amount)))]


_SUMMARIES: dict[str, Any] = {
    "email": lambda config, _node: _pieces(config.get("to")),
    "webhook": _about_webhook,
    "sql": lambda config, _node: [("code", " ".join(str(config.get("statement") or "").split())[:80])] if config.get("statement") else [],
    "slack": lambda config, _node: _pieces(bilingual(config, "title") or bilingual(config, "text")),
    "teams": lambda config, _node: _pieces(bilingual(config, "title") or bilingual(config, "text")),
    "document": lambda config, node: [("text", _choice(node, "format", config)), *_pieces(config.get("title") or config.get("name"))],
    **dict.fromkeys(("transform", "filter", "sort", "limit", "aggregate", "dedupe"), _about_list),
    "database": _about_database,
    "notification": lambda config, node: [("text", _choice(node, "to", config))],
    "condition": lambda config, _node: [("code", str(config.get("when") or ""))] if config.get("when") else [],
    "switch": lambda config, _node: [("text", str(pair.get("name"))) for pair in config.get("cases") or () if pair.get("name")],
    "parallel": lambda config, node: [("text", _choice(node, "join", config))],
    "foreach": lambda config, _node: [("code", str(config.get("list") if config.get("source", "list") == "list" else config.get("times")))],
    "repeat": lambda config, _node: [("code", str(config.get("until") or ""))] if config.get("until") else [],
    "goto": lambda config, _node: [("code", str(config.get("to") or ""))] if config.get("to") else [],
    "stop": lambda config, node: [("text", _choice(node, "outcome", config))],
    "wait": _about_wait,
    "approval": lambda config, _node: _pieces(bilingual(config, "title")),
    "task": lambda config, _node: _pieces(bilingual(config, "title")),
    "signal": lambda config, _node: [("code", str(config.get("signal") or ""))] if config.get("signal") else [],
    "send_signal": lambda config, _node: [("code", str(config.get("signal") or ""))] if config.get("signal") else [],
    "set": lambda config, _node: [("code", str(pair.get("name"))) for pair in config.get("values") or () if pair.get("name")],
}
