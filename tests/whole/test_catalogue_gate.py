"""The walls as PostgreSQL knows them, and proof that the gate sees a hole of each kind."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from portal.core.config import current_settings
from portal.core.db import driver_url
from tests.whole import evidence
from tests.whole.catalogue import OPENERS, QUERIES, SHARED, holes


@pytest.fixture
def owner(app):
    """The owner's connection; what a test plants is rolled back."""
    engine = create_engine(driver_url(current_settings().database_owner_url))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def test_there_is_no_hole(owner):
    assert holes(owner) == {}


PLANTED = {
    "a tenant table without forced row-level security": (
        "alter table data_tables no force row level security",
        "alter table data_tables disable row level security",
        "create table parted (id uuid, tenant_id uuid not null, primary key (tenant_id, id)) partition by hash (tenant_id);"
        " alter table parted enable row level security; alter table parted force row level security;"
        " create table parted_0 partition of parted for values with (modulus 1, remainder 0)",
    ),
    "a tenant table without a tenant_id that may not be null": (
        "create table stray (id uuid primary key)",
        "alter table data_rows alter tenant_id drop not null",
    ),
    "a policy that lets more than the tenant through": (
        "create policy all_of_it on data_tables for select to nasij_app using (true)",
        "alter policy tenant_wall on data_tables using (tenant_id is not null)",
        "create policy own_memberships on data_tables for select to nasij_app using (true)",
        "create policy for_everybody on data_tables using (true)",
    ),
    "a view that does not run as its reader": (
        "create view peek as select * from data_tables",
        "create view peek with (security_barrier) as select * from data_tables",
    ),
    "a materialised view that the application may read": (
        "create materialized view keep as select * from data_tables; grant select on keep to nasij_app",
    ),
    "a function with its owner's rights": ("create function sneak() returns int language sql security definer as 'select 1'",),
    "a foreign key between tenant tables without the tenant": (
        "create table stray (id uuid primary key, tenant_id uuid not null, table_id uuid references data_tables (id))",
    ),
    "a unique key without the tenant": (
        "create unique index loose on ai_agents (name)",
        "alter table ai_agents add constraint loose unique (name)",
    ),
    "a grant that passes row-level security by": (
        "grant truncate on data_tables to nasij_app",
        "grant references on data_tables to nasij_app",
        "grant trigger on data_tables to nasij_system",
    ),
    "a grant to everybody": ("grant select on data_tables to public",),
    "a counter that tenants share": ("create sequence counter; grant usage on sequence counter to nasij_app",),
    "a role that passes the walls by": (
        "alter role nasij_app bypassrls",
        "alter role nasij_system superuser",
        "alter table data_tables owner to nasij_app",
    ),
}


def test_every_exception_is_still_one(owner):
    """A reason that is about nothing hides the next hole of its name."""
    tables = set(owner.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
    policies = set(owner.scalars(text("select tablename || '.' || policyname from pg_policies")))

    assert set(SHARED) <= tables
    assert set(OPENERS) <= policies


def test_every_kind_of_hole_is_planted():
    assert set(PLANTED) == set(QUERIES)


@pytest.mark.parametrize(("what", "planted"), [(what, planted) for what, faults in PLANTED.items() for planted in faults])
def test_a_planted_hole_is_seen(owner, what, planted):
    owner.execute(text(planted))

    assert what in holes(owner)
    evidence.note("planted faults", planted, f"seen: {what}")


def test_every_named_table_has_its_named_columns(owner):
    found = {}
    for row in owner.execute(text("select table_name, column_name from information_schema.columns where table_schema = 'public'")):
        found.setdefault(row.table_name, set()).add(row.column_name)

    for table, columns in NAMED.items():
        missing = set(columns.split()) - found.get(table, set())
        assert not missing, f"{table} lacks {missing}"


NAMED = {
    "ai_agents": (
        "id tenant_id name name_ar agent_type status description description_ar capabilities model provider last_active tasks_completed"
        " tasks_in_progress success_rate avg_response_time configuration metrics created_at updated_at"
    ),
    "themes": (
        "id tenant_id name name_ar description description_ar is_default is_active colors typography spacing border_radius shadows"
        " branding created_at updated_at"
    ),
    "tenant_webhook_configs": "id tenant_id event_type webhook_url is_active created_at",
    "notifications": "id tenant_id type message severity data read_at created_at",
    "workflow_templates": "id tenant_id name name_ar description description_ar category nodes edges is_active created_at updated_at",
    "workflow_executions": "id workflow_id executed_by status input_data output_data started_at completed_at error_message",
}
