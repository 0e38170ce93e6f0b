"""Asking for files, and fetching them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import access, signed_in
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.render import render, see_other, toast
from portal.exports import queries, service, sources, writing
from portal.exports.errors import SwitchedOff, TooManyWaiting
from portal.i18n import locale
from portal.i18n.words import gettext as _

bp = Blueprint("exports", __name__)


@bp.get("/exports")
@signed_in
def listing() -> Response:
    here = access()
    exports = queries.list_exports(here.tenant_id, here.person_id)
    return render(
        "exports/list.html", fragment="files", exports=exports, titles={each.source: sources.get(each.source).title for each in exports}
    )


@bp.post("/exports")
@signed_in
def create() -> Response:
    """Ask for a list; each source has its own permission, and what the page shows is what the file holds."""
    here, source = access(), sources.get(request.form.get("source", ""))
    if not here.can(source.permission):
        raise Forbidden
    filters = source.read_filters(request.form)
    back = url_for(source.endpoint, **{name: value for name, value in filters.items() if value and not name.startswith("_")})
    try:
        service.request_export(
            here.tenant_id, here.person_id, source.key, filters,
            file_format=request.form.get("format", ""), locale=locale.current().tag, by=here.actor,
        )  # fmt: skip
    except TooManyWaiting:
        toast(_("Five of your files are still being made. Wait for one of them, then ask again."), "warning")
        return see_other(url_for("exports.listing"))
    except SwitchedOff:
        toast(_("Files cannot be made at the moment. Try again later."), "warning")
        return see_other(back)
    except Invalid:
        raise NotFound from None
    toast(_("The file is being made. The bell tells you when it is ready; it is under “Files”."), "info")
    return see_other(back)


@bp.get("/exports/<uuid:export_id>/file")
@signed_in
def file(export_id: UUID) -> Response:
    here = access()
    export = queries.get_export(here.tenant_id, here.person_id, export_id)
    # Who lost the permission since then does not get the file either.
    if export.content is None or not here.can(sources.get(export.source).permission):
        raise NotFound
    answer = Response(export.content, mimetype=writing.MEDIA_TYPES[export.file_format].partition(";")[0])
    answer.headers["Content-Type"] = writing.MEDIA_TYPES[export.file_format]
    answer.headers["Cache-Control"] = "private, no-store"
    name = f"{export.source.replace('.', '-')}-{export.created_at:%Y-%m-%d}.{export.file_format}"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer
