"""Row-level security at work: without a tenant there is nothing, with another's there is nothing of ours."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.ids import new_id
from portal.datatables import service as tables
from tests.whole import evidence
from tests.whole.catalogue import SHARED

COLUMNS = [{"key": "a", "type": "text", "label": "A", "label_ar": None, "required": False}]


@pytest.fixture
def filled(tenant):
    with db.transaction(tenant.id):
        tables.ensure_table(tenant.id, "things", name="Things", name_ar=None, columns=COLUMNS)
        tables.insert_row(tenant.id, "things", {"a": "canary-7319"})
    return tenant


def tenant_tables(session):
    rows = session.execute(
        text("select distinct table_name from information_schema.columns where table_schema = 'public' and column_name = 'tenant_id'")
    )
    return sorted({row.table_name for row in rows} - set(SHARED))


def test_no_tenant_means_no_rows(filled):
    with db.transaction() as session:
        for table in tenant_tables(session):
            assert session.scalar(text(f"select count(*) from {table}")) == 0, table
            evidence.note("rows", f"{table} without a tenant", "no row")


def test_a_strangers_transaction_sees_nothing_of_ours(filled, other_tenant):
    with db.transaction(other_tenant.id) as session:
        for table in tenant_tables(session):
            count = session.scalar(text(f"select count(*) from {table} where tenant_id = :ours"), {"ours": filled.id})
            assert count == 0, table
            evidence.note("rows", f"{table} as another tenant", "no row")


def test_a_row_cannot_be_written_for_another_tenant(filled, other_tenant):
    with pytest.raises(DBAPIError, match="row-level security"), db.transaction(other_tenant.id) as session:
        session.execute(
            text("insert into data_tables (id, tenant_id, slug, name, columns) values (:id, :ours, 'x', 'x', '[]')"),
            {"id": new_id(), "ours": filled.id},
        )


def test_the_tenant_is_forgotten_when_the_transaction_ends(filled):
    with db.transaction(filled.id) as session:
        assert session.scalar(text("select count(*) from data_rows")) == 1
    with db.transaction() as session:
        assert session.scalar(text("select count(*) from data_rows")) == 0


def test_the_system_role_cannot_read_what_tenants_wrote(filled):
    with pytest.raises(DBAPIError, match="permission denied"), db.transaction(system=True) as session:
        session.execute(text("select * from data_rows"))
