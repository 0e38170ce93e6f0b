"""The designer as a person uses it: pages, fragments, forms without JavaScript."""

from __future__ import annotations

import re

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service, vetting
from portal.workflows.actions.registry import ACTIONS


@pytest.fixture
def build(tenant):
    def make(sample="leave_request"):
        with db.transaction(tenant.id):
            by = Actor("person", tenant.people["builder"])
            return service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample=sample, by=by)

    return make


def test_the_flow_is_a_nested_list_in_reading_order(build, as_role):
    page = as_role("builder").get(f"/workflows/{build()}/design")

    assert page.status_code == 200
    assert re.findall(r'data-step="(\w+)"', page.text) == ["start", "long_leave", "ask_manager", "confirm", "note_down", "tell_me"]
    assert list(page.text_of(".lane-label")) == ["Yes", "No"]
    assert page.text_of("#publish-button") == ["Publish"]


@pytest.mark.parametrize("step", ["", "start", "long_leave", "ask_manager", "note_down", "tell_me", "nobody"])
@pytest.mark.parametrize("locale", ["ar", "en"])
def test_every_step_opens_as_page_and_as_fragment(build, tenant, sign_in, step, locale):
    browser = sign_in(tenant, "builder", locale)
    url = f"/workflows/{build()}/design?step={step}"

    assert browser.get(url).status_code == 200
    fragment = browser.get(url, fragment=True)
    assert fragment.status_code == 200
    assert fragment.text.lstrip().startswith('<div class="designer"')


def test_a_step_is_added_through_the_picker_without_javascript(build, as_role):
    browser = as_role("builder")
    url = f"/workflows/{build()}/design"

    picker = browser.get(f"{url}/add?after=long_leave&parent=&lane=")
    added = browser.post(f"{url}/add", data={"kind": "wait", "after": "long_leave", "parent": "", "lane": "", "revision": "0"})

    assert len(picker.text_of(".kind")) == len(ACTIONS)
    assert added.status_code == 303
    assert added.headers["Location"].endswith("?step=wait#inspector")
    assert "Step added after “\u2068More than 5 days?\u2069”, position 4 of 6." in browser.get(url).text


def test_a_step_added_by_htmx_is_announced_and_focused(build, as_role):
    url = f"/workflows/{build('blank')}/design"

    added = as_role("builder").post(f"{url}/add", data={"kind": "email", "revision": "0"}, fragment=True)

    assert added.status_code == 200
    assert added.headers["HX-Push-Url"].endswith("?step=email")
    assert "Step added, position 1 of 1." in added.text
    assert re.search(r'id="step-email"[^>]*data-autofocus', added.text)


def test_a_new_step_is_named_in_both_languages(build, as_role, tenant):
    from portal.workflows import queries

    workflow_id = build("blank")
    browser = as_role("builder")
    for revision in ("0", "1"):
        browser.post(f"/workflows/{workflow_id}/design/add", data={"kind": "email", "revision": revision})

    with db.transaction(tenant.id):
        names = [node["name"] for node in queries.get_workflow(tenant.id, workflow_id).nodes]
    assert sorted(names) == ["E-mail", "E-mail 2"]


def test_a_refused_form_keeps_what_was_typed(build, as_role):
    url = f"/workflows/{build('blank')}/design"
    browser = as_role("builder")
    browser.post(f"{url}/add", data={"kind": "wait", "revision": "0"})

    page = browser.post(f"{url}/steps/wait", data={"name": "Pause", "c-mode": "for", "c-amount": "soon", "c-unit": "days", "revision": "1"})

    assert page.status_code == 422
    assert 'value="soon"' in page.text and 'value="Pause"' in page.text
    assert page.text_of("#f-wait-amount-error") == ["Error: Enter a number, or take one from an earlier step."]
    assert "There is a problem" in page.text
    assert page.text_of("title")[0].startswith("Error:") if page.text_of("title") else True


def test_saving_as_you_go_does_not_steal_the_focus(build, as_role):
    url = f"/workflows/{build('blank')}/design"
    browser = as_role("builder")
    browser.post(f"{url}/add", data={"kind": "wait", "revision": "0"})

    part = browser.post(f"{url}/steps/wait", data={"name": "P", "c-amount": "soon", "autosave": "1", "revision": "1"}, fragment=True)

    assert part.status_code == 422
    assert "data-autofocus" not in part.text


def test_who_was_faster_is_named_and_nothing_typed_is_lost(build, tenant, sign_in):
    url = f"/workflows/{build()}/design"
    sign_in(tenant, "admin").post(f"{url}/steps/confirm", data={"name": "Theirs", "revision": "0"})

    page = sign_in(tenant, "builder").post(f"{url}/steps/ask_manager", data={"name": "Mine", "c-to": "a@example.com", "revision": "0"})

    assert page.status_code == 409
    assert page.text_of("#conflict-title")[0].startswith("Admin changed this workflow before you")
    assert 'value="Mine"' in page.text and 'value="a@example.com"' in page.text
    assert "Theirs" in page.text
    again = sign_in(tenant, "builder").post(f"{url}/steps/ask_manager", data={"name": "Mine", "c-to": "a@example.com", "revision": "1"})
    assert again.status_code == 303


def test_a_step_deleted_meanwhile_is_a_conflict_not_a_wrong_address(build, tenant, sign_in):
    url = f"/workflows/{build()}/design"
    sign_in(tenant, "admin").post(f"{url}/steps/confirm/delete", data={"revision": "0"})
    browser = sign_in(tenant, "builder")

    for path in ("steps/confirm", "steps/confirm/move", "steps/confirm/delete"):
        assert browser.post(f"{url}/{path}", data={"revision": "0"}).status_code == 409
        assert browser.post(f"{url}/{path}", data={"revision": "1"}).status_code == 404


