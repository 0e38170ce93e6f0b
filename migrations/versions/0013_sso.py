"""Single sign-on and provisioning: identity providers, proven domains, external identities, sessions of a provider; SCIM."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.core import tenancy

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("identity_providers", "tenant_domains", "external_identities", "sso_sessions", "sso_used_tokens",
          "scim_tokens", "scim_users", "scim_groups", "scim_group_members")  # fmt: skip
PROVIDER = ["identity_providers.tenant_id", "identity_providers.id"]

# Before anybody is signed in, a provider is found by its id and an organisation by its domain. With the rights of the caller, behind
# the same wall: a policy lets exactly the named row through, and the name is forgotten before the function returns.
TENANT_OF_PROVIDER = """
create function tenant_of_provider(provider uuid) returns uuid
language plpgsql volatile security invoker set search_path = public as $$
declare found uuid;
begin
  perform set_config('app.provider_id', provider::text, true);
  select p.tenant_id into found from identity_providers p join tenants t on t.id = p.tenant_id and t.status = 'active' where p.id = provider;
  perform set_config('app.provider_id', '', true);
  return found;
end $$
"""
TENANTS_OF_DOMAIN = """
create function tenants_of_domain(wanted text) returns setof uuid
language plpgsql volatile security invoker set search_path = public as $$
begin
  perform set_config('app.domain', wanted, true);
  return query
    select d.tenant_id from tenant_domains d join tenants t on t.id = d.tenant_id and t.status = 'active'
    where d.domain = wanted and d.verified_at is not null order by d.verified_at, d.tenant_id;
  perform set_config('app.domain', '', true);
