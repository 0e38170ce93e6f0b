"""The verbs of themes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid
from portal.i18n.words import gettext as _
from portal.tenants import theme as rules
from portal.tenants.models import Theme, ThemeAsset, ThemeVersion
from portal.tenants.theme import COLUMNS, Columns
from portal.tenants.themes import pictures, queries
from portal.tenants.themes.errors import NotReadable

MOST_THEMES = 20


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


def save_theme(tenant_id: UUID, theme_id: UUID, columns: Any, *, by: Actor) -> None:
    """Keep the columns of a theme; what is published stays as it is.

    Raises:
        NotFound: no such theme.
        Invalid: `.problems` by dotted path, e.g. `colors.light.primary`.
    """
    kept, problems = rules.check(columns)
    if problems:
        raise Invalid(problems)
    with db.transaction():
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        if columns_of(theme) == kept:
            return
        _write(theme, kept)
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


def publish_theme(tenant_id: UUID, theme_id: UUID, *, by: Actor) -> int:
    """Freeze the theme as its next version and let everybody in the tenant see it; return the version's number.

    Raises:
        NotFound: no such theme.
        NotReadable: some colours cannot be told apart; `.pairs` says which.
    """
    with db.transaction() as session:
        theme = queries.get_theme(tenant_id, theme_id, lock=True)
        columns = columns_of(theme)
        if wrong := rules.failing(columns):
            raise NotReadable(wrong)
        css = rules.stylesheet(columns)
        theme.version += 1
        session.add(
            ThemeVersion(
                tenant_id=tenant_id, theme_id=theme_id, number=theme.version, columns=columns, css=css, sha=rules.fingerprint(css),
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
        before = queries.version_of(tenant_id, theme_id, theme.version - 1)
        if before is None:
            raise Conflict(_("There is no version before this one."))
        _write(theme, before.columns)
        audit.record(tenant_id, by, "theme.undone", theme_id, version=before.number)
        return publish_theme(tenant_id, theme_id, by=by)


def use_standard(tenant_id: UUID, *, by: Actor) -> None:
    """Give the tenant the look of the product again; its themes stay."""
    with db.transaction() as session:
        if (used := queries.default_theme(tenant_id)) is not None:
            used.is_default = False
            session.flush()
        queries.get_tenant(tenant_id).look = {}
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


def _write(theme: Theme, columns: Columns) -> None:
    for column in COLUMNS:
        setattr(theme, column, columns.get(column, {}))


def _use(tenant_id: UUID, theme: Theme, columns: Columns) -> None:
    used = queries.default_theme(tenant_id)
    if used is not None and used.id != theme.id:
        used.is_default = False
        db.session().flush()
    theme.is_default = True
    queries.get_tenant(tenant_id).look = look_of(columns)


def look_of(columns: Columns) -> dict[str, Any]:
    """Return what every page must know of a theme: the hash of its stylesheet, its pictures, its name and where to get help."""
    css, branding = rules.stylesheet(columns), columns.get("branding", {})
    look = {key: branding[key] for key in ("logo", "favicon", "name", "support_url") if branding.get(key)}
    return {**({"css": rules.fingerprint(css)} if css else {}), **look}
