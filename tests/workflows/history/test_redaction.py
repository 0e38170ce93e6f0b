"""What is marked as sensitive: used by steps, seen by nobody; searched for in a dump of the whole database."""

from __future__ import annotations

import json
import logging
from typing import Any

import psycopg
import pytest

from portal.core.config import current_settings
from portal.core.ids import new_id
from portal.workflows import redaction, service
from portal.workflows.history import events
from portal.workflows.redaction import MASK, Secrets
from tests.workflows.engine.conftest import step, values

CANARY = 'canary-ناي-4711-"quoted"'


def dump() -> str:
    """Return every row of every table but the drafts and versions, as text."""
    with psycopg.connect(current_settings().database_owner_url) as connection:
        tables = [row[0] for row in connection.execute("select tablename from pg_tables where schemaname = 'public'")]
        parts = []
        for table in tables:
            parts += [row[0] for row in connection.execute(f'select row_to_json(t)::text from "{table}" t')]
        return "\n".join(parts)


def holds(text: str) -> bool:
    known = Secrets()
    known.learn(CANARY)
    return "canary-ناي" in text or known.stands_in(text)


@pytest.fixture
def publish(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Publish with one sensitive input."""
    from portal.core import db
    from portal.workflows.models import WorkflowTemplate

    def made(*nodes: dict[str, Any]) -> Any:
        given = {"key": "given", "type": "text", "label": "Given", "label_ar": "Given", "required": False, "sensitive": True, "choices": []}
        with db.transaction(engine.house.id) as session:
            workflow = WorkflowTemplate(
                tenant_id=engine.house.id, name="Test", nodes=list(nodes), settings={"inputs": [given], "deadline_s": 86400}
            )
            session.add(workflow)
            session.flush()
            service.publish_version(engine.house.id, workflow.id, by=engine.by)
        return workflow.id

    return made


@pytest.mark.parametrize("inline", [200, 0], ids=["one transaction", "each alone"])
def test_a_sensitive_input_is_used_and_never_seen(engine, publish, monkeypatch, caplog, inline):
    from portal.workflows.engine.store import following

    monkeypatch.setattr(following, "MAX_INLINE", inline)
    caplog.set_level(logging.DEBUG)
    workflow = publish(
        step("a", "set", **values(x="Key: ${ input.given }", size="${ size(input.given) }")),
        step("bell", "notification", to="starter", message="It is ${ steps.a.x }", severity="info"),
        step("each", "foreach", source="list", list="[steps.a.x, 'other']"),
        step("inner", "set", parent="each", lane="each", **values(y="${ item }")),
        step("bad", "set", on_error="continue", **values(z="${ int(steps.a.x) }")),
        step("same", "condition", when="steps.a.x == 'Key: ' + input.given"),
        step("yes", "set", parent="same", lane="then", **values(right="yes")),
        step("ask", "approval", title="Ask about ${ input.given }", details="d ${ input.given }", candidates=["role:owner"]),
    )
    run_id = engine.start(workflow, given=CANARY)
    engine.pump()
    engine.sweep()
    engine.pump()

    states = engine.states(run_id)
    assert (states["yes"], states["bad"], states["ask"]) == ("succeeded", "failed", "waiting"), engine.run(run_id).error
    outputs = engine.outputs(run_id)
    assert redaction.is_sealed(outputs["a"]["x"])
    assert outputs["a"]["size"] == len(CANARY)
    with engine.in_house():
        lines = "".join(events.export(events.head_of(engine.house.id, run_id)))
    assert not holds(lines)
    assert not holds(dump())
    assert not holds(caplog.text)
    assert redaction.shown(outputs["a"]) == {"x": MASK, "size": len(CANARY)}


def test_a_failure_of_the_run_tells_nothing(engine, publish):
    run = engine.go(publish(step("a", "set", **values(x="${ int(input.given) }"))), given=CANARY)
    assert run.status == "failed"
    assert not holds(dump())


def test_a_sensitive_setting_of_a_step_is_sealed_and_stays_a_secret(engine):
    node = {**step("a", "set", **values(x="${ 'can' + 'ary-of-a-step' }")), "sensitive": ["values"]}
    run = engine.go(engine.publish(node, step("b", "set", **values(y="${ steps.a.x }"))))
    assert run.status == "succeeded"
    stored = engine.outputs(run.id)
    assert redaction.is_sealed(stored["a"]["x"])
    assert redaction.is_sealed(stored["b"]["y"])
    assert redaction.is_sealed(run.output_data["y"])


def test_a_sub_workflow_keeps_the_secrets_of_its_caller(engine, publish):
    child = engine.publish(step("c", "set", **values(z="${ input.handed }")), inputs=("handed",))
    parent = publish(
        step("call", "subworkflow", workflow=str(child), inputs=[{"name": "handed", "value": "${ input.given }"}]),
        step("after", "set", **values(back="${ steps.call.output.z }")),
    )
    run = engine.go(parent, given=CANARY)
    assert (run.status, run.error) == ("succeeded", None)
    assert redaction.is_sealed(engine.outputs(run.id)["after"]["back"])
    assert not holds(dump())


def test_a_retry_takes_over_what_is_sealed(engine, publish):
    workflow = publish(step("a", "set", **values(x="${ input.given }")), step("b", "set", **values(y="${ int('no number') }")))
    run = engine.go(workflow, given=CANARY)
    with engine.in_house():
        again = service.retry_run(engine.house.id, run.id, by=engine.by)
    engine.pump()
    assert redaction.is_sealed(engine.outputs(again)["a"]["x"])
    assert not holds(dump())


def test_what_is_sealed_for_one_organisation_opens_in_no_other(engine):
    tenant, other, known = new_id(), new_id(), Secrets()
    value = {"a": [redaction.sealed(tenant, CANARY), {"$sealed": "no ciphertext"}]}
    assert redaction.opened(tenant, value, known) == {"a": [CANARY, {"$sealed": "no ciphertext"}]}
    assert redaction.opened(other, value, Secrets()) == value
    assert known.stands_in(f"x{CANARY}y")
    assert json.loads(redaction.shown_text(json.dumps(value))) == {"a": [MASK, MASK]}
