"""The verbs of themes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor, Worn
from portal.core.errors import Conflict, Invalid
from portal.i18n.words import gettext as _
from portal.tenants import sheet
from portal.tenants import theme as rules
from portal.tenants.models import Theme, ThemeAsset, ThemeVersion
from portal.tenants.theme import COLUMNS, Columns
from portal.tenants.themes import pictures, queries
from portal.tenants.themes.errors import NotReadable, ThemeChanged

MOST_THEMES = 20
SLUG = re.compile(r"[\w-]{1,80}")


def columns_of(theme: Theme) -> Columns:
    """Return the six columns of a theme."""
    return {column: dict(getattr(theme, column)) for column in COLUMNS}


def add_theme(tenant_id: UUID, *, name: str, name_ar: str | None, copy_of: UUID | None = None, by: Actor) -> UUID:
    """Add a theme that looks like the product, or like another theme.

    Raises:
        NotFound: no such theme to copy.
        Conflict: the tenant has twenty already.
    """
    with db.transaction() as session:
        if len(queries.list_themes(tenant_id)) >= MOST_THEMES:
            raise Conflict(_("There are 20 themes already. Delete one first."))
        columns = columns_of(queries.get_theme(tenant_id, copy_of)) if copy_of else {}
        theme = Theme(tenant_id=tenant_id, name=name, name_ar=name_ar, **columns)
        session.add(theme)
        session.flush()
        audit.record(tenant_id, by, "theme.added", theme.id)
    return theme.id


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person saw of a draft: its `theme.revision`, and the editor that is open: its own earlier changes it has not all seen."""

    revision: str
    editor: str = ""


def save_theme(tenant_id: UUID, theme_id: UUID, columns: Any, *, seen: Seen | None = None, by: Actor) -> None:
    """Keep the columns of a theme; what is published stays as it is.

    Args:
        seen: the draft that was changed; None is for code that just made the theme.

    Raises:
        NotFound: no such theme.
        Invalid: `.problems` by dotted path, e.g. `colors.light.primary`.
        ThemeChanged: somebody saved something else since.
    """
    kept, problems = rules.check(columns)
    if problems:
        raise Invalid(problems)
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        now = columns_of(theme)
        if now == kept:
            return
        _expect(theme, seen)
        _write(theme, kept, editor=seen.editor if seen else "")
        audit.record(tenant_id, by, "theme.changed", theme_id)


def rename_theme(tenant_id: UUID, theme_id: UUID, *, name: str, name_ar: str | None, by: Actor) -> None:
    """Give a theme other names."""
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        theme.name, theme.name_ar = name, name_ar
        audit.record(tenant_id, by, "theme.renamed", theme_id)


def repair_theme(tenant_id: UUID, theme_id: UUID, *, mode: str = "", front: str = "", by: Actor) -> None:
    """Move the colours that cannot be read in lightness until they can: one of them, or all."""
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        _write(theme, rules.repaired(columns_of(theme), mode=mode, front=front))
        audit.record(tenant_id, by, "theme.repaired", theme_id, mode=mode, front=front)


def reset_theme(tenant_id: UUID, theme_id: UUID, *, by: Actor) -> None:
    """Make a theme look like the product again; its names and pictures stay."""
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        branding = dict(theme.branding)
        _write(theme, {**{column: {} for column in COLUMNS}, "branding": branding})
        audit.record(tenant_id, by, "theme.reset", theme_id)


def publish_theme(tenant_id: UUID, theme_id: UUID, *, seen: Seen | None = None, by: Actor) -> int:
    """Freeze the theme as its next version and let everybody in the tenant see it; return the version's number.

    Args:
        seen: the draft that the person means; None publishes what is there.

    Raises:
        NotFound: no such theme.
        ThemeChanged: the draft is not the one that the person saw.
        NotReadable: some colours cannot be told apart; `.pairs` says which.
    """
    with db.transaction() as session:
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        columns = columns_of(theme)
        _expect(theme, seen)
        if wrong := rules.failing(columns):
            raise NotReadable(wrong)
        css = sheet.stylesheet(columns)
        theme.version += 1
        session.add(
            ThemeVersion(
                tenant_id=tenant_id, theme_id=theme_id, number=theme.version, columns=columns, css=css, sha=sheet.fingerprint(css),
                published_by=by.id,
            )
        )  # fmt: skip
        _use(tenant_id, theme, columns)
        audit.record(tenant_id, by, "theme.published", theme_id, version=theme.version)
        bus.announce(events.ThemePublished(tenant_id, theme_id, theme.version))
        return theme.version


def undo_publish(tenant_id: UUID, theme_id: UUID, *, by: Actor) -> int:
    """Publish the version before the last one again, as the next version; return its number.

    Raises:
        Conflict: there is none before.
    """
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        if theme.version < 2:
            raise Conflict(_("There is no version before this one."))
        return bring_back(tenant_id, theme_id, theme.version - 1, by=by)


