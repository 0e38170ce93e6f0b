"""Themes at the start: routes, what pages know of the look, and how large an upload may be."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g, has_request_context, request

from portal.core import places
from portal.core.access import Permission, worn
from portal.core.places import Place
from portal.i18n import locale
from portal.i18n.words import lazy_gettext as _l
from portal.tenants.themes import service
from portal.tenants.themes.pictures import LARGEST_BYTES
from portal.tenants.themes.views import bp, first_font, links


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.before_request(allow_pictures)
    app.before_request(find_house)
    app.context_processor(tell_pages)
    app.url_defaults(keep_house)
    places.offer(
        Place(
            "organisation", _l("Themes"), "themes.listing", "palette", 80, permission=Permission.THEME_EDIT,
            note=_l("Colours, type and logo of the portal."), prefix="themes.",
        )
    )  # fmt: skip


def allow_pictures() -> None:
    """Let the one route that takes pictures read more than others; before anything reads the form."""
    if request.endpoint == "themes.upload":
        request.max_content_length = LARGEST_BYTES + 200_000


def find_house() -> None:
    """Let pages for visitors wear the look of the organisation that the address names; a name that says nothing changes nothing."""
    if slug := request.args.get("org"):
        g.worn = service.worn_of(slug)


def keep_house(endpoint: str, values: dict[str, Any]) -> None:
    """Carry the name of the house from one page for visitors to the next, so that signing in stays in its look to the end."""
    if not has_request_context() or "worn" not in g:  # cheap, for each address that a page names: only visitors ask for a house
        return
    house = worn()
    is_for_visitors = hasattr(current_app.view_functions.get(endpoint), "public_because") and not endpoint.startswith("themes.")
    if house is not None and house.slug and is_for_visitors:
        values.setdefault("org", house.slug)


def tell_pages() -> dict[str, Any]:
    house = worn()
    look = house.look if house else {}
    return {
        "house": house,
        "look": links(look, house.tenant_id) if house else {},
        "first_font": first_font(look.get("font", ""), locale.current().tag),
    }