end $$
"""
FUNCTIONS = {"tenant_of_provider(uuid)": TENANT_OF_PROVIDER, "tenants_of_domain(text)": TENANTS_OF_DOMAIN}


def json() -> postgresql.JSONB:
    return postgresql.JSONB(astext_type=sa.Text())


def moment(name: str, *, is_set: bool = False) -> sa.Column:
    if is_set:
        return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def tenant_of(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"fk_{table}_tenant_id"))


def provider_of(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "provider_id"], PROVIDER, name=op.f(f"fk_{table}_tenant_id_provider_id"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "identity_providers",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_ar", sa.String(), nullable=True),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), server_default="", nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=True),
        sa.Column("endpoints", json(), nullable=False),
        sa.Column("default_role", sa.String(), server_default="member", nullable=False),
        sa.Column("admits_newcomers", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("allows_passwords", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        moment("tested_at"),
        sa.Column("id", sa.UUID(), nullable=False),
        moment("created_at", is_set=True),
        moment("updated_at", is_set=True),
        sa.CheckConstraint("kind in ('oidc','saml')", name=op.f("ck_identity_providers_kind_known")),
        sa.CheckConstraint("default_role in ('member','builder','auditor')", name=op.f("ck_identity_providers_newcomers_are_no_admins")),
        sa.CheckConstraint("not is_enabled or tested_at is not null", name=op.f("ck_identity_providers_tested_before_enabled")),
        tenant_of("identity_providers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_providers")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_identity_providers_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "issuer", "client_id", name=op.f("uq_identity_providers_tenant_id_issuer_client_id")),
    )
    op.create_table(
        "tenant_domains",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("challenge", sa.String(), nullable=False),
        moment("verified_at"),
        moment("checked_at"),
        moment("missing_since"),
        moment("created_at", is_set=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("domain = lower(domain)", name=op.f("ck_tenant_domains_domain_folded")),
        tenant_of("tenant_domains"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant_domains")),
        sa.UniqueConstraint("tenant_id", "domain", name=op.f("uq_tenant_domains_tenant_id_domain")),
    )
    op.create_index("ix_tenant_domains_verified", "tenant_domains", ["domain"], postgresql_where=sa.text("verified_at is not null"))
    op.create_table(
        "external_identities",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("provider_id", sa.UUID(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        moment("created_at", is_set=True),
        moment("seen_at", is_set=True),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.CheckConstraint("length(subject) between 1 and 255", name=op.f("ck_external_identities_subject_fits")),
        tenant_of("external_identities"),
        provider_of("external_identities"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "person_id"],
            ["memberships.tenant_id", "memberships.person_id"],
            name=op.f("fk_external_identities_tenant_id_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_identities")),
        sa.UniqueConstraint(
            "tenant_id", "provider_id", "issuer", "subject", name=op.f("uq_external_identities_tenant_id_provider_id_issuer_subject")
        ),
        sa.UniqueConstraint("tenant_id", "provider_id", "person_id", name=op.f("uq_external_identities_tenant_id_provider_id_person_id")),
    )
    op.create_table(
        "sso_sessions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("session_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("provider_id", sa.UUID(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("sid", sa.String(), nullable=True),
        tenant_of("sso_sessions"),
        provider_of("sso_sessions"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_sso_sessions_session_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "session_id", name=op.f("pk_sso_sessions")),
    )
    op.create_index("ix_sso_sessions_subject", "sso_sessions", ["tenant_id", "provider_id", "subject"])
    # What the deletion of a session looks for.
    op.create_index("ix_sso_sessions_session", "sso_sessions", ["session_id"])
    op.create_table(
        "sso_used_tokens",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("provider_id", sa.UUID(), nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        tenant_of("sso_used_tokens"),
        provider_of("sso_used_tokens"),
        sa.PrimaryKeyConstraint("tenant_id", "provider_id", "token_id", name=op.f("pk_sso_used_tokens")),
    )
    op.create_index("ix_sso_used_tokens_expired", "sso_used_tokens", ["expires_at"])
    op.create_table(
        "scim_tokens",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        moment("created_at", is_set=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        moment("used_at"),
        sa.Column("id", sa.UUID(), nullable=False),
        tenant_of("scim_tokens"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_tokens")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_scim_tokens_tenant_id_token_hash")),
    )
    op.create_table(
        "scim_users",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("person_id", sa.UUID(), nullable=False),
        sa.Column("user_key", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("attributes", json(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("role_is_granted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        moment("deleted_at"),
        sa.Column("id", sa.UUID(), nullable=False),
        moment("created_at", is_set=True),
        moment("updated_at", is_set=True),
        sa.CheckConstraint("deleted_at is null or not active", name=op.f("ck_scim_users_deleted_is_not_active")),
        tenant_of("scim_users"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_scim_users_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_users")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_scim_users_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "user_key", name=op.f("uq_scim_users_tenant_id_user_key")),
        sa.UniqueConstraint("tenant_id", "person_id", name=op.f("uq_scim_users_tenant_id_person_id")),
    )
    op.create_index("ix_scim_users_external", "scim_users", ["tenant_id", "external_id"])
    op.create_table(
        "scim_groups",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("id", sa.UUID(), nullable=False),
        moment("created_at", is_set=True),
        moment("updated_at", is_set=True),
        sa.CheckConstraint("role in ('admin','builder','member','auditor')", name=op.f("ck_scim_groups_gives_no_owner")),
        tenant_of("scim_groups"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_groups")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_scim_groups_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name_key", name=op.f("uq_scim_groups_tenant_id_name_key")),
    )
    op.create_table(
        "scim_group_members",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("group_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        tenant_of("scim_group_members"),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", f"{kind}_id"],
                [f"scim_{kind}s.tenant_id", f"scim_{kind}s.id"],
                name=op.f(f"fk_scim_group_members_tenant_id_{kind}_id"),
                ondelete="CASCADE",
            )
            for kind in ("group", "user")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "user_id", name=op.f("pk_scim_group_members")),
    )
    op.create_index("ix_scim_group_members_user", "scim_group_members", ["tenant_id", "user_id"])
    for table in TABLES:
        # The dispatcher deletes tokens that have expired.
        is_swept = table == "sso_used_tokens"
        for statement in [*tenancy.wall(table, system=is_swept), *tenancy.grants(table, system="SELECT, DELETE" if is_swept else "")]:
            op.execute(statement)
    op.execute(
        f"CREATE POLICY found_by_id ON identity_providers FOR SELECT TO {tenancy.APP_ROLE}"
        " USING (id = NULLIF(current_setting('app.provider_id', true), '')::uuid)"
    )
    op.execute(
        f"CREATE POLICY found_by_domain ON tenant_domains FOR SELECT TO {tenancy.APP_ROLE}"
        " USING (verified_at is not null and domain = NULLIF(current_setting('app.domain', true), ''))"
    )
    for signature, definition in FUNCTIONS.items():
        op.execute(definition)
        op.execute(f"revoke execute on function {signature} from public")
        op.execute(f"grant execute on function {signature} to {tenancy.APP_ROLE}")


def downgrade() -> None:
    for signature in FUNCTIONS:
        op.execute(f"drop function {signature}")
    for table in reversed(TABLES):
        op.drop_table(table)
