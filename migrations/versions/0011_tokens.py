"""API tokens, API clients and refresh tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("api_tokens", "api_clients", "refresh_tokens")
# The dispatcher finds what is about to end and deletes what is old.
SYSTEM = {"api_tokens": "SELECT, DELETE", "api_clients": "SELECT, DELETE", "refresh_tokens": "SELECT, UPDATE, DELETE"}
ENDED_BECAUSE = "'person','admin','leak','reuse','rotated','replaced'"
# A request brings a secret and nothing else. Whoever knows its hash may see the one row that it opens, and so learns the tenant.
SHOWN_HASH = "decode(nullif(current_setting('app.shown_hash', true), ''), 'hex')"
OPENS = {
    "api_tokens": f"hash = {SHOWN_HASH}",
    "api_clients": f"secret_hash = {SHOWN_HASH}",
    "refresh_tokens": f"hash = {SHOWN_HASH} or access_hash = {SHOWN_HASH}",
}
# With the rights of its caller, behind the same walls.
FIND_SECRET = """
create function find_secret(digest bytea) returns table (kind text, tenant_id uuid, id uuid)
language plpgsql volatile security invoker set search_path = public as $$
begin
  perform set_config('app.shown_hash', encode(digest, 'hex'), true);
  return query
    select 'token', k.tenant_id, k.id from api_tokens k where k.hash = digest
    union all select 'access', r.tenant_id, r.id from refresh_tokens r where r.access_hash = digest
    union all select 'refresh', r.tenant_id, r.id from refresh_tokens r where r.hash = digest
    union all select 'client', c.tenant_id, c.id from api_clients c where c.secret_hash = digest;
  perform set_config('app.shown_hash', '', true);
end $$
"""


def moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def now(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def texts(name: str, *, default: bool = False) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'") if default else None, nullable=False)


def person_of(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f(f"fk_{table}_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        texts("scopes"),
        texts("networks", default=True),
        now("created_at"),
        moment("expires_at"),
        sa.Column("noticed_days", sa.Integer(), nullable=True),
        moment("last_used_at", nullable=True),
        sa.Column("last_used_from", sa.String(), nullable=True),
        sa.Column("rotated_to", sa.UUID(), nullable=True),
        moment("revoked_at", nullable=True),
        sa.Column("revoked_because", sa.String(), nullable=True),
        sa.Column("request_key", sa.UUID(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_api_tokens_name_fits")),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_api_tokens_hash_is_sha256")),
        sa.CheckConstraint(
            "jsonb_typeof(scopes) = 'array' and jsonb_typeof(networks) = 'array'", name=op.f("ck_api_tokens_lists_are_lists")
        ),
        sa.CheckConstraint("expires_at <= created_at + interval '366 days'", name=op.f("ck_api_tokens_lives_a_year_at_most")),
        sa.CheckConstraint(
            f"(revoked_at is null) = (revoked_because is null) and revoked_because in ({ENDED_BECAUSE})",
            name=op.f("ck_api_tokens_end_has_a_reason"),
        ),
        *person_of("api_tokens"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_api_tokens_tenant_id_id")),
        sa.UniqueConstraint("hash", "tenant_id", name="uq_api_tokens_hash"),
        sa.UniqueConstraint("tenant_id", "person_id", "request_key", name=op.f("uq_api_tokens_tenant_id_person_id_request_key")),
    )
    op.create_foreign_key(
        op.f("fk_api_tokens_tenant_id_rotated_to"), "api_tokens", "api_tokens", ["tenant_id", "rotated_to"], ["tenant_id", "id"],
        ondelete="SET NULL (rotated_to)",
    )  # fmt: skip
    op.create_index("ix_api_tokens_newest", "api_tokens", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("ix_api_tokens_expiring", "api_tokens", ["expires_at"], unique=False, postgresql_where=sa.text("revoked_at is null"))
    op.create_table(
        "api_clients",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(32), nullable=True),
        texts("scopes"),
        now("created_at"),
        sa.Column("family_id", sa.UUID(), nullable=False),
        now("family_since"),
        moment("last_used_at", nullable=True),
        sa.Column("last_used_from", sa.String(), nullable=True),
        moment("signed_out_at", nullable=True),
        sa.Column("signed_out_because", sa.String(), nullable=True),
        moment("removed_at", nullable=True),
        sa.Column("request_key", sa.UUID(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_api_clients_name_fits")),
        sa.CheckConstraint(
            "kind in ('confidential','public') and (kind = 'confidential') = (secret_hash is not null)",
            name=op.f("ck_api_clients_kind_has_its_secret"),
        ),
        sa.CheckConstraint("jsonb_typeof(scopes) = 'array'", name=op.f("ck_api_clients_scopes_is_a_list")),
        sa.CheckConstraint(
            f"(signed_out_at is null) = (signed_out_because is null) and signed_out_because in ({ENDED_BECAUSE})",
            name=op.f("ck_api_clients_end_has_a_reason"),
        ),
        *person_of("api_clients"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_clients")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_api_clients_tenant_id_id")),
        sa.UniqueConstraint("secret_hash", "tenant_id", name="uq_api_clients_secret_hash"),
        sa.UniqueConstraint("tenant_id", "person_id", "request_key", name=op.f("uq_api_clients_tenant_id_person_id_request_key")),
    )
    op.create_index("ix_api_clients_newest", "api_clients", ["tenant_id", "created_at", "id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("family_id", sa.UUID(), nullable=False),
        sa.Column("parent_id", sa.UUID(), nullable=True),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("access_hash", sa.LargeBinary(32), nullable=True),
        moment("access_expires_at", nullable=True),
        now("created_at"),
        moment("expires_at"),
        moment("used_at", nullable=True),
        sa.Column("sealed_child", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("(sealed_child is null) or (used_at is not null)", name=op.f("ck_refresh_tokens_only_used_ones_have_a_child")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_refresh_tokens_tenant_id")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["api_clients.tenant_id", "api_clients.id"],
            name=op.f("fk_refresh_tokens_tenant_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_refresh_tokens_tenant_id_id")),
        sa.UniqueConstraint("hash", "tenant_id", name="uq_refresh_tokens_hash"),
        sa.UniqueConstraint("access_hash", "tenant_id", name="uq_refresh_tokens_access_hash"),
        sa.UniqueConstraint("tenant_id", "parent_id", name=op.f("uq_refresh_tokens_tenant_id_parent_id")),
    )
    op.create_index("ix_refresh_tokens_family", "refresh_tokens", ["tenant_id", "client_id", "family_id"], unique=False)
    op.create_index("ix_refresh_tokens_old", "refresh_tokens", ["created_at"], unique=False)
    for table in TABLES:
        for statement in [*tenancy.wall(table, system=True), *tenancy.grants(table, system=SYSTEM[table])]:
            op.execute(statement)
        op.execute(f"CREATE POLICY shown_secret_opens ON {table} FOR SELECT TO {tenancy.APP_ROLE} USING ({OPENS[table]})")
    op.execute(FIND_SECRET)
    op.execute("revoke execute on function find_secret(bytea) from public")
    op.execute(f"grant execute on function find_secret(bytea) to {tenancy.APP_ROLE}")


def downgrade() -> None:
    op.execute("drop function find_secret(bytea)")
    for table in reversed(TABLES):
        op.drop_table(table)