def bring_back(tenant_id: UUID, theme_id: UUID, number: int, *, by: Actor) -> int:
    """Make an earlier version the draft and publish it again, as the next version; return its number.

    Raises:
        NotFound: no such theme or version.
        NotReadable: its colours pass no longer what is asked of them today.
    """
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        columns, _problems = rules.check(queries.get_version(tenant_id, theme_id, number).columns)  # by today's rules
        _write(theme, columns)
        audit.record(tenant_id, by, "theme.brought_back", theme_id, version=number)
        return publish_theme(tenant_id, theme_id, by=by)


def use_standard(tenant_id: UUID, *, by: Actor) -> None:
    """Give the tenant the look of the product again; its themes stay."""
    with db.transaction() as session:
        if (used := queries.default_theme(tenant_id)) is not None:
            used.is_default = False
            session.flush()
        _wear(tenant_id, {})
        audit.record(tenant_id, by, "theme.standard_used")


def delete_theme(tenant_id: UUID, theme_id: UUID, *, by: Actor) -> None:
    """Put a theme away.

    Raises:
        Conflict: it is in use.
    """
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        if theme.is_default:
            raise Conflict(_("This theme is in use. Use another one first, or the look of Nasij."))
        theme.is_active = False
        audit.record(tenant_id, by, "theme.deleted", theme_id)


def set_picture(tenant_id: UUID, theme_id: UUID, slot: str, content: bytes, *, by: Actor) -> bool:
    """Keep an uploaded picture as the theme's logo for a mode, or its favicon; say whether parts of a drawing were left out.

    Raises:
        PictureRefused: it is no picture that can be shown.
    """
    picture = pictures.made_anew(content, slot)
    with db.transaction() as session:
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        if queries.asset_of(tenant_id, picture.name) is None:
            session.add(
                ThemeAsset(
                    tenant_id=tenant_id, name=picture.name, media_type=picture.media_type, content=picture.content,
                    width=picture.width, height=picture.height,
                )
            )  # fmt: skip
        _brand(theme, slot, picture.name)
        audit.record(tenant_id, by, "theme.picture_set", theme_id, slot=slot, bytes=len(picture.content))
    return picture.lost_parts


def remove_picture(tenant_id: UUID, theme_id: UUID, slot: str, *, by: Actor) -> None:
    """Take a picture out of a theme; published versions keep theirs."""
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        _brand(theme, slot, None)
        audit.record(tenant_id, by, "theme.picture_removed", theme_id, slot=slot)


def _brand(theme: Theme, slot: str, name: str | None) -> None:
    branding = dict(theme.branding)
    place = branding if slot == "favicon" else {**branding.get("logo", {})}
    if name is None:
        place.pop(slot, None)
    else:
        place[slot] = name
    if slot != "favicon":
        branding["logo"] = place
    theme.branding = {key: value for key, value in branding.items() if value != {}}


def _write(theme: Theme, columns: Columns, *, editor: str = "") -> None:
    theme.saved_in = editor
    for column in COLUMNS:
        setattr(theme, column, columns.get(column, {}))


def _expect(theme: Theme, seen: Seen | None) -> None:
    # Changes leave an editor faster than answers come back: those of the editor that saved last build on what it sent before.
    if seen is None or (seen.editor and seen.editor == theme.saved_in):
        return
    if seen.revision != rules.revision(columns_of(theme)):
        raise ThemeChanged(_("Somebody else saved this theme in the meantime."))


def _use(tenant_id: UUID, theme: Theme, columns: Columns) -> None:
    used = queries.default_theme(tenant_id)
    if used is not None and used.id != theme.id:
        used.is_default = False
        db.session().flush()
    theme.is_default = True
    _wear(tenant_id, look_of(columns))


def _wear(tenant_id: UUID, look: dict[str, Any]) -> None:
    """Give the tenant a look, and with it the defaults that the look brings; those of the look before go."""
    tenant = queries.get_tenant(tenant_id)
    kept = {name: value for name, value in tenant.preferences.items() if name not in tenant.look.get("defaults", {})}
    tenant.look, tenant.preferences = look, {**kept, **look.get("defaults", {})}


def worn_of(slug: str) -> Worn | None:
    """Return what the pages of the organisation with this short name wear; None for an unknown one and for the look of the product.

    Nothing tells the two apart: who asks learns only what an organisation chose to publish.
    """
    tenant = queries.tenant_of_slug(slug) if SLUG.fullmatch(slug) else None
    return Worn(tenant.id, tenant.look, tenant.slug) if tenant is not None and tenant.look else None


def look_of(columns: Columns) -> dict[str, Any]:
    """Return what every page must know of a theme: its stylesheet's hash, font, pictures, texts, language and defaults, and where to get help."""
    css, branding = sheet.stylesheet(columns), columns.get("branding", {})
    look = {
        "css": sheet.fingerprint(css) if css else "",
        "font": columns.get("typography", {}).get("family", ""),
        "locale": branding.get("default_locale", ""),
        "defaults": rules.defaults(columns),
        **{key: branding.get(key) for key in ("logo", "favicon", "name", "login_text", "support_url")},
    }
    return {key: value for key, value in look.items() if value}
