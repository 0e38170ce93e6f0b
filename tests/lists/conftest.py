"""Lists with rows that the test plants, and the job that carries out a bulk action."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from portal.core import db, jobs
from portal.core.access import Access
from portal.identity.roles import PERMISSIONS
from portal.lists import queries
from tests.workflows.home.conftest import Ground

NOON = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
def ground(app, tenant):
    return Ground(tenant)


@pytest.fixture
def here(app, tenant):
    return access_of(tenant)


def access_of(house, role="owner"):
    return Access(house.people[role], house.id, role, PERMISSIONS[role], role.title(), house.name, None)


@pytest.fixture
def many(app, ground):
    """Seven runs of two workflows with every trap for a sort: the same moment, the same name, no end."""
    a, b = ground.workflow("Alpha", name_ar="ألف"), ground.workflow("beta")
    plan = [(a, 0, "succeeded", 5), (b, 0, "failed", 5), (a, 1, "failed", 5), (a, 1, "running", 0), (b, 2, "running", 0), (a, 3, "cancelled", 9),
            (b, 3, "succeeded", 1)]  # fmt: skip
    return [ground.run(workflow, NOON + timedelta(minutes=minute), status, took_s=took) for workflow, minute, status, took in plan]


@pytest.fixture
def work(app):
    """Do what the workers would do once the ten seconds are over."""

    def do(tenant, *, is_due=True):
        with app.app_context():
            if is_due:
                with db.transaction(tenant.id) as session:
                    session.execute(text("update bulk_actions set starts_at = clock_timestamp() where tenant_id = :id"), {"id": tenant.id})
            with db.transaction(system=True) as session:
                waiting = session.execute(text("select id, arguments from outbox where name = 'lists.carry_out'")).all()
            for each in waiting:
                if each.arguments[0] == str(tenant.id):
                    jobs.perform_outbox(str(each.id))

    return do


def bulk_of(house, bulk_id):
    with db.transaction(house.id):
        return queries.get_bulk(house.id, house.people["owner"], bulk_id)
