"""Every SELECT of themes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from portal.core import db
from portal.core.db import Json
from portal.core.errors import NotFound
from portal.tenants.models import Tenant, Theme, ThemeAsset, ThemeVersion


def list_themes(tenant_id: UUID) -> Sequence[Theme]:
    """Return the themes of a tenant, the one in use first, then by name."""
    mine = select(Theme).where(Theme.tenant_id == tenant_id, Theme.is_active)
    return db.session().scalars(mine.order_by(Theme.is_default.desc(), Theme.name, Theme.id)).all()


def get_theme(tenant_id: UUID, theme_id: UUID, *, lock: bool = False) -> Theme:
    """Return one theme.

    Raises:
        NotFound: this tenant has no such theme, or it was deleted.
    """
    wanted = select(Theme).where(Theme.tenant_id == tenant_id, Theme.id == theme_id, Theme.is_active)
    found = db.session().scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound
    return found


def default_theme(tenant_id: UUID) -> Theme | None:
    """Return the theme in use, if it is not the look of the product itself."""
    return db.session().scalar(select(Theme).where(Theme.tenant_id == tenant_id, Theme.is_default).with_for_update())


def version_of(tenant_id: UUID, theme_id: UUID, number: int) -> ThemeVersion | None:
    """Return one published version."""
    return db.session().get(ThemeVersion, (tenant_id, theme_id, number))


def get_version(tenant_id: UUID, theme_id: UUID, number: int) -> ThemeVersion:
    """Return one published version.

    Raises:
        NotFound: this theme has no such version.
    """
    found = version_of(tenant_id, theme_id, number)
    if found is None:
        raise NotFound
    return found


def worn_version(tenant_id: UUID) -> ThemeVersion | None:
    """Return the published version that a tenant's pages wear, if it is not the look of the product itself."""
    wanted = select(ThemeVersion).join(Theme, (Theme.tenant_id == ThemeVersion.tenant_id) & (Theme.id == ThemeVersion.theme_id))
    return db.session().scalar(wanted.where(Theme.tenant_id == tenant_id, Theme.is_default, ThemeVersion.number == Theme.version))


def tenant_of_slug(slug: str) -> Tenant | None:
    """Return the active tenant with this short name."""
    return db.session().scalar(select(Tenant).where(Tenant.slug == slug, Tenant.status == "active"))


def look_of(tenant_id: UUID) -> Json:
    """Return what every page of a tenant must know of its theme."""
    return db.session().scalar(select(Tenant.look).where(Tenant.id == tenant_id)) or {}


def slug_of(tenant_id: UUID) -> str:
    """Return the short name of a tenant."""
    return db.session().scalars(select(Tenant.slug).where(Tenant.id == tenant_id)).one()


def versions_of(tenant_id: UUID, theme_id: UUID) -> Sequence[ThemeVersion]:
    """Return the published versions of a theme, newest first, fifty at most."""
    mine = select(ThemeVersion).where(ThemeVersion.tenant_id == tenant_id, ThemeVersion.theme_id == theme_id)
    return db.session().scalars(mine.order_by(ThemeVersion.number.desc()).limit(50)).all()


def css_of(tenant_id: UUID, sha: str) -> str | None:
    """Return a published stylesheet by its hash."""
    wanted = select(ThemeVersion.css).where(ThemeVersion.tenant_id == tenant_id, ThemeVersion.sha == sha).limit(1)
    return db.session().scalar(wanted)


def asset_of(tenant_id: UUID, name: str) -> ThemeAsset | None:
    """Return a picture by its name."""
    return db.session().get(ThemeAsset, (tenant_id, name))


def get_tenant(tenant_id: UUID) -> Tenant:
    """Return the tenant, locked: its look is about to change."""
    return db.session().scalars(select(Tenant).where(Tenant.id == tenant_id).with_for_update()).one()
