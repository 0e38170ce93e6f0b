"""Several steps at once as a person uses them: forms without JavaScript, fragments, another workflow, another organisation."""

from __future__ import annotations

import json
import re

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import queries, service
from portal.workflows.designer import kept as keeping


@pytest.fixture
def build(tenant):
    def make(sample="leave_request", house=tenant):
        with db.transaction(house.id):
            by = Actor("person", house.people["builder"])
            return service.create_workflow(house.id, name="Leave", name_ar="إجازة", sample=sample, by=by)

    return make


@pytest.fixture
def nodes_of(tenant):
    def find(workflow_id, house=tenant):
        with db.transaction(house.id):
            return queries.get_workflow(house.id, workflow_id).nodes

    return find


def steps(page):
    return re.findall(r'<a class="step-card[^>]*data-step="(\w+)"', page.text)


def test_chosen_steps_are_moved_duplicated_and_deleted_each_as_one_edit(build, as_role):
    browser, url = as_role("builder"), f"/workflows/{build()}/design"
    select = browser.get(f"{url}?select=1")
    assert "is-choosing" in select.text and "is-choosing" not in browser.get(url).text

    asked = browser.post(f"{url}/chosen", data={"key": ["note_down", "tell_me"], "do": "to", "revision": "0"})
    assert asked.status_code == 200 and asked.text_of(".moving") == ["Note the request downTell who asked"]
    assert "Confirm to the employee" in asked.text_of("#f-place")[0] and "Note the request down" not in asked.text_of("#f-place")[0]
    moved = browser.post(f"{url}/chosen", data={"key": ["note_down", "tell_me"], "do": "to", "place": "||", "revision": "0"})
    assert moved.status_code == 303
    page = browser.get(url)
    assert steps(page)[1:3] == ["note_down", "tell_me"]
    assert "2 steps moved. At the beginning, position 1 of 5." in page.text

    twice = browser.post(f"{url}/chosen", data={"key": "note_down,tell_me", "do": "duplicate", "revision": "1"}, fragment=True)
    assert steps(twice)[1:5] == ["note_down", "tell_me", "database", "notification"]
    assert re.findall(r'id="choose-(\w+)"[^>]* checked', twice.text) == ["database", "notification"]
    gone = browser.post(f"{url}/chosen", data={"key": "note_down,long_leave,ask_manager", "do": "delete", "revision": "2"}, fragment=True)
    assert "3 steps were deleted." in gone.text and 'id="undoable"' in gone.text
    assert steps(gone)[1:] == ["tell_me", "database", "notification"]
    undone = browser.post(f"{url}/undo", data={"revision": "3"}, fragment=True)
    assert "Undone: Deleting steps." in undone.text and len(steps(undone)) == 8


def test_copied_steps_are_pasted_into_another_workflow(build, as_role, nodes_of):
    browser = as_role("builder")
    here, there = build(), build("blank")

    copied = browser.post(f"/workflows/{here}/design/chosen", data={"key": "long_leave", "do": "copy", "revision": "0"})
    assert copied.status_code == 303
    picker = browser.get(f"/workflows/{there}/design/add")
    assert "Paste here" in picker.text
    pasted = browser.post(f"/workflows/{there}/design/paste", data={"parent": "", "lane": "", "after": "", "revision": "0"})

    assert pasted.status_code == 303
    assert [(node["key"], node["parent"]) for node in nodes_of(there)] == [
        ("long_leave", None),
        ("ask_manager", "long_leave"),
        ("confirm", "long_leave"),
    ]
    page = browser.get(f"/workflows/{there}/design")
    assert "1 step was put in." in page.text
    assert "is not an input of this workflow" in page.text, "what is missing there is named"


def test_what_was_copied_is_found_as_it_was_and_never_from_another_organisation(build, tenant, other_tenant, sign_in, nodes_of):
    browser, here = sign_in(tenant, "builder"), build()
    browser.post(f"/workflows/{here}/design/chosen", data={"key": "confirm", "do": "copy", "revision": "0"})
    browser.post(f"/workflows/{here}/design/steps/confirm", data={"name": "Later", "revision": "0"})
    there = build("blank")
    browser.post(f"/workflows/{there}/design/paste", data={"revision": "0"})
    assert [node["name"] for node in nodes_of(there)] == ["Confirm to the employee"]

    # The same note in the session of a member of another organisation names nothing.
    kept = {"tenant": str(tenant.id), "workflow": str(here), "revision": 0, "keys": ["confirm"]}
    strange = sign_in(other_tenant, "builder")
    theirs = build("blank", other_tenant)
    with db.transaction(other_tenant.id), strange.client.session_transaction() as session:
        session[keeping.COPIED] = kept
    assert "Paste here" not in strange.get(f"/workflows/{theirs}/design/add").text
    with db.transaction(other_tenant.id), strange.client.session_transaction() as session:
        session[keeping.COPIED] = {**kept, "tenant": str(other_tenant.id)}
    refused = strange.post(f"/workflows/{theirs}/design/paste", data={"revision": "0"})
    assert refused.status_code == 422 and "Nothing is kept to be pasted" in refused.text
    assert nodes_of(theirs, other_tenant) == []


