"""How large the flow is drawn: in steps, kept by this browser."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, current_app, request

from portal.workflows.designer.edits import Card
from portal.workflows.designer.layout import lay_out

STEPS = (60, 80, 100, 120, 140)
SHOWN = 480  # what a screen shows of a flow's height on the map under the bars, without scrolling
COOKIE = "zoom"
YEAR_S = 31_536_000


@dataclass(frozen=True, slots=True)
class Zoom:
    """What is shown, and what one step leads to; None at either end."""

    now: int
    smaller: int | None
    larger: int | None


def of(cards: list[Card]) -> Zoom:
    """Return what the address asks for, else what this browser kept; `fit` is the largest that shows the whole flow, as far as there is one."""
    wanted = request.args.get("zoom") or request.cookies.get(COOKIE, "")
    if wanted == "fit":
        high = lay_out(cards).high
        now = next((step for step in (100, 80) if high * step <= SHOWN * 100), STEPS[0])
    else:
        now = int(wanted) if wanted.isascii() and wanted.isdecimal() and int(wanted[:4]) in STEPS else 100
    at = STEPS.index(now)
    return Zoom(now, STEPS[at - 1] if at else None, STEPS[at + 1] if at + 1 < len(STEPS) else None)


def keep(answer: Response, zoom: Zoom) -> Response:
    """Let this browser keep what was asked for in the address."""
    if "zoom" in request.args:
        is_secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        answer.set_cookie(COOKIE, str(zoom.now), max_age=YEAR_S, samesite="Lax", httponly=True, secure=is_secure)
    return answer
