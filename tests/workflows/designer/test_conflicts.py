"""Two people at one draft: what the other changed is said, mine comes on top only by a press, and nothing is overwritten unseen."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.workflows import queries, service


@pytest.fixture
def both(tenant, sign_in):
    """The address of a design, two people at it, and its steps."""
    with db.transaction(tenant.id):
        by = Actor("person", tenant.people["builder"])
        workflow_id = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)

    def nodes():
        with db.transaction(tenant.id):
            return {node["key"]: node for node in queries.get_workflow(tenant.id, workflow_id).nodes}

    return f"/workflows/{workflow_id}/design", sign_in(tenant, "builder"), sign_in(tenant, "admin"), nodes


def inputs_of(page, form):
    return {
        each.get("name"): each.get("value") or ""
        for each in page.tree().find(f".//*[@id='{form}']").iter("input")
        if each.get("name") and each.get("type") not in ("checkbox", "hidden")
    }


def test_what_both_changed_is_said_and_what_one_changed_is_kept(both):
    url, mine, theirs, nodes = both
    theirs.post(f"{url}/steps/confirm", data={"name": "Theirs", "c-subject": "Their subject", "revision": "0"})

    page = mine.post(f"{url}/steps/confirm", data={"name": "Mine", "name_ar": "لي", "c-to": "me@example.com", "revision": "0"})

    assert page.status_code == 409
    meanwhile = page.text_of("#conflict-theirs")[0]
    assert "Theirs" in meanwhile and "Their subject" in meanwhile
    row = " ".join(page.text_of(".table"))
    assert "Theirs" in row and "Mine" in row and "Their subject" not in row, "only what both changed stands in the table"
    typed = inputs_of(page, "form-confirm")
    assert (typed["name"], typed["c-to"], typed["c-subject"]) == ("Mine", "me@example.com", "Their subject")
    assert nodes()["confirm"]["name"] == "Theirs", "nothing is saved yet"
    kept = mine.post(f"{url}/steps/confirm", data={**typed, "revision": "1"})
    assert kept.status_code == 303
    assert nodes()["confirm"]["name"] == "Mine" and nodes()["confirm"]["config"]["subject"] == "Their subject"


def test_the_start_comes_together_the_same_way(both):
    url, mine, theirs, _nodes = both
    theirs.post(f"{url}/start", data={"count": "0", "deadline": "2", "deadline_unit": "86400", "do": "add", "revision": "0"})

    start = {"count": "0", "deadline": "1", "deadline_unit": "86400", "priority": "1", "most": "", "revision": "0"}
    page = mine.post(f"{url}/start", data={**start, "deadline": "1"})

    assert page.status_code == 409
    assert inputs_of(page, "form-start")["deadline"] == "2", "their time limit stays"
    assert re.search(r'<option value="1" selected', page.text), "my urgency is on top"


def test_an_edit_without_a_form_can_be_made_all_the_same(both):
    url, mine, theirs, nodes = both
    theirs.post(f"{url}/steps/confirm/delete", data={"revision": "0"})

    page = mine.post(f"{url}/steps/tell_me/move", data={"direction": "to", "place": "||", "revision": "0"})
    assert page.status_code == 409 and "Removed" in page.text_of("#conflict-theirs")[0]
    form = page.tree().find(".//*[@id='do-again']/../..")
    fields = {each.get("name"): each.get("value") for each in form.iter("input") if each.get("name") != "csrf_token"}
    assert fields == {"revision": "1", "direction": "to", "place": "||"}
    assert mine.post(form.get("action"), data=fields).status_code == 303
    assert next(iter(nodes())) == "tell_me"

    gone = mine.post(f"{url}/steps/confirm/move", data={"direction": "up", "revision": "0"})
    lost_place = mine.post(f"{url}/add", data={"kind": "wait", "after": "confirm", "parent": "long_leave", "lane": "else", "revision": "0"})
    unread = mine.post(f"{url}/undo", data={"revision": "0"})
    assert [page.status_code for page in (gone, lost_place, unread)] == [409, 409, 409]
    assert not any('id="do-again"' in page.text for page in (gone, lost_place, unread))


def test_what_was_typed_for_a_step_that_is_gone_can_be_copied(both):
    url, mine, theirs, _nodes = both
    theirs.post(f"{url}/steps/confirm/delete", data={"revision": "0"})

    page = mine.post(f"{url}/steps/confirm", data={"name": "Long thought about", "c-subject": "Well written", "revision": "0"})

    assert page.status_code == 409
    assert "The step that you were at is gone." in page.text
    areas = [each.text.strip() for each in page.tree().iter("textarea") if (each.get("id") or "").startswith("typed-")]
    assert "Long thought about" in areas and "Well written" in areas


def test_a_revision_that_is_not_kept_is_a_conflict_all_the_same(both):
    url, mine, _theirs, _nodes = both
    page = mine.post(f"{url}/steps/confirm", data={"name": "Mine", "revision": "77"})

    assert page.status_code == 409 and inputs_of(page, "form-confirm")["name"] == "Mine"


@pytest.mark.parametrize("is_fragment", [False, True])
def test_who_lost_the_permission_keeps_what_was_typed(both, tenant, is_fragment):
    url, mine, _theirs, nodes = both
    before = nodes()
    with db.transaction(tenant.id) as session:
        session.execute(text("update memberships set role = 'auditor' where person_id = :id"), {"id": tenant.people["builder"]})

    page = mine.post(f"{url}/steps/confirm", data={"name": "My words", "c-body": "Much text", "revision": "0"}, fragment=is_fragment)

    assert page.status_code == 403
    assert "You may not edit workflows any more" in page.text
    assert [each.text.strip() for each in page.tree().iter("textarea")] == ["My words", "Much text"]
    assert nodes() == before


def test_a_step_that_another_changed_can_be_deleted_all_the_same(both):
    url, mine, theirs, nodes = both
    theirs.post(f"{url}/steps/confirm", data={"name": "Theirs", "revision": "0"})

    page = mine.post(f"{url}/steps/confirm/delete", data={"revision": "0"})

    form = page.tree().find(".//*[@id='do-again']/../..")
    assert page.status_code == 409 and form is not None, "the edit sends nothing but its address"
    mine.post(form.get("action"), data={"revision": "1"})
    assert "confirm" not in nodes()


def test_a_problem_of_the_draft_is_not_said_of_what_is_typed_on_top(both):
    url, mine, theirs, _nodes = both
    theirs.post(f"{url}/steps/confirm", data={"name": "Theirs", "c-to": "", "revision": "0"})

    page = mine.post(f"{url}/steps/confirm", data={"name": "Mine", "c-to": "me@example.com", "revision": "0"})

    assert inputs_of(page, "form-confirm")["c-to"] == "me@example.com"
    assert 'id="f-confirm-to-error"' not in page.text
