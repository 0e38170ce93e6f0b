"""The walls as PostgreSQL knows them, and proof that the gate sees a hole of each kind."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from portal.core.config import current_settings
from portal.core.db import driver_url
from tests.whole.catalogue import QUERIES, holes


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
    "a tenant table without forced row-level security": "alter table data_tables no force row level security",
    "a tenant table without a tenant_id that may not be null": "create table stray (id uuid primary key)",
    "a view that does not run as its reader": "create view peek as select * from data_tables",
    "a materialised view that the application may read": (
        "create materialized view keep as select * from data_tables; grant select on keep to nasij_app"
    ),
    "a function with its owner's rights": "create function sneak() returns int language sql security definer as 'select 1'",
    "a foreign key between tenant tables without the tenant": (
        "create table stray (id uuid primary key, tenant_id uuid not null, table_id uuid references data_tables (id))"
    ),
    "a unique key without the tenant": "create unique index loose on ai_agents (name)",
    "a grant that passes row-level security by": "grant truncate on data_tables to nasij_app",
    "a role that passes the walls by": "alter role nasij_app bypassrls",
}


@pytest.mark.parametrize("what", QUERIES)
def test_a_planted_hole_is_seen(owner, what):
    owner.execute(text(PLANTED[what]))

    assert what in holes(owner)


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
