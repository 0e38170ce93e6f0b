"""How many statements the designer asks the database for: few, and no more for a long flow than for a short one."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import Engine, event

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.designer import drafts
from tests.workflows.designer.test_edits import flow

GONE = "00000000-0000-7000-8000-000000000001"
# Each asks the database whether what it names is there.
KINDS = ({"kind": "slack", "config": {"connection": GONE}}, {"kind": "subworkflow", "config": {"workflow": GONE}}, {"kind": "database", "config": {"table": "leave"}})  # fmt: skip


@contextmanager
def counted():
    said = []

    def note(_connection, _cursor, statement, *_more):
        if not statement.lstrip().startswith("update sessions"):  # now and then, by the clock
            said.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def build(tenant):
    def make(turns):
        by = Actor("person", tenant.people["builder"])
        nodes = [{**flow(f"s{number}")[0], **KINDS[number % 3]} for number in range(3 * turns)]
        nodes += [{**flow("last")[0], "config": {"values": [{"name": "days", "value": "${ steps.s0.x }"}]}}]
        with db.transaction(tenant.id):
            workflow_id = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="blank", by=by)
            drafts.replace(tenant.id, workflow_id, nodes, {"inputs": []}, revision=0, label="step.added", by=by)
        return f"/workflows/{workflow_id}/design"

    return make


def statements(ask):
    assert ask().status_code == 200  # what a process keeps is kept now
    with counted() as said:
        ask()
    return said


@pytest.mark.parametrize(("query", "most"), [("", 9), ("?step=last", 12), ("?step=start", 14)])
def test_a_page_of_the_designer_asks_little_however_long_the_flow_is(build, as_role, query, most):
    browser = as_role("builder")
    short, long = (statements(partial(browser.get, build(turns) + query)) for turns in (1, 20))

    assert len(long) <= len(short), "\n".join(long)
    assert len(long) <= most, "\n".join(long)


def test_a_preview_and_an_added_step_ask_little_however_long_the_flow_is(build, as_role):
    browser = as_role("builder")
    text = {"preview_id": "f-last-values-v0", "preview_field": "c-values-value", "preview_text": "${ steps.s0.x }"}
    short, long = (statements(partial(browser.post, f"{build(turns)}/steps/last/preview", data=text)) for turns in (1, 20))
    assert len(long) <= len(short) <= 6, "\n".join(long)

    added = []
    for turns in (1, 20):
        url = build(turns)
        with counted() as said:
            answer = browser.post(f"{url}/add", data={"kind": "wait", "revision": "1"}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        added.append(said)
    assert len(added[1]) <= len(added[0]), "\n".join(added[1])
    assert len(added[0]) <= 20, "\n".join(added[0])
