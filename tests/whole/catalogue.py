"""What PostgreSQL's own catalogue says of the walls: one query per kind of hole, each returning what is wrong."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

# Tables without a tenant's wall, each with its reason.
SHARED = {
    "tenants": "a tenant is found before anything is known of it",
    "people": "one person may belong to several tenants",
    "sessions": "found by the hash of a secret that only the browser has",
    "totp_factors": "of a person, not of a tenant: one sign-in serves all their organisations",
    "passkeys": "of a person; found by its credential id before anybody is known",
    "recovery_codes": "of a person",
    "devices": "a browser that one person has signed in with, whatever the tenant",
    "proof_attempts": "counted before anybody is known",
    "sign_in_alarms": "of the house: networks and figures, nobody's account",
    "password_resets": "a person's, found by the hash of a secret in a mail",
    "registrations": "of people and organisations that do not exist yet, found by the hash of a secret in a mail",
    "letters": "mail to addresses, most of them before a tenant is entered; sealed",
    "announcements": "sentences of the house to everybody",
    "flags": "switches of the house",
    "staff": "people of the house itself, of no tenant",
    "outbox": "names of jobs and ids, read by the system role only after the commit",
    "ops_heartbeats": "signs of life, no tenant's data",
    "workflow_leaders": "the dispatcher's lease",
    "alembic_version": "the schema's number",
}
# Functions that run with their owner's rights, each with its reason.
DEFINERS: dict[str, str] = {}
# Policies of the application that open a row without its tenant, each with its reason.
OPENERS = {
    "memberships.own_memberships": "a person's own memberships, to choose where they go",
    "account_locks.own_locks": "a person's own locks, before they have signed in",
    "identity_providers.found_by_id": "a provider that a browser comes back from, by an id that the transaction names",
    "tenant_domains.found_by_domain": "the organisation of a domain that somebody types at sign-in",
    "api_tokens.shown_secret_opens": "the row whose hash the transaction has named",
    "refresh_tokens.shown_secret_opens": "the row whose hash the transaction has named",
    "workflow_triggers.shown_address_opens": "the trigger of an address whose hash the transaction has named",
    "api_clients.shown_secret_opens": "the client of a secret whose hash the transaction has named",
}
ROLES = ("nasij_app", "nasij_system")

# How PostgreSQL writes the one condition of `core/tenancy.wall`.
WALL = r"^\(tenant_id = \(NULLIF\(current_setting\('app.tenant_id'::text, true\), ''::text\)\)::uuid\)$"

QUERIES = {
    "a tenant table without forced row-level security": """
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)
          and c.relname <> all(:shared)
    """,
    "a tenant table without a tenant_id that may not be null": """
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname <> all(:shared)
          and not exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull)
    """,
    "a policy that lets more than the tenant through": """
        select p.tablename || '.' || p.policyname from pg_policies p
        where p.schemaname = 'public' and p.tablename <> all(:shared) and ('nasij_app' = any(p.roles) or 'public' = any(p.roles))
          and p.tablename || '.' || p.policyname <> all(:openers)
          and (coalesce(p.qual, '') !~ :wall or (p.with_check is not null and p.with_check !~ :wall))
    """,
    "a grant to everybody": """
        select table_name || ' ' || privilege_type from information_schema.role_table_grants
        where table_schema = 'public' and grantee = 'PUBLIC'
    """,
    "a counter that tenants share": """
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and case when c.relkind = 'S' then has_sequence_privilege('nasij_app', c.oid, 'usage') end
    """,
    "a view that does not run as its reader": """
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'v'
          and not coalesce('security_invoker=true' = any(c.reloptions) or 'security_invoker=on' = any(c.reloptions), false)
    """,
    "a materialised view that the application may read": """
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'm' and has_table_privilege('nasij_app', c.oid, 'select')
    """,
    "a function with its owner's rights": """
        select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'public' and p.prosecdef and p.proname <> all(:definers)
    """,
    "a foreign key between tenant tables without the tenant": """
        select k.conname from pg_constraint k
        join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
        join pg_namespace n on n.oid = a.relnamespace
        where n.nspname = 'public' and k.contype = 'f' and a.relname <> all(:shared) and b.relname <> all(:shared)
          and not exists (select 1 from pg_attribute t where t.attrelid = k.conrelid and t.attname = 'tenant_id' and t.attnum = any(k.conkey))
    """,
    "a unique key without the tenant": """
        select i.relname from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and x.indisunique and c.relname <> all(:shared)
          and not exists (select 1 from pg_attribute t where t.attrelid = c.oid and t.attname = 'tenant_id' and t.attnum = any(x.indkey))
          and not (x.indisprimary and x.indnkeyatts = 1 and (select t.attname from pg_attribute t
                   where t.attrelid = c.oid and t.attnum = x.indkey[0]) = 'id')
    """,
    "a grant that passes row-level security by": """
        select table_name || ' ' || privilege_type from information_schema.role_table_grants
        where table_schema = 'public' and grantee = any(:roles) and privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER')
    """,
    "a role that passes the walls by": """
        select rolname::text from pg_roles where rolname = any(:roles) and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb)
        union select c.relname::text from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = any(:roles)
    """,
}


def holes(connection: Any) -> dict[str, list[str]]:
    """Return what is wrong: kind of hole → names."""
    values = {"shared": list(SHARED), "definers": list(DEFINERS), "roles": list(ROLES), "openers": list(OPENERS), "wall": WALL}
    found = {}
    for what, query in QUERIES.items():
        given = {name: value for name, value in values.items() if f":{name}" in query}
        names = [row[0] for row in connection.execute(text(query), given)]
        if names:
            found[what] = names
    return found
