"""A workflow with triggers, and what calls them from outside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from portal.core import db
from portal.workflows.models import WorkflowTemplate
from portal.workflows.triggers import base, firing, queries, service, signing
from portal.workflows.triggers.registry import find
from tests.workflows.engine.conftest import Engine, step, values
from tests.workflows.engine.running import at_work

__all__ = ["Starts", "step", "values"]


def declared(key: str, kind: str = "text", *, required: bool = False, choices: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"key": key, "type": kind, "label": key.title(), "label_ar": f"حقل {key}", "required": required, "choices": list(choices)}


class Starts(Engine):
    """A tenant's workflows with the ways in which they start."""

    def publish_with(self, *nodes: dict[str, Any], inputs: list[dict[str, Any]] | None = None) -> Any:
        with db.transaction(self.house.id) as session:
            workflow = WorkflowTemplate(
                tenant_id=self.house.id,
                name="Leave",
                name_ar="إجازة",
                nodes=list(nodes),
                settings={"inputs": inputs or [], "deadline_s": 86400},
            )
            session.add(workflow)
            session.flush()
            from portal.workflows import service as workflows

            workflows.publish_version(self.house.id, workflow.id, by=self.by)
        return workflow.id

    def add(self, workflow_id: Any, kind_name: str, **config: Any) -> Any:
        """Add a trigger as its form would; raises Invalid."""
        kind = find(kind_name)
        assert kind is not None
        with db.transaction(self.house.id):
            place = service.place_of(self.house.id, workflow_id, timezone="Asia/Riyadh")
            full = {**base.defaults(kind), **({"mode": kind.variant} if kind.variant else {}), **config}
            if any(each.name == "zone" for each in kind.fields) and not full["zone"]:
                full["zone"] = "Asia/Riyadh"
            if kind.maps_inputs:
                full.setdefault("inputs", {})
            return service.add_trigger(self.house.id, workflow_id, kind, name="", name_ar=None, config=full, place=place, by=self.by)

    def trigger(self, trigger_id: Any) -> Any:
        with db.transaction(self.house.id):
            return queries.get_trigger(self.house.id, trigger_id)

    def token(self, trigger_id: Any) -> str:
        with db.transaction(self.house.id):
            return service.token_of(queries.get_trigger(self.house.id, trigger_id))

    def secrets(self, trigger_id: Any) -> list[str]:
        with db.transaction(self.house.id):
            trigger = queries.get_trigger(self.house.id, trigger_id)
            return service.secrets_of(self.house.id, trigger_id, trigger.secrets)

    def switch(self, workflow_id: Any, trigger_id: Any, *, on: bool) -> None:
        with db.transaction(self.house.id):
            service.switch_trigger(self.house.id, workflow_id, trigger_id, is_enabled=on, by=self.by)

    def receipts(self, trigger_id: Any) -> list[Any]:
        """What arrived, oldest first."""
        with db.transaction(self.house.id) as session:
            return list(
                session.execute(
                    text(
                        "select * from workflow_receipts where trigger_id = :id order by coalesce(nominal_at, received_at), received_at, id"
                    ),
                    {"id": trigger_id},
                )
            )

    def outcomes(self, trigger_id: Any) -> list[str]:
        return [each.outcome for each in self.receipts(trigger_id)]

    def runs(self, workflow_id: Any) -> list[Any]:
        with db.transaction(self.house.id) as session:
            return list(
                session.execute(
                    text("select * from workflow_executions where workflow_id = :id order by created_at, id"), {"id": workflow_id}
                )
            )

    def backdate(self, trigger_id: Any, moment: datetime) -> None:
        """Let a schedule be due since a moment, as if nobody had looked since."""
        with db.transaction(self.house.id) as session:
            session.execute(text("update workflow_triggers set next_fire_at = :at where id = :id"), {"at": moment, "id": trigger_id})

    def fire(self) -> int:
        return firing.fire_due()


@pytest.fixture
def starts(app: Any, tenant: Any) -> Iterator[Starts]:
    with at_work(app, Starts(tenant)) as made:
        yield made


def signed(secret: str, body: bytes, *, message_id: str = "msg_1", at: datetime | None = None) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    at = at or datetime.now(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signing.sign(secret, message_id=message_id, at=at, body=body),
        "Content-Type": "application/json",
    }


@pytest.fixture
def caller(app: Any) -> FlaskClient:
    """Another system: no cookies, no language."""
    return app.test_client(use_cookies=False)


def path_of(url: str) -> str:
    return urlsplit(url).path
