"""The pages of ways to start: add, edit, switch, secrets, delete; who may; in both languages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.workflows.triggers import queries
from tests.workflows.triggers.conftest import declared, step, values


@pytest.fixture
def workflow_id(starts):
    return starts.publish_with(step("only", "set", **values(x="1")), inputs=[declared("who", required=True)])


CRON = {
    "cron": "٠ ٨ * * SUN-THU",
    "zone": "Asia/Riyadh",
    "overlap": "skip",
    "misfire": "latest",
    "catchup": "10",
    "window_h": "24",
    "in-who": "x",
}


def test_what_an_expression_means_is_said_while_one_types(starts, workflow_id, tenant, sign_in):
    builder, base = sign_in(tenant, "builder", "en"), f"/workflows/{workflow_id}/starts"

    form = builder.get(f"{base}/new/schedule-cron").text
    assert f'data-hx-get="{base}/said"' in form and form.count("<li><time") == 5 and "8:00" in form
    said = builder.get(f"{base}/said?cron=٣٠+٩+*+*+FRI&zone=Asia/Tokyo", fragment=True).text
    assert "Friday" in said and said.count("<time") == 5 and "T09:30:00+09:00" in said
    assert "0 to 59" in builder.get(f"{base}/said?cron=61+*+*+*+*&zone=Asia/Tokyo", fragment=True).text
    assert "<time" in builder.get(f"{base}/said?cron=0+8+*+*+*&zone=No/Where", fragment=True).text, "else the reader's own zone"
    assert builder.get(f"{base}/said", fragment=True).status_code == 200
    assert sign_in(tenant, "member").get(f"{base}/said?cron=0+8+*+*+*").status_code == 403


def test_a_time_of_day_is_typed_as_people_write_it(starts, workflow_id, tenant, as_role):
    builder, url = as_role("builder"), f"/workflows/{workflow_id}/starts/new/schedule-hijri"
    given = {**{key: value for key, value in CRON.items() if key != "cron"}, "month": "9", "day": "1"}

    refused = builder.post(url, data={**given, "at": "25:00"})
    assert (refused.status_code, 'value="25:00"' in refused.text) == (422, True)
    assert builder.post(url, data={**given, "at": "٥:٣٠ م"}).status_code == 303

    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select config ->> 'at' from workflow_triggers where kind = 'schedule'")) == "17:30"


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_schedule_from_the_picker_to_the_end(starts, workflow_id, tenant, sign_in, locale):
    builder, base = sign_in(tenant, "builder", locale), f"/workflows/{workflow_id}/starts"
    assert (
        builder.get(base).status_code
        == builder.get(f"{base}/new").status_code
        == builder.get(f"{base}/new/schedule-cron").status_code
        == 200
    )

    wrong = builder.post(f"{base}/new/schedule-cron", data={**CRON, "cron": "61 * * * *", "in-who": "", "name": "x" * 200})
    assert wrong.status_code == 422 and 'value="61 * * * *"' in wrong.text and wrong.text.count("has-error") == 3
    made = builder.post(f"{base}/new/schedule-cron", data=CRON)
    assert made.status_code == 303

    page = builder.get(made.headers["Location"])
    assert page.text.count("<li><time") >= 10 or len(re.findall("<time", page.text)) >= 10
    with db.transaction(tenant.id) as session:
        kept = session.execute(text("select config, next_fire_at from workflow_triggers where kind = 'schedule'")).one()
    assert kept.config["cron"] == "0 8 * * SUN-THU" and kept.next_fire_at is not None  # digits of any script
    changed = builder.post(made.headers["Location"], data={**CRON, "cron": "30 9 * * *", "name": "Morning"})
    assert changed.status_code == 303 and "Morning" in builder.get(base).text
    assert builder.post(f"{made.headers['Location']}/switch", data={"on": "0"}).status_code == 303
    assert builder.get(f"{made.headers['Location']}/delete").status_code == 200
    assert builder.post(f"{made.headers['Location']}/delete").status_code == 303
    assert builder.get(made.headers["Location"]).status_code == 404
    with db.transaction(tenant.id) as session:
        actions = session.scalars(text("select action from audit_entries where action like 'trigger.%' order by id")).all()
    assert set(actions) == {"trigger.added", "trigger.changed", "trigger.switched", "trigger.deleted"}


@pytest.mark.parametrize("kind", ["schedule-cron", "schedule-interval", "schedule-hijri", "webhook", "form", "event"])
def test_every_kind_has_a_form_that_can_be_sent_as_it_is(starts, workflow_id, as_role, kind):
    builder, path = as_role("builder"), f"/workflows/{workflow_id}/starts/new/{kind}"
    page = builder.get(path)
    tree = page.tree()
    given = {each.get("name"): each.get("value") or "" for each in tree.iter("input") if each.get("name")}
    for each in tree.iter("select"):
        chosen = [option for option in each.iter("option") if option.get("selected") is not None] or list(each.iter("option"))[:1]
        given[each.get("name")] = chosen[0].get("value")
    given |= {"in-who": "x", "name": "", "name_ar": ""}

    made = builder.post(path, data=given)

    assert made.status_code == 303, made.text_of(".error")
    assert builder.get(made.headers["Location"]).status_code == 200


def test_a_condition_keeps_its_order_among_arabic(starts, workflow_id, tenant, sign_in):
    trigger_id = starts.add(workflow_id, "event", event="run.finished", when='input.status == "failed"', inputs={"who": "x"})
    page = sign_in(tenant, "builder", "ar").get(f"/workflows/{workflow_id}/starts/{trigger_id}")

    assert "\u2068input.status == &#34;failed&#34;\u2069" in page.text


def test_the_secret_is_shown_on_demand_and_noted(starts, workflow_id, tenant, as_role):
    trigger_id = starts.add(workflow_id, "webhook")
    builder, path = as_role("builder"), f"/workflows/{workflow_id}/starts/{trigger_id}"
    (secret,) = starts.secrets(trigger_id)

    assert secret not in builder.get(path).text and starts.token(trigger_id) in builder.get(path).text
    shown = builder.post(f"{path}/secret")
    rotated = builder.post(f"{path}/rotate", data={"overlap": "24"})
    assert secret in shown.text and "no-store" in shown.headers["Cache-Control"]
    assert starts.secrets(trigger_id)[0] in rotated.text
    assert builder.post(f"{path}/rotate", data={"overlap": "7"}).status_code == 422
    assert builder.post(f"{path}/move").status_code == 303
    with db.transaction(tenant.id) as session:
        actions = session.scalars(text("select action from audit_entries where action like 'trigger.%'")).all()
        kept = session.scalar(text("select string_agg(t::text, ' ') from workflow_triggers t")) + session.scalar(
            text("select string_agg(a::text, ' ') from audit_entries a")
        )
    assert {"trigger.secret_shown", "trigger.secret_rotated", "trigger.moved"} <= set(actions)
    for each in (*starts.secrets(trigger_id), starts.token(trigger_id)):
        assert each not in kept


def test_what_arrived_is_listed_page_by_page(starts, workflow_id, as_role, caller):
    trigger_id = starts.add(workflow_id, "webhook", proof="none")
    for number in range(30):
        caller.post(f"/hooks/{starts.token(trigger_id)}", json={"who": "x"} if number else {})
    builder, path = as_role("builder"), f"/workflows/{workflow_id}/starts/{trigger_id}"

    first = builder.get(path)
    following = re.search(r'href="([^"]+after=[^"]+)"', first.text)[1].replace("&amp;", "&")
    second = builder.get(following)

    assert first.text.count('<th scope="row">') == 25 and second.text.count('<th scope="row">') == 5
    assert "An input was missing or wrong." in second.text


def test_readers_see_and_change_nothing(starts, workflow_id, as_role):
    trigger_id = starts.add(workflow_id, "webhook")
    auditor, base = as_role("auditor"), f"/workflows/{workflow_id}/starts"

    page = auditor.get(f"{base}/{trigger_id}")
    assert auditor.get(base).status_code == page.status_code == 200
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    assert starts.token(trigger_id) not in page.text and "<form" not in main
    for path in ("/switch", "/delete", "/rotate", "/secret", "/move", ""):
        assert auditor.post(f"{base}/{trigger_id}{path}", data={"on": "0"}).status_code == 403


def test_a_trigger_is_found_only_under_its_workflow(starts, workflow_id, as_role):
    other = starts.publish_with(step("only", "set", **values(x="1")))
    trigger_id = starts.add(other, "webhook", proof="none")

    assert as_role("owner").get(f"/workflows/{workflow_id}/starts/{trigger_id}").status_code == 404
    assert as_role("owner").post(f"/workflows/{workflow_id}/starts/{trigger_id}/delete").status_code == 404


def test_what_a_form_does_not_choose_is_as_usual(starts, workflow_id, tenant, as_role):
    url = f"/workflows/{workflow_id}/starts/new/webhook"

    assert as_role("builder").post(url, data={"header": "X-Key", "wait_s": "10", "per_minute": "60", "in-who": "x"}).status_code in (
        302,
        303,
    )

    with starts.in_house():
        (trigger,) = queries.list_triggers(tenant.id, workflow_id)
    assert (trigger.config["proof"], trigger.config["reply"]) == ("standard", "accepted")
    assert as_role("builder").post(url, data={"proof": "nothing", "wait_s": "10", "per_minute": "60"}).status_code == 422
