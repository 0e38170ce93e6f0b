"""Drafts that nobody would make by hand: a kind of step that does not exist any more, a step that somebody deleted meanwhile."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.designer import drafts
from tests.workflows.designer.test_edits import flow


@pytest.fixture
def build(tenant):
    def make(nodes):
        by = Actor("person", tenant.people["builder"])
        with db.transaction(tenant.id):
            workflow_id = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="blank", by=by)
            drafts.replace(tenant.id, workflow_id, nodes, {"inputs": []}, revision=0, label="step.added", by=by)
        return f"/workflows/{workflow_id}/design"

    return make


GONE = [{**flow("old")[0], "kind": "fax", "config": {"to": "${ input.x }"}}, flow("after")[0]]
ASKS = {
    "page": ("get", "", {}), "settings": ("get", "?step=old", {}), "behind": ("get", "?step=after", {}), "map": ("get", "/map", {}),
    "svg": ("get", "/map.svg", {}), "png": ("get", "/map.png", {}),
    "save": ("post", "/steps/old", {"name": "Old", "name_ar": "", "note": "x"}),
    "preview": ("post", "/steps/old/preview", {"preview_id": "f-old-to", "preview_field": "c-to", "preview_text": "${ 1 }"}),
    "pin": ("post", "/steps/old/sample", {"do": "pin", "sample": "{}"}), "last": ("post", "/steps/old/sample", {"do": "last"}),
    "try": ("post", "/steps/old/try", {"how": "step"}), "path": ("post", "/steps/old/try", {"how": "path"}),
    "path behind": ("post", "/steps/after/try", {"how": "path"}), "try behind": ("post", "/steps/after/try", {"how": "step"}),
    "move": ("post", "/steps/old/move", {"direction": "down"}), "delete": ("post", "/steps/old/delete", {}),
    "duplicate": ("post", "/chosen", {"do": "duplicate", "key": "old"}), "copy": ("post", "/chosen", {"do": "copy", "key": "old"}),
}  # fmt: skip

SAYS = {"preview": 404, "last": 422}  # no field of such a kind is known, and it has no result


@pytest.mark.parametrize("name", ASKS)
def test_a_kind_that_does_not_exist_any_more_breaks_nothing(build, as_role, name):
    url, browser = build(GONE), as_role("builder")
    how, path, given = ASKS[name]

    answer = browser.get(url + path) if how == "get" else browser.post(url + path, data={**given, "revision": "1"})
    assert answer.status_code == SAYS.get(name, 200 if how == "get" or name.startswith(("try", "path")) else 303)
    if name in ("settings", "try", "path"):
        assert "This kind of step is not known here" in answer.text


STALE = {
    "save": ("/steps/gone", {"name": "Old", "name_ar": ""}), "move": ("/steps/gone/move", {"direction": "down"}),
    "delete": ("/steps/gone/delete", {}), "duplicate": ("/chosen", {"do": "duplicate", "key": "gone"}),
    "add": ("/add", {"kind": "wait", "after": "gone"}),
    "paste": ("/paste", {"text": '{"nasij": "steps", "steps": [{"key": "a", "kind": "set"}]}', "after": "gone"}),
}  # fmt: skip


@pytest.mark.parametrize("name", STALE)
def test_a_stale_tab_about_a_step_that_is_gone_is_told_what_changed(build, as_role, name):
    url, browser = build(GONE), as_role("builder")
    path, given = STALE[name]

    answer = browser.post(url + path, data={**given, "revision": "0"})
    assert answer.status_code == 409 and 'id="conflict"' in answer.text