def test_a_copy_is_a_text_too_and_rubbish_is_refused(build, as_role, nodes_of):
    browser, here, there = as_role("builder"), build(), build("blank")
    copied = browser.post(f"/workflows/{here}/design/chosen", data={"key": "note_down", "do": "copy", "revision": "0"}, fragment=True)
    text = copied.tree().find(".//*[@id='clip']").text
    assert [node["key"] for node in json.loads(text)["steps"]] == ["note_down"]

    for rubbish in ("hello", '{"nasij":"steps","steps":[{"key":"a","kind":"rocket"}]}'):
        refused = browser.post(f"/workflows/{there}/design/paste", data={"text": rubbish, "revision": "0"}, fragment=True)
        assert refused.status_code == 422 and refused.text_of("#wrong-title")[0].startswith("What was pasted")
    browser.post(f"/workflows/{there}/design/paste", data={"text": text, "revision": "0"})
    assert [node["config"] for node in nodes_of(there)] == [node["config"] for node in nodes_of(here) if node["key"] == "note_down"]


def test_who_may_not_use_connections_pastes_none(build, tenant, as_role, nodes_of):
    from portal.core.access import Permission
    from portal.identity.roles import PERMISSIONS

    role = next(
        (name for name, may in PERMISSIONS.items() if Permission.WORKFLOW_EDIT in may and Permission.CONNECTION_USE not in may), None
    )
    text = json.dumps(
        {"nasij": "steps", "steps": [{"key": "call", "kind": "webhook", "config": {"connection": "0" * 32, "url": "https://x.example"}}]}
    )
    workflow_id = build("blank")
    as_role(role or "builder").post(f"/workflows/{workflow_id}/design/paste", data={"text": text, "revision": "0"})

    assert ("connection" in nodes_of(workflow_id)[0]["config"]) == (role is None)


def test_refusals_say_why(build, tenant, sign_in):
    url = f"/workflows/{build()}/design"
    browser = sign_in(tenant, "builder")

    none = browser.post(f"{url}/chosen", data={"do": "delete", "revision": "0"})
    assert none.status_code == 422 and "Choose at least one step." in none.text and "is-choosing" in none.text
    assert browser.post(f"{url}/chosen", data={"do": "delete", "key": "nobody", "revision": "0"}).status_code == 404
    assert browser.post(f"{url}/chosen", data={"do": "dance", "key": "confirm", "revision": "0"}).status_code == 404
    sign_in(tenant, "admin").post(f"{url}/steps/confirm/delete", data={"revision": "0"})
    for data in ({"do": "delete", "key": "confirm"}, {"do": "duplicate", "key": "tell_me"}, {"do": "to", "key": "tell_me", "place": "||"}):
        assert browser.post(f"{url}/chosen", data={**data, "revision": "0"}).status_code == 409
    text = '{"nasij":"steps","steps":[{"key":"a","kind":"set"}]}'
    assert browser.post(f"{url}/paste", data={"text": text, "revision": "0"}).status_code == 409
    many = json.dumps({"nasij": "steps", "steps": [{"key": f"a{number}", "kind": "set"} for number in range(200)]})
    full = browser.post(f"{url}/paste", data={"text": many, "revision": "1"})
    assert full.status_code == 422 and "A workflow has at most 200 steps." in full.text


@pytest.mark.parametrize("path", ["chosen", "paste"])
def test_strangers_and_readers_stay_outside(build, as_role, stranger, path):
    url, given = f"/workflows/{build()}/design/{path}", {"key": "confirm", "do": "copy", "revision": "0", "text": "x"}

    assert stranger.post(url, data=given).status_code == 404
    assert as_role("auditor").post(url, data=given).status_code == 403


def test_a_note_is_written_shown_bounded_and_told_apart(build, as_role, nodes_of):
    workflow_id = build()
    browser, url = as_role("builder"), f"/workflows/{workflow_id}/design"
    browser.post(f"{url}/publish", data={"revision": "0"})

    refused = browser.post(f"{url}/steps/confirm", data={"name": "Confirm", "note": "x" * 2001, "revision": "0"})
    assert refused.status_code == 422 and "A note has at most 2000 characters." in refused.text.replace("2,000", "2000")
    browser.post(f"{url}/steps/confirm", data={"name": "Confirm", "note": "  Ask Salma\nfirst ", "revision": "0"})

    node = next(node for node in nodes_of(workflow_id) if node["key"] == "confirm")
    assert node["note"] == "Ask Salma\nfirst"
    assert "Ask Salma" in str(browser.get(url).text_of("#step-confirm"))
    compared = browser.get(f"/workflows/{workflow_id}/versions/compare?old=1&new=draft")
    assert "Note" in compared.text and "Ask Salma" in compared.text


def test_a_step_of_a_kind_that_is_gone_is_shown_moved_and_deleted(build, tenant, as_role):
    workflow_id = build()
    with db.transaction(tenant.id):
        workflow = queries.get_workflow(tenant.id, workflow_id)
        workflow.nodes = [{**node, "kind": "fax"} if node["key"] == "confirm" else node for node in workflow.nodes]
    browser, url = as_role("builder"), f"/workflows/{workflow_id}/design"

    page = browser.get(f"{url}?step=confirm")
    assert page.status_code == 200 and "This kind of step is not known here" in page.text
    assert browser.post(f"{url}/steps/confirm", data={"name": "Fax", "revision": "0"}).status_code == 303
    assert browser.post(f"{url}/steps/confirm/move", data={"direction": "to", "place": "||", "revision": "1"}).status_code == 303
    assert browser.post(f"{url}/chosen", data={"key": "confirm", "do": "duplicate", "revision": "2"}).status_code == 303
    assert browser.post(f"{url}/steps/confirm/delete", data={"revision": "3"}).status_code == 303