def test_delete_offers_to_undo_and_undo_brings_the_lanes_back(build, as_role):
    url = f"/workflows/{build()}/design"
    browser = as_role("builder")

    deleted = browser.post(f"{url}/steps/long_leave/delete", data={"revision": "0"}, fragment=True)
    undone = browser.post(f"{url}/undo", data={"revision": "1"}, fragment=True)

    assert 'id="undoable"' in deleted.text and "step-ask_manager" not in deleted.text
    assert re.search(r'id="step-note_down"[^>]*data-autofocus', deleted.text)
    assert "Undone: Deleting a step." in undone.text and "step-ask_manager" in undone.text


def test_moving_says_where_the_step_is_now(build, as_role):
    url = f"/workflows/{build()}/design"
    browser = as_role("builder")

    up = browser.post(f"{url}/steps/note_down/move", data={"direction": "up", "revision": "0"}, fragment=True)
    to = browser.post(f"{url}/steps/note_down/move", data={"direction": "to", "place": "||", "revision": "1"}, fragment=True)

    assert "“\u2068Note the request down\u2069” moved. After “\u2068Confirm to the employee\u2069”, position 4 of 5." in up.text
    assert "“\u2068Note the request down\u2069” moved. At the beginning, position 1 of 5." in to.text


def test_a_refused_publish_leads_to_the_steps(build, as_role):
    url = f"/workflows/{build('blank')}/design"
    browser = as_role("builder")
    browser.post(f"{url}/add", data={"kind": "email", "revision": "0"})

    page = browser.post(f"{url}/publish", data={"revision": "1"})

    assert page.status_code == 422
    assert page.text_of("#refused-title") == ["Not published: 3 things to put right"]
    assert f'href="{url}?step=email#inspector"' in page.text


def test_a_long_list_of_what_keeps_it_from_being_published_is_folded(build, as_role):
    url = f"/workflows/{build('blank')}/design"
    browser = as_role("builder")
    for revision in range(3):
        browser.post(f"{url}/add", data={"kind": "email", "revision": str(revision)})

    page = browser.post(f"{url}/publish", data={"revision": "3"})

    assert page.text_of("#refused-title") == ["Not published: 9 things to put right"]
    assert page.text_of("body//details[@id='refused-more']/summary") == ["4 more things"]
    assert len(page.text_of("body//details[@id='refused-more']/ul/li")) == 4
    assert len(page.text_of("body//div[@id='refused']//li")) == 9


def test_publishing_makes_the_version_live(build, as_role):
    url = f"/workflows/{build()}/design"

    page = as_role("builder").post(f"{url}/publish", data={"revision": "0"}, fragment=True)

    assert page.status_code == 200
    assert "Version 1 is live" in page.text


@pytest.mark.parametrize(
    "path", ["", "/add", "/steps/confirm", "/start", "/steps/confirm/move", "/steps/confirm/delete", "/undo", "/redo", "/publish"]
)
def test_strangers_and_readers_stay_outside(build, as_role, stranger, path):
    url = f"/workflows/{build()}/design{path}"
    ask = {"data": {"revision": "0", "kind": "wait"}}

    assert (stranger.post(url, **ask) if path else stranger.get(url)).status_code == 404
    reader = as_role("auditor")
    assert (reader.post(url, **ask) if path else reader.get(url)).status_code == 403


def test_a_large_flow_stays_small_on_the_wire(build, as_role, tenant):
    import gzip

    from portal.workflows.designer import drafts
    from portal.workflows.designer.edits import Place

    workflow_id = build("blank")
    by = Actor("person", tenant.people["builder"])
    node = {"kind": "email", "name": "Tell", "name_ar": "إخبار", "config": {}, "retry": {"attempts": 3}, "timeout_s": 30}
    with db.transaction(tenant.id):
        for revision in range(60):
            drafts.add_step(tenant.id, workflow_id, node, Place(), revision=revision, by=by)

    page = as_role("builder").get(f"/workflows/{workflow_id}/design?step=email")

    assert len(gzip.compress(page.text.encode(), 9)) <= 30_000


def test_a_workflow_is_renamed_in_both_languages_and_can_be_switched_off(build, as_role, sign_in, tenant):
    browser = as_role("builder")
    url = f"/workflows/{build()}"

    refused = browser.post(f"{url}/describe", data={"name": "", "name_ar": "طلب إجازة", "description": "Who is away"})
    saved = browser.post(f"{url}/describe", data={"name": "Time off", "name_ar": "طلب إجازة", "description": "Who is away"})

    assert (refused.status_code, saved.status_code) == (422, 303)
    assert "طلب إجازة" in refused.text
    page = browser.get(url)
    assert page.text_of("body//h1") == ["Time off"]
    assert "Who is away" in page.text
    assert f'href="{url}/run"' not in page.text
    assert sign_in(tenant, "member", "ar").get(url).text_of("body//h1") == ["طلب إجازة"]
    assert sign_in(tenant, "member").get(f"{url}/describe").status_code == 403


def test_an_address_that_may_not_be_called_is_refused_when_publishing(tenant, build):
    with db.transaction(tenant.id):
        workflow = service.queries.get_workflow(tenant.id, build("blank"))
        call = {"key": "call", "kind": "webhook", "name": "Call", "parent": None, "lane": None}

        def problems(url):
            workflow.nodes = [{**call, "config": {"method": "POST", "url": url}}]
            return [(each.step, each.field) for each in vetting.check_draft(workflow)]

        assert problems("http://169.254.169.254/latest/meta-data") == [("call", "url")]
        assert problems("https://hooks.example.com/in") == []
        assert problems("https://${ 'hooks' }.example.com/in") == []
