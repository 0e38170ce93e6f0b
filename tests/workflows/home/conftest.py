"""Runs as rows, at moments that the test chooses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from portal.core import db
from portal.core.access import Actor
from portal.core.ids import new_id
from portal.workflows import queries, service
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.models import WorkflowExecution
from tests.workflows.engine.conftest import step, values


class Ground:
    """A tenant in which workflows are made and runs are planted."""

    def __init__(self, house):
        self.house = house
        self.by = Actor("person", house.people["owner"])

    def workflow(self, name, *, name_ar=None, is_published=True):
        with db.transaction(self.house.id) as session:
            workflow_id = service.create_workflow(self.house.id, name=name, name_ar=name_ar, sample="blank", by=self.by)
            if is_published:
                found = queries.get_workflow(self.house.id, workflow_id, lock=True)
                found.nodes = [step("only", "set", **values(x="1"))]
                session.flush()
                service.publish_version(self.house.id, workflow_id, by=self.by)
        return workflow_id

    def run(self, workflow_id, at, status="succeeded", *, took_s=10, by="owner", retry_of=None):
        with db.transaction(self.house.id) as session:
            version_id = queries.get_workflow(self.house.id, workflow_id).published_version_id
            row = {
                "id": new_id(), "tenant_id": self.house.id, "workflow_id": workflow_id, "version_id": version_id, "status": status,
                "executed_by": self.house.people[by], "created_at": at, "started_at": at,
                "completed_at": at + timedelta(seconds=took_s) if status in RUN_ENDED else None,
                "error": {"code": "call_timeout", "step": "only"} if status == "failed" else None,
                "dedup_key": f"retry:{retry_of}" if retry_of else None, "replay_of": retry_of,
            }  # fmt: skip
            session.execute(insert(WorkflowExecution), [row])
        return row["id"]


@pytest.fixture
def ground(app, tenant):
    # No context stays open: requests would share its `g`, and with it the language.
    return Ground(tenant)


@pytest.fixture
def other_ground(app, other_tenant):
    return Ground(other_tenant)
