"""Search from anywhere, as the palette's list or as a page, and the page of keys."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from portal.core import clock, palette
from portal.core.access import signed_in
from portal.core.ids import as_uuid
from portal.core.palette import Entry
from portal.core.render import is_fragment_request, render
from portal.i18n import dates
from portal.i18n.locale import current
from portal.i18n.months import month_of
from portal.i18n.search import fold
from portal.shell import ranking

bp = Blueprint("shell", __name__)
LONGEST = 100
RECENT = 5


@bp.get("/search")
@signed_in
def search() -> Response:
    asked = request.args.get("q", "").strip()[:LONGEST]
    text = fold(asked)
    if is_fragment_request():
        groups = ranking.ranked(palette.found(text), text, each=6 if text else 20)
        return render("shell/options.html", asked=asked, recent=[] if text else _recent(), groups=groups)
    # Without JavaScript the look cannot be switched: what only presses a control of the page is left out.
    groups = ranking.ranked((each for each in palette.found(text) if each.url), text, each=20) if text else []
    return render("shell/search.html", asked=asked, groups=groups)


def _recent() -> list[Entry]:
    """Return what the browser remembers of this person's last pages, as far as they may still see it."""
    shown = []
    for address in request.args.get("recent", "").split(",")[: 2 * RECENT]:
        place, _slash, thing = address.strip("/").partition("/")
        thing_id = as_uuid(thing)
        entry = palette.recalled(place, thing_id) if thing_id else None
        if entry is not None:
            shown.append(entry)
    return shown[:RECENT]


@bp.get("/calendar")
@signed_in
def calendar() -> Response:
    """A month to choose a day from; whatever the address does not name is read from today."""
    reader, asked = current(), request.args
    chosen, focus = (dates.read(asked.get(name, "")) for name in ("chosen", "focus"))
    today = clock.now().astimezone(ZoneInfo(reader.preferences.timezone)).date()
    month = month_of(asked.get("month", ""), chosen=chosen, focus=focus, today=today, reader=reader)
    return render("shell/calendar.html", fragment="month", month=month)


@bp.get("/shortcuts")
@signed_in
def shortcuts() -> Response:
    return render("shell/shortcuts.html")


@bp.get("/settings")
@signed_in
def settings() -> Response:
    return render("shell/settings.html")
