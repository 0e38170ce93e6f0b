"""The themes of an organisation: the list, the editor with its preview, and the public stylesheets and pictures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import db
from portal.core.access import Permission, access, names_of, public, requires
from portal.core.config import current_settings
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.headers import framed, inert
from portal.core.ids import new_id
from portal.core.render import changed, render, see_other, toast
from portal.i18n.locale import LOCALES, current
from portal.i18n.names import tidy
from portal.i18n.reader import of, reading
from portal.i18n.words import gettext as _
from portal.tenants import sheet
from portal.tenants import theme as rules
from portal.tenants.theme import Columns
from portal.tenants.themes import form as fields
from portal.tenants.themes import queries, service, words
from portal.tenants.themes.errors import NotReadable, PictureRefused, ThemeChanged
from portal.tenants.themes.pictures import BOXES
from portal.tenants.themes.service import Seen

bp = Blueprint("themes", __name__)
LONGEST_NAME = 60
FOREVER = "public, max-age=31536000, immutable"


@bp.get("/settings/themes")
@requires(Permission.THEME_EDIT)
def listing() -> Response:
    return _list({}, {})


def _list(form: dict[str, str], problems: dict[str, str], status: int = 200) -> Response:
    themes = queries.list_themes(access().tenant_id)
    return render(
        "themes/list.html", status=status, themes=themes, swatches=_swatches, columns_of=service.columns_of, form=form, problems=problems
    )


def _swatches(columns: Columns) -> list[str]:
    """Return a few colours of a theme."""
    colours = rules.palette(columns, "light")
    return [colours[key] for key in ("primary", "primary_soft", "canvas", "surface", "text")]


@bp.post("/settings/themes")
@requires(Permission.THEME_EDIT)
def create() -> Response:
    here = access()
    names, problems = _names()
    if problems:
        return _list(names, problems, status=422)
    theme_id = service.add_theme(here.tenant_id, name=names["name"], name_ar=names["name_ar"] or None, by=here.actor)
    return see_other(url_for("themes.edit", theme_id=theme_id))


def _names() -> tuple[dict[str, str], dict[str, str]]:
    """Return both names as they were written, and what is wrong with them."""
    names = {key: tidy(request.form.get(key, "")) for key in ("name", "name_ar")}
    _kept, wrong = rules.check({"branding": {"name": {"en": names["name"], "ar": names["name_ar"]}}})
    problems = {"name" if path.endswith("en") else "name_ar": sentence for path, sentence in wrong.items()}
    return names, problems if names["name"] else {"name": _("Enter a name."), **problems}


@bp.get("/settings/themes/<uuid:theme_id>")
@requires(Permission.THEME_EDIT)
def edit(theme_id: UUID) -> Response:
    return _editor(theme_id)


@bp.post("/settings/themes/<uuid:theme_id>")
@requires(Permission.THEME_EDIT)
def save(theme_id: UUID) -> Response:
    here = access()
    mine = fields.read(request.form, _columns(theme_id))
    try:
        service.save_theme(here.tenant_id, theme_id, mine, seen=_seen(), by=here.actor)
    except ThemeChanged:
        return _editor(theme_id, given=request.form.to_dict(), clash=fields.differences(mine, _columns(theme_id)), status=409)
    except Invalid as refused:
        problems = {fields.field(path): sentence for path, sentence in refused.problems.items()}
        if any(path.startswith("colors-viz") for path in problems):
            problems = {("colors-viz-0" if name == "colors-viz" else name): sentence for name, sentence in problems.items()}
        return _editor(theme_id, given=request.form.to_dict(), problems=problems, status=422)
    return changed(url_for("themes.edit", theme_id=theme_id), lambda: _editor(theme_id))


def _seen() -> Seen:
    """Return which draft the form was begun on, in which open editor."""
    return Seen(request.form.get("revision", ""), request.form.get("editor", "")[:32])


def _editor(
    theme_id: UUID, *, given: dict[str, str] | None = None, names: dict[str, str] | None = None, problems: dict[str, str] | None = None,
    clash: list[tuple[str, str, str]] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    here = access()
    theme = queries.get_theme(here.tenant_id, theme_id)
    columns = service.columns_of(theme)
    # A form that was refused was still begun on what it was begun on; only who has seen what somebody else saved may replace it.
    revision = given.get("revision", "") if given and clash is None else rules.revision(columns)
    published = queries.version_of(here.tenant_id, theme_id, theme.version)
    return render(
        "themes/edit.html",
        fragment="editor",
        status=status,
        theme=theme,
        names=names or {"name": theme.name, "name_ar": theme.name_ar or ""},
        values=given or fields.written(columns),
        problems=problems or {},
        derived={mode: rules.palette(columns, mode) for mode in rules.MODES},
        charts=rules.VIZ["light"],
        pairs=rules.pairs(columns),
        revision=revision,
        editor=_seen().editor or new_id().hex,
        clash=clash,
        labels=words.LABELS,
        choices=words.choices(),
        sign_in_link=current_settings().public_url + url_for("identity.sign_in", org=queries.slug_of(here.tenant_id)),
        is_published=published is not None and published.columns == columns,
        draft=sheet.fingerprint(sheet.stylesheet(columns) + str(theme.branding)),
        branding=columns["branding"],
        opened={
            mode: any(name.startswith(f"colors-{mode}-") and name != "colors-light-primary" for name in problems or {})
            for mode in rules.MODES
        },
    )


@bp.post("/settings/themes/<uuid:theme_id>/name")
@requires(Permission.THEME_EDIT)
def rename(theme_id: UUID) -> Response:
    here = access()
    names, problems = _names()
    if problems:
        return _editor(theme_id, names=names, problems=problems, status=422)
    service.rename_theme(here.tenant_id, theme_id, name=names["name"], name_ar=names["name_ar"] or None, by=here.actor)
    return _back(theme_id)


@bp.post("/settings/themes/<uuid:theme_id>/repair")
@requires(Permission.THEME_EDIT)
def repair(theme_id: UUID) -> Response:
    here = access()
    mode, front = request.form.get("mode", ""), request.form.get("front", "")
    if mode not in ("", *rules.MODES) or front not in ("", *rules.COLOURS):
        raise NotFound
    service.repair_theme(here.tenant_id, theme_id, mode=mode, front=front, by=here.actor)
    return _back(theme_id)


@bp.post("/settings/themes/<uuid:theme_id>/reset")
@requires(Permission.THEME_EDIT)
def reset(theme_id: UUID) -> Response:
    here = access()
    service.reset_theme(here.tenant_id, theme_id, by=here.actor)
    return _back(theme_id)


@bp.post("/settings/themes/<uuid:theme_id>/publish")
@requires(Permission.THEME_EDIT)
def publish(theme_id: UUID) -> Response:
    here = access()
    try:
        number = service.publish_theme(here.tenant_id, theme_id, seen=_seen(), by=here.actor)
    except ThemeChanged:
        sentence = _("Somebody else saved this theme in the meantime. This is what they saved: look at it, then publish.")
        return _editor(theme_id, problems={"": sentence}, status=409)
    except NotReadable:
        sentence = _("Some colours cannot be read well enough. Repair them below, then publish.")
        return _editor(theme_id, problems={"": sentence}, status=422)
    toast(_("Version %(number)d is what everybody sees now.", number=number))
    return see_other(url_for("themes.edit", theme_id=theme_id))


@bp.post("/settings/themes/<uuid:theme_id>/undo")
@requires(Permission.THEME_EDIT)
def undo(theme_id: UUID) -> Response:
    here = access()
    try:
        number = service.undo_publish(here.tenant_id, theme_id, by=here.actor)
    except (Conflict, NotReadable) as refused:
        toast(refused.message or _("The version before cannot be read well enough."), "warning")
    else:
        toast(_("The version before is back, as version %(number)d.", number=number))
    return see_other(url_for("themes.edit", theme_id=theme_id))


@bp.get("/settings/themes/<uuid:theme_id>/versions")
@requires(Permission.THEME_EDIT)
def versions(theme_id: UUID) -> Response:
    here = access()
    theme = queries.get_theme(here.tenant_id, theme_id)
    listed = queries.versions_of(here.tenant_id, theme_id)
    shown = queries.get_version(here.tenant_id, theme_id, _number(request.args.get("show"))) if "show" in request.args else None
    return render(
        "themes/versions.html", theme=theme, versions=listed, shown=shown, swatches=_swatches,
        names=names_of(each.published_by for each in listed if each.published_by),
        has_draft=bool(listed) and rules.revision(listed[0].columns) != rules.revision(service.columns_of(theme)),
    )  # fmt: skip


@bp.post("/settings/themes/<uuid:theme_id>/bring-back")
@requires(Permission.THEME_EDIT)
def bring_back(theme_id: UUID) -> Response:
    here = access()
    try:
        number = service.bring_back(here.tenant_id, theme_id, _number(request.form.get("number")), by=here.actor)
    except NotReadable:
        toast(_("This version cannot be read well enough by today's rules."), "warning")
    else:
        toast(_("It is back as version %(number)d, which everybody sees now.", number=number))
    return see_other(url_for("themes.versions", theme_id=theme_id))


def _number(written: str | None) -> int:
    """Return the number of a version as an address or a form writes it."""
    if not written or not written.isascii() or not written.isdigit() or len(written) > 6:
        raise NotFound
    return int(written)


@bp.post("/settings/themes/<uuid:theme_id>/copy")
@requires(Permission.THEME_EDIT)
def copy(theme_id: UUID) -> Response:
    here = access()
    theme = queries.get_theme(here.tenant_id, theme_id)
    name_ar = f"{theme.name_ar} (نسخة)"[:LONGEST_NAME] if theme.name_ar else None
    made = service.add_theme(here.tenant_id, name=f"{theme.name} (copy)"[:LONGEST_NAME], name_ar=name_ar, copy_of=theme_id, by=here.actor)
    return see_other(url_for("themes.edit", theme_id=made))


@bp.post("/settings/themes/<uuid:theme_id>/delete")
@requires(Permission.THEME_EDIT)
def delete(theme_id: UUID) -> Response:
    here = access()
    try:
        service.delete_theme(here.tenant_id, theme_id, by=here.actor)
    except Conflict as refused:
        toast(refused.message, "warning")
        return see_other(url_for("themes.edit", theme_id=theme_id))
    toast(_("The theme is deleted."))
    return see_other(url_for("themes.listing"))


@bp.post("/settings/themes/standard")
@requires(Permission.THEME_EDIT)
def use_standard() -> Response:
    here = access()
    service.use_standard(here.tenant_id, by=here.actor)
    toast(_("Everybody sees the look of Nasij again."))
    return see_other(url_for("themes.listing"))


@bp.post("/settings/themes/<uuid:theme_id>/picture/<slot>")
@requires(Permission.THEME_EDIT)
def upload(theme_id: UUID, slot: str) -> Response:
    here = access()
    queries.get_theme(here.tenant_id, theme_id)
    if slot not in BOXES:
        raise NotFound
    if request.form.get("remove"):
        service.remove_picture(here.tenant_id, theme_id, slot, by=here.actor)
        return _back(theme_id)
    sent = request.files.get("picture")
    try:
        lost = service.set_picture(here.tenant_id, theme_id, slot, sent.read() if sent else b"", by=here.actor)
    except PictureRefused as refused:
        return _editor(theme_id, problems={f"picture-{slot}": refused.message}, status=422)
    if lost:
        toast(_("The picture is there. Parts that may not be in a drawing, such as scripts or fonts, were left out."), "warning")
    return _back(theme_id)


def _back(theme_id: UUID) -> Response:
    return changed(url_for("themes.edit", theme_id=theme_id), lambda: _editor(theme_id))


@bp.get("/settings/themes/<uuid:theme_id>/preview")
@requires(Permission.THEME_EDIT)
@framed
def preview(theme_id: UUID) -> Response:
    here = access()
    theme = queries.get_theme(here.tenant_id, theme_id)
    version = queries.get_version(here.tenant_id, theme_id, _number(request.args["version"])) if "version" in request.args else None
    columns = version.columns if version else service.columns_of(theme)
    family = columns.get("typography", {}).get("family", "")
    tag = request.args.get("language", "")
    look = request.args.get("look", "")
    reader = of(tag if tag in LOCALES else current().tag, current().preferences)
    with reading(reader):
        return render(
            "themes/preview.html", theme=theme, version=version, reader=reader, look=look if look in rules.MODES else "light",
            branding=columns.get("branding", {}), font_css=font_css(family),
        )  # fmt: skip


@bp.get("/settings/themes/<uuid:theme_id>/draft.css")
@requires(Permission.THEME_EDIT)
def draft(theme_id: UUID) -> Response:
    return _css(sheet.stylesheet(_columns(theme_id)), "private, no-store")


def _columns(theme_id: UUID) -> Columns:
    return service.columns_of(queries.get_theme(access().tenant_id, theme_id))


@bp.get("/theme/<uuid:tenant_id>/<sha>.css")
@public("colours and sizes are no secret, and the sign-in page of an organisation may need them")
def stylesheet(tenant_id: UUID, sha: str) -> Response:
    with db.unit_of_work(tenant_id):  # of its own: whoever asks may be signed in to another tenant
        css = queries.css_of(tenant_id, sha)
    if not css:
        raise NotFound
    return _css(css, FOREVER)


def _css(text: str, caching: str) -> Response:
    answer = Response(text, mimetype="text/css")
    answer.headers["Cache-Control"] = caching
    return answer


@bp.get("/theme/<uuid:tenant_id>/picture/<name>")
@public("logos are shown to people who are not signed in, as in mail")
@inert
def picture(tenant_id: UUID, name: str) -> Response:
    with db.unit_of_work(tenant_id):
        asset = queries.asset_of(tenant_id, name)
        if asset is None:
            raise NotFound
        answer = Response(asset.content, mimetype=asset.media_type)
    answer.headers["Cache-Control"] = FOREVER
    return answer


def links(look: Any, tenant_id: UUID) -> dict[str, str]:
    """Return the addresses of what a look names: its stylesheet (`css`), its logos and its favicon; and the built part with its font."""
    found = {"font_css": font_css(look.get("font", ""))}
    if look.get("css"):
        found["css"] = url_for("themes.stylesheet", tenant_id=tenant_id, sha=look["css"])
    for slot, name in {**look.get("logo", {}), "favicon": look.get("favicon")}.items():
        if name:
            found[slot] = url_for("themes.picture", tenant_id=tenant_id, name=name)
    return found


def font_css(family: str) -> str:
    """Return the built part that brings a font which only themes have; empty for the product's and the device's own."""
    return f"font-{family}.css" if family not in ("", "plex", "system") else ""


def first_font(family: str, tag: str) -> str:
    """Return the one font file that a page of a language should ask for before anything else; empty where it needs none."""
    script = "arabic" if tag == "ar" else "latin"
    return {"": f"fonts/nasij-sans-{script}-400.woff2", "system": ""}.get(
        "" if family == "plex" else family, f"fonts/{family}-{script}.woff2"
    )
