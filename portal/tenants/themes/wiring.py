"""Themes at the start: routes, what pages know of the look, and how large an upload may be."""

from __future__ import annotations

from typing import Any

from flask import Flask, request

from portal.core import palette
from portal.core.access import current
from portal.tenants.themes import entries
from portal.tenants.themes.pictures import LARGEST_BYTES
from portal.tenants.themes.views import bp, links


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.before_request(allow_pictures)
    app.context_processor(tell_pages)
    palette.provide(entries.find, place=6)


def allow_pictures() -> None:
    """Let the one route that takes pictures read more than others; before anything reads the form."""
    if request.endpoint == "themes.upload":
        request.max_content_length = LARGEST_BYTES + 200_000


def tell_pages() -> dict[str, Any]:
    here = current()
    return {"look": links(here.look, here.tenant_id) if here and here.look else {}}
