"""The form: for members, for everybody; once, bounded, in both languages."""

from __future__ import annotations

import re

import pytest

from portal.core.ids import new_id
from tests.conftest import Page
from tests.workflows.triggers.conftest import declared, step, values

INPUTS = [declared("who", required=True), declared("day", "date"), declared("sort", "choice", choices=("a", "b"))]
QUICK = step("only", "set", **values(x="1"))


@pytest.fixture
def workflow_id(starts):
    return starts.publish_with(QUICK, inputs=INPUTS)


@pytest.fixture
def public(starts, workflow_id):
    """A form for everybody, switched on."""
    trigger_id = starts.add(
        workflow_id, "form", who="everybody", title="Ask for leave", title_ar="اطلب إجازة", thanks="We call you.", thanks_ar="سنتصل بك."
    )
    starts.switch(workflow_id, trigger_id, on=True)
    return trigger_id


def fill(caller, token, **given):
    return caller.post(f"/f/{token}", data={"request_key": str(new_id()), **given})


def test_a_form_for_everybody_begins_switched_off(starts, workflow_id, caller):
    trigger_id = starts.add(workflow_id, "form", who="everybody")
    token = starts.token(trigger_id)

    assert caller.get(f"/f/{token}").status_code == 404
    assert fill(caller, token, who="x").status_code == 404
    starts.switch(workflow_id, trigger_id, on=True)
    assert caller.get(f"/f/{token}").status_code == 200


@pytest.mark.parametrize(("tag", "title", "sent"), [("en", "Ask for leave", "We call you."), ("ar", "اطلب إجازة", "سنتصل بك.")])
def test_anybody_sends_it_in_their_language(app, starts, workflow_id, public, tag, title, sent):
    client = app.test_client()
    client.set_cookie("locale", tag)
    token = starts.token(public)

    page = Page(client.get(f"/f/{token}"))
    assert title in page.text_of("h1")[0] if page.text_of("h1") else title in page.text
    key = re.search(r'name="request_key" value="([^"]+)"', page.text)[1]
    answer = client.post(f"/f/{token}", data={"request_key": key, "who": "سارة", "day": "1448-07-22", "sort": "a"})
    assert answer.status_code == 303 and answer.headers["Location"] == f"/f/{token}/thanks"
    assert sent in Page(client.get(answer.headers["Location"])).text

    (run,) = starts.runs(workflow_id)
    assert run.input_data == {"who": "سارة", "day": "2026-12-31", "sort": "a"} and run.executed_by is None


def test_sent_twice_it_starts_once(starts, workflow_id, public, caller):
    token, key = starts.token(public), str(new_id())
    for _ in range(3):
        assert fill(caller, token, request_key=key, who="x").status_code == 303
    assert len(starts.runs(workflow_id)) == 1
    # Back, another text, sent again: that is another one.
    assert fill(caller, token, request_key=key, who="y").status_code == 303
    assert len(starts.runs(workflow_id)) == 2


def test_what_is_wrong_is_said_and_what_was_typed_stays(starts, workflow_id, public, caller):
    page = Page(fill(caller, starts.token(public), day="tomorrow", sort="c", who=""))

    assert page.status_code == 422 and 'value="tomorrow"' in page.text
    assert page.text.count("has-error") == 3
    summary = page.text_of("body//div[@role='group']//li")
    assert len(summary) == 3 and len({each.split(": ")[0] for each in summary}) == 3, "each names its field"
    assert starts.runs(workflow_id) == [] and starts.receipts(public) == []


def test_who_fills_the_trap_is_thanked_and_nothing_is_kept(starts, workflow_id, public, caller):
    answer = fill(caller, starts.token(public), who="bot", homepage_url="http://spam.example")

    assert answer.status_code == 303
    assert starts.runs(workflow_id) == [] and starts.receipts(public) == []


def test_a_network_sends_as_many_as_it_may(starts, workflow_id, caller):
    trigger_id = starts.add(workflow_id, "form", who="everybody", per_hour=3)
    starts.switch(workflow_id, trigger_id, on=True)
    token, key = starts.token(trigger_id), str(new_id())

    statuses = [fill(caller, token, request_key=key, who="same").status_code] + [
        fill(caller, token, who=str(n)).status_code for n in range(4)
    ]
    refused = fill(caller, token, who="late")
    again = fill(caller, token, request_key=key, who="same")
    elsewhere = caller.post(f"/f/{token}", data={"request_key": str(new_id()), "who": "z"}, environ_base={"REMOTE_ADDR": "198.51.100.7"})

    assert statuses == [303, 303, 303, 429, 429]
    assert 3_000 < int(refused.headers["Retry-After"]) <= 3_601
    assert (again.status_code, elsewhere.status_code) == (303, 303)
    assert len(starts.runs(workflow_id)) == 4


def test_too_large_and_too_long(starts, public, caller):
    token = starts.token(public)
    assert fill(caller, token, who="x" * 250_000).status_code == 413
    assert fill(caller, token, who="x" * 2_000).status_code == 422


def test_after_its_last_day_it_is_closed(starts, workflow_id, caller):
    trigger_id = starts.add(workflow_id, "form", who="everybody", ends_on="2026-01-01")
    starts.switch(workflow_id, trigger_id, on=True)
    token = starts.token(trigger_id)

    assert Page(caller.get(f"/f/{token}")).status_code == 410
    assert fill(caller, token, who="x").status_code == 409
    assert starts.runs(workflow_id) == []


def test_members_sign_in_first_and_the_run_is_theirs(starts, workflow_id, tenant, sign_in, visitor, stranger):
    trigger_id = starts.add(workflow_id, "form", who="members")
    path = f"/f/{starts.token(trigger_id)}"

    asked = visitor.get(path)
    assert asked.status_code == 303 and "/sign-in" in asked.headers["Location"]
    assert stranger.get(path).status_code == 404 == stranger.post(path, data={"who": "x"}).status_code
    assert sign_in(tenant, "auditor").get(path).status_code == 403
    assert sign_in(tenant, "member").post(path, data={"request_key": str(new_id()), "who": "x"}).status_code == 303
    (run,) = starts.runs(workflow_id)
    assert run.executed_by == tenant.people["member"]


def test_a_form_for_members_is_sent_by_no_other_page(app, starts, workflow_id, tenant, sign_in):
    path = f"/f/{starts.token(starts.add(workflow_id, 'form', who='members'))}"
    member = sign_in(tenant, "member")
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        token = re.search(r'name="csrf_token" value="([^"]+)"', member.get(path).text)[1]
        without = member.post(path, data={"request_key": str(new_id()), "who": "x"})
        sent = member.post(path, data={"request_key": str(new_id()), "who": "x", "csrf_token": token})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False

    assert (without.status_code, sent.status_code) == (400, 303)
    assert len(starts.runs(workflow_id)) == 1


def test_a_public_page_says_nothing_to_search_engines_and_keeps_nobody(starts, public, caller):
    answer = caller.get(f"/f/{starts.token(public)}")

    assert answer.headers["X-Robots-Tag"] == "noindex" and "no-store" in answer.headers["Cache-Control"]
