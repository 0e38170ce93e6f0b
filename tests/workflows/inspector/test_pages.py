"""The inspector as people use it: previews, the picker, samples, trying; what is another organisation's or secret never shows."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.ids import new_id
from portal.workflows import definition, queries, service
from portal.workflows.inspector import pins, preview, sources
from portal.workflows.models import WorkflowTemplate
from portal.workflows.versions import reserve, stepping
from tests.workflows.engine.conftest import step, values

SECRET = "iban-SA4420000001234567891234"
INPUTS = [
    {"key": "who", "type": "text", "label": "Who", "label_ar": "من", "required": True, "choices": []},
    {"key": "iban", "type": "text", "label": "IBAN", "label_ar": "آيبان", "required": False, "sensitive": True, "choices": []},
]


def nodes():
    return [
        step("first", "set", **values(greeting="Hello ${ input.who }", account="${ input.iban }")),
        step("check", "condition", when="input.who == 'Sara'"),
        step("yes", "set", parent="check", lane="then", **values(x="1")),
        step("mail", "email", to="a@example.com", subject="For ${ steps.first.greeting }", body="Hi", attempts=1),
        step("last", "set", **values(x="${ steps.mail.sent }")),
    ]


@pytest.fixture
def made(engine):
    """A workflow that ran once, with a secret among its inputs."""
    settings = {"inputs": INPUTS, "deadline_s": 86400}
    with db.transaction(engine.house.id) as session:
        workflow = WorkflowTemplate(tenant_id=engine.house.id, name="Greet", name_ar="تحية", nodes=nodes()[:3], settings=settings)
        session.add(workflow)
        session.flush()
        service.publish_version(engine.house.id, workflow.id, by=engine.by)
        workflow_id = workflow.id
    assert engine.go(workflow_id, who="Sara", iban=SECRET).status == "succeeded"
    with db.transaction(engine.house.id) as session:
        session.get(WorkflowTemplate, workflow_id).nodes = nodes()
    return workflow_id


def ask(browser, workflow_id, key, field, text_, name=None):
    url = f"/workflows/{workflow_id}/design/steps/{key}/preview"
    given = {"preview_id": f"f-{key}-{field}", "preview_field": name or f"c-{field}", "preview_text": text_}
    return browser.post(url, data=given, fragment=True)


def test_a_preview_gives_the_value_with_the_last_run(made, as_role):
    page = ask(as_role("builder"), made, "mail", "subject", "For ${ steps.first.greeting } ${ input.who.size() }")

    assert page.status_code == 200
    assert page.text_of(".preview-value") == ["For Hello Sara 4"]
    assert 'id="pv-f-mail-subject"' in page.text and "<html" not in page.text


@pytest.mark.parametrize(
    ("field", "written", "says", "place"),
    [
        ("subject", "Hi\nyou ${ steps.first. }", "not written correctly", "Line 2"),
        ("subject", "${ steps.last.x }", "is not a step before this one", None),
        ("subject", "${ input.nobody }", "is not an input", None),
        ("subject", "${ steps.first.greeting / 2 }", "does not fit", "Line 1"),
        ("subject", "${ wrong }", "is not known", "Line 1, sign 4"),
        ("subject", "${ input.who", "is not closed", "Line 1, sign 1"),
    ],
)
def test_a_problem_is_told_with_its_place(made, as_role, field, written, says, place):
    page = ask(as_role("builder"), made, "mail", field, written)

    assert says in page.text_of(".preview-problem")[0]
    assert (place in page.text_of(".preview-place")[0]) if place else True


def test_the_place_of_an_expression_without_brackets_is_counted_as_it_is_written(made, as_role):
    page = ask(as_role("builder"), made, "check", "when", "input.who == wrong")

    assert 'data-place="13"' in page.text, "where “wrong” begins"


def test_without_a_sample_a_right_expression_is_no_problem(made, as_role):
    page = ask(as_role("builder"), made, "last", "values", "${ steps.mail.body.id }", name="c-values-value")

    assert 'data-state="unknown"' in page.text and "no sample" in page.text


def test_a_secret_is_dots_also_in_parts(made, as_role):
    browser = as_role("builder")
    for written in (
        "${ input.iban }",
        "${ steps.first.account }",
        "${ input.iban.substring(0, 2) }",
        "${ string(steps) + string(input) }",
        "${ input }",
        "${ steps }",
    ):
        page = ask(browser, made, "mail", "subject", written)
        assert page.status_code == 200
        assert "SA44" not in page.text and "iban-" not in page.text, written
    page = browser.get(f"/workflows/{made}/design?step=mail").text
    assert SECRET not in page and "Hello Sara" in page


def test_who_sees_no_runs_gets_no_sample_of_them(made, engine):
    with engine.in_house():
        workflow = queries.get_workflow(engine.house.id, made)
        blind = sources.samples_of(workflow, "mail", may_read=False)
        seeing = sources.samples_of(workflow, "mail", may_read=True)

    assert "Hello Sara" in str(seeing.context) and "Sara" not in str(blind.context)
    assert (blind.origin["first"], seeing.origin["first"]) == ("none", "run")


def test_another_organisation_sees_neither_values_nor_pins(made, engine, other_tenant, sign_in):
    stranger = sign_in(other_tenant, "owner")

    assert ask(stranger, made, "mail", "subject", "${ input.who }").status_code == 404
    for path in ("sample", "try"):
        assert stranger.post(f"/workflows/{made}/design/steps/mail/{path}", data={"sample": "1", "how": "step"}).status_code == 404
    with db.transaction(other_tenant.id) as session:
        assert session.execute(text("select count(*) from workflow_templates where pins <> '{}'")).scalar() == 0


def test_fields_and_ids_that_are_not_there_are_refused(made, as_role):
    browser = as_role("builder")

    assert ask(browser, made, "mail", "nothing", "x").status_code == 404
    assert ask(browser, made, "nowhere", "subject", "x").status_code == 404
    assert (
        browser.post(f"/workflows/{made}/design/steps/mail/preview", data={"preview_id": '"><b', "preview_field": "c-subject"}).status_code
        == 404
    )


def test_the_picker_shows_samples_and_where_they_come_from(made, as_role):
    page = as_role("builder").get(f"/workflows/{made}/design?step=mail")

    assert 'data-insert="steps.first.greeting"' in page.text and 'data-insert="input.who"' in page.text
    assert "Hello Sara" in page.text_of(".value-sample") and "From the last run" in page.text_of(".pick-from")


def pin(browser, workflow_id, key, sample, do="pin"):
    return browser.post(f"/workflows/{workflow_id}/design/steps/{key}/sample", data={"sample": sample, "do": do})


def test_a_sample_is_pinned_used_shown_and_removed(made, engine, as_role):
    browser, url = as_role("builder"), f"/workflows/{made}/design"
    with engine.in_house():
        workflow = queries.get_workflow(engine.house.id, made)
        before = (definition.graph_hash(workflow.nodes, workflow.settings), workflow.draft_revision, workflow.updated_at)

    assert pin(browser, made, "mail", '{"sent": {"to": ["a", "b"]}}').status_code == 303
    page = browser.get(f"{url}?step=last")
    assert "Pinned sample" in page.text_of("#step-mail")[0]
    assert 'data-insert="steps.mail.sent.to[0]"' in page.text
    assert ask(browser, made, "last", "values", "${ steps.mail.sent.to[1] }", name="c-values-value").text_of(".preview-value") == ["b"]
    with engine.in_house():
        workflow = queries.get_workflow(engine.house.id, made)
        assert before == (definition.graph_hash(workflow.nodes, workflow.settings), workflow.draft_revision, workflow.updated_at)

    assert pin(browser, made, "mail", "", do="unpin").status_code == 303
    assert "Pinned sample" not in browser.get(f"{url}?step=last").text


def test_a_sample_from_the_last_run_has_dots_for_secrets(made, engine, as_role):
    browser = as_role("builder")

    assert pin(browser, made, "first", "", do="last").status_code == 303
    assert pin(browser, made, "start", json.dumps({"who": "Ali", "iban": SECRET})).status_code == 303
    with engine.in_house():
        kept = queries.get_workflow(engine.house.id, made).pins
    assert kept["first"]["value"]["greeting"] == "Hello Sara" and kept["first"]["source"] == "run"
    assert SECRET not in str(kept)
    assert pin(browser, made, "mail", "", do="last").status_code == 422, "it never ran"


def pins_of(engine, workflow_id):
    with engine.in_house():
        return queries.get_workflow(engine.house.id, workflow_id).pins


def test_a_sample_that_was_taken_from_a_run_belongs_to_it_also_when_it_was_changed(made, engine, as_role):
    browser, url = as_role("builder"), f"/workflows/{made}/design?step=first"
    page = browser.get(url)
    (run_id,) = re.findall(r'name="run" value="([^"]+)"', page.text)
    assert "this sample goes with it" in page.text_of("#sample-run-first")[0]

    send = f"/workflows/{made}/design/steps/first/sample"
    assert browser.post(send, data={"sample": '{"greeting": "Hello Sara!"}', "do": "pin", "run": run_id}).status_code == 303
    assert (pins_of(engine, made)["first"]["run"], pins_of(engine, made)["first"]["source"]) == (run_id, "run")
    assert pin(browser, made, "first", '{"greeting": "Hello"}').status_code == 303
    assert pins_of(engine, made)["first"]["run"] == run_id
    assert "this sample goes with it" in browser.get(url).text_of("#sample-run-first")[0]

    assert browser.post(send, data={"sample": '{"greeting": "Hello"}', "do": "pin", "outlives": "1"}).status_code == 303
    assert "run" not in pins_of(engine, made)["first"] and "sample-run-first" not in browser.get(url).text


def test_a_sample_of_a_run_that_is_gone_or_of_others_is_refused_and_the_text_kept(made, engine, as_role):
    send = {"sample": '{"greeting": "mine"}', "do": "pin", "run": str(new_id()), "outlives": "1"}
    page = as_role("builder").post(f"/workflows/{made}/design/steps/first/sample", data=send)

    assert page.status_code == 422 and "was deleted" in page.text_of("#sample-text-first-error")[0]
    assert "mine" in page.text_of("#sample-text-first")[0] and re.search(r'id="sample-outlives-first"[^>]* checked', page.text)
    assert pins_of(engine, made) == {}


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ('{"a": 1,\n "b" 2}', "line 2, column 6"),
        ("", "line 1, column 1"),
        ('{"a": NaN}', "not a finite number"),
        ('"\\u0000"', "cannot be kept"),
        ('"\\ud800"', "cannot be kept"),
        ("[" * 60 + "]" * 60, "inside each other"),
        ('"' + "x" * 70_000 + '"', "at most 64 KB"),
        ("1" * 5000, "not a finite number"),
    ],
)
def test_what_cannot_be_a_sample_is_refused_and_kept_in_the_form(made, as_role, sample, says):
    page = pin(as_role("builder"), made, "mail", sample)

    assert page.status_code == 422
    assert says in " ".join(page.text_of("#sample-text-mail-error"))
    assert page.text_of("#sample-text-mail")[0].split() == sample.split()


def test_samples_are_bounded_together(made, engine, monkeypatch, as_role):
    monkeypatch.setattr(pins, "MAX_ALL_BYTES", 1_000)

    assert pin(as_role("builder"), made, "mail", json.dumps("x" * 2_000)).status_code == 422


def test_who_may_not_edit_pins_and_tries_nothing(made, as_role):
    browser = as_role("member")

    for path in ("sample", "try", "preview"):
        assert browser.post(f"/workflows/{made}/design/steps/mail/{path}", data={"sample": "1"}).status_code == 403


def tried(browser, workflow_id, key, how):
    return browser.post(f"/workflows/{workflow_id}/design/steps/{key}/try", data={"how": how}, fragment=True)


def test_a_step_that_computes_is_really_worked_out(made, as_role):
    browser = as_role("builder")

    page = tried(browser, made, "first", "step")
    assert page.text_of("#tried-title") == ["It works"] and "Hello Sara" in page.text_of("#tried-output")[0]
    assert SECRET not in page.text
    page = tried(browser, made, "check", "step")
    assert "If yes" in page.text_of("#tried")[0] or "Yes" in page.text_of("#tried")[0]


def test_nothing_is_sent_and_nothing_stays(made, engine, as_role):
    browser = as_role("builder")
    pin(browser, made, "first", '{"greeting": "Good day"}')
    assert "For Good day" in tried(browser, made, "mail", "step").text_of("#tried-given")[0]
    for how in ("step", "path"):
        page = tried(browser, made, "mail", how)
        assert page.text_of("#tried-title") == ["Not sent"], page.text_of("#tried")
        assert "For " in page.text_of("#tried-given")[0]
    with engine.in_house() as session:
        assert session.scalar(text("select count(*) from workflow_executions")) == 1
        assert session.scalar(text("select count(*) from audit_entries where action = 'workflow.tried'")) == 3


def test_the_way_to_a_step_goes_no_further(made, engine, as_role):
    with engine.in_house():
        told = stepping.try_path(engine.house.id, made, "check", may_read=True, by=engine.by)
        far = stepping.try_path(engine.house.id, made, "yes", may_read=True, by=engine.by)
        pins.pin(engine.house.id, made, "start", {"who": "Ali"}, by=engine.by)
        other = stepping.try_path(engine.house.id, made, "yes", may_read=True, by=engine.by)

    assert (told.state, told.port, [each["key"] for each in told.passed]) == ("done", "then", ["first"])
    assert far.state == "done" and other.state == "not_reached"


def test_what_is_broken_behind_the_step_is_not_in_the_way(made, engine):
    with engine.in_house() as session:
        workflow = session.get(WorkflowTemplate, made)
        workflow.nodes = [*nodes()[:3], step("broken", "email", to="", subject="", body="")]
        session.flush()
        assert stepping.try_path(engine.house.id, made, "check", may_read=True, by=engine.by).state == "done"
        refused = stepping.try_path(engine.house.id, made, "broken", may_read=True, by=engine.by)
    assert refused.state == "refused" and refused.problems[0].step == "broken"


def test_while_another_trial_goes_on_the_page_says_so(made, engine, as_role, monkeypatch):
    def busy(_tenant_id):
        raise reserve.TrialsBusy

    monkeypatch.setattr(reserve, "enter", busy)
    page = tried(as_role("builder"), made, "first", "step")

    assert page.status_code == 409 and "Another dry run is going on" in page.text_of("#try-busy")[0]


def test_a_sensitive_field_is_dots(made, engine):
    with engine.in_house():
        workflow = queries.get_workflow(engine.house.id, made)
        node = {**workflow.nodes[3], "sensitive": ["subject"]}
        samples = sources.samples_of(workflow, "mail", may_read=True)
        desk = preview.Desk(node, workflow.nodes, workflow.settings, samples)

    assert desk.preview("subject", "${ input.who }").text == "•••"
