"""Tables of data tables: their columns, and their rows as jsonb."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Dated, Identified, Json, TenantScoped
from portal.i18n.keys import keeps_key


class DataTable(Identified, TenantScoped, Dated, Base):
    """A table that a tenant made; `columns` is a list of {key, type, label, label_ar, required}."""

    __tablename__ = "data_tables"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "slug"),
        Index("ix_data_tables_search", "search_key", postgresql_using="gin", postgresql_ops={"search_key": "gin_trgm_ops"}),
    )

    tenant_id = mapped_column(ForeignKey("tenants.id"), nullable=False)
    slug: Mapped[str]
    name: Mapped[str]
    name_ar: Mapped[str | None]
    columns: Mapped[list[Json]]
    search_key: Mapped[str] = mapped_column(server_default="")  # i18n.search.key of the names, kept by keeps_key below


keeps_key(DataTable, "name", "name_ar", "slug")


class DataRow(Identified, TenantScoped, Dated, Base):
    """One row: column key → value."""

    __tablename__ = "data_rows"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        ForeignKeyConstraint(["tenant_id", "table_id"], ["data_tables.tenant_id", "data_tables.id"], ondelete="CASCADE"),
        Index("ix_data_rows_newest", "tenant_id", "table_id", "created_at", "id"),
        Index("ix_data_rows_values", "values", postgresql_using="gin", postgresql_ops={"values": "jsonb_path_ops"}),
    )

    tenant_id: Mapped[UUID]
    table_id: Mapped[UUID]
    values: Mapped[Json]
