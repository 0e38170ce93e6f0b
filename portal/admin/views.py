"""Screens of staff: the gallery of components."""

from __future__ import annotations

from flask import Blueprint, Response, url_for

from portal.admin import gallery as components
from portal.admin.samples import samples
from portal.core.access import staff_only
from portal.core.errors import NotFound
from portal.core.render import render, see_other

bp = Blueprint("admin", __name__)


@bp.get("/staff/gallery")
@staff_only
def gallery() -> Response:
    return see_other(url_for("admin.gallery_group", group=next(iter(components.GROUPS))))


@bp.get("/staff/gallery/<group>")
@staff_only
def gallery_group(group: str) -> Response:
    if group not in components.GROUPS:
        raise NotFound
    tabs = [(label, url_for("admin.gallery_group", group=each), each == group) for each, label in components.GROUPS.items()]
    return render(
        f"admin/gallery/{group}.html", group=group, groups=components.GROUPS, about=components.descriptions(), tabs=tabs, **samples()
    )
