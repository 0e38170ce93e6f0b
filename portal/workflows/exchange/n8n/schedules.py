"""Schedules of n8n → cron expressions and intervals of ours. Pure."""

from __future__ import annotations

from typing import Any

from portal.workflows.exchange.n8n.graph import Node, listed

Plan = tuple[str, dict[str, Any]]


def read(node: Node) -> tuple[list[Plan], list[str]]:
    """Return the schedules of a node, as (kind, settings), and what of it cannot be said."""
    if node.type == "interval":
        return _interval(str(node.parameters.get("unit") or "seconds"), node.parameters.get("interval", 1))
    if node.type == "cron":
        return _gathered(_old(row) for row in listed(node.parameters, "triggerTimes", "item"))
    rows = listed(node.parameters, "rule", "interval")
    return _gathered(_one(row) for row in rows or [{}])


def _gathered(each: Any) -> tuple[list[Plan], list[str]]:
    plans: list[Plan] = []
    doubts: list[str] = []
    for found, doubt in each:
        plans += found
        doubts += doubt
    return plans, doubts


def _one(row: dict[str, Any]) -> tuple[list[Plan], list[str]]:
    what = row.get("field", "days")
    hour, minute = _number(row, "triggerAtHour", 0, 23), _number(row, "triggerAtMinute", 0, 59)
    if what == "cronExpression":
        return _cron_text(str(row.get("expression") or ""))
    if what in ("seconds", "minutes"):
        return _interval(what, row.get(f"{what}Interval", 30 if what == "seconds" else 5))
    if what == "hours":
        every = _number(row, "hoursInterval", 1, 10_000)
        if every and every > 1 and 24 % every:
            return [("schedule-interval", {"every": every, "unit": "hours"})], []
        return [_cron(f"{minute} {'*' if every in (0, 1) else f'*/{every}'} * * *")], []
    every = _number(row, f"{what}Interval", 1, 1_000)
    doubts = [f"{every} {what}"] if every > 1 and what in ("weeks", "months") else []
    if what == "days":
        if every > 1:
            return [("schedule-interval", {"every": every, "unit": "days"})], []
        return [_cron(f"{minute} {hour} * * *")], []
    if what == "weeks":
        days = row.get("triggerAtDay", [0])
        days = [day for day in (days if isinstance(days, list) else [days]) if isinstance(day, int) and 0 <= day <= 6]
        return [_cron(f"{minute} {hour} * * {','.join(str(day) for day in days) or '0'}")], doubts
    if what == "months":
        day = _number(row, "triggerAtDayOfMonth", 1, 31)
        return [_cron(f"{minute} {hour} {day} {f'*/{every}' if 12 % every == 0 and every > 1 else '*'} *")], doubts
    return [], [str(what)]


def _old(row: dict[str, Any]) -> tuple[list[Plan], list[str]]:
    """Read an entry of the node that came before: everyMinute, everyHour, everyDay, everyWeek, everyMonth, everyX, custom."""
    mode = row.get("mode", "everyDay")
    hour, minute = _number(row, "hour", 0, 23, 14), _number(row, "minute", 0, 59)
    if mode == "custom":
        return _cron_text(str(row.get("cronExpression") or ""))
    if mode == "everyX":
        return _interval(str(row.get("unit") or "hours"), row.get("value", 2))
    texts = {
        "everyMinute": "* * * * *",
        "everyHour": f"{minute} * * * *",
        "everyDay": f"{minute} {hour} * * *",
        "everyWeek": f"{minute} {hour} * * {row.get('weekday', 1)}",
        "everyMonth": f"{minute} {hour} {_number(row, 'dayOfMonth', 1, 31)} * *",
    }
    return ([_cron(texts[mode])], []) if mode in texts else ([], [str(mode)])


def _cron_text(text: str) -> tuple[list[Plan], list[str]]:
    """Read a cron expression; the seconds that n8n allows in front are dropped, and said."""
    parts = text.removeprefix("=").split()
    if len(parts) == 6:
        doubts = [] if parts[0] in ("0", "00") else [text]
        return [_cron(" ".join(parts[1:]))], doubts
    return ([_cron(text)], []) if len(parts) == 5 else ([], [text])


def _cron(text: str) -> Plan:
    return "schedule-cron", {"cron": text}


def _interval(unit: str, every: Any) -> tuple[list[Plan], list[str]]:
    number = every if isinstance(every, int) and not isinstance(every, bool) and 0 < every <= 10_000 else 0
    if unit == "seconds":
        minutes = max(1, round(number / 60))
        return [("schedule-interval", {"every": minutes, "unit": "minutes"})], [] if number and number % 60 == 0 else [f"{every} s"]
    if not number or unit not in ("minutes", "hours", "days"):
        return [], [f"{every} {unit}"]
    return [("schedule-interval", {"every": number, "unit": unit})], []


def _number(row: dict[str, Any], name: str, low: int, high: int, usual: int | None = None) -> int:
    value = row.get(name)
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 6:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return low if usual is None else usual
    return min(max(value, low), high)
