"""The pages of the gallery: the shelf, the look before the use, the use, and templates of one's own."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service, stripping
from portal.workflows.gallery import queries
from portal.workflows.gallery import service as gallery
from portal.workflows.samples import catalogue
from tests.core.test_checks import check

GIVEN = {"name": "Ours", "name_ar": "قالبنا", "description": "For us", "description_ar": "لنا", "category": "people", "icon": "stamp"}


@pytest.fixture
def workflow_id(tenant):
    by = Actor("person", tenant.people["owner"])
    with db.transaction(tenant.id):
        return service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)


@pytest.fixture
def own(tenant, workflow_id):
    by = Actor("person", tenant.people["owner"])
    with db.transaction(tenant.id):
        return gallery.save(tenant.id, workflow_id, GIVEN, by=by)


def many(tenant, what="workflow_templates"):
    with db.transaction(tenant.id) as session:
        return session.scalar(text(f"select count(*) from {what}"))


@pytest.mark.parametrize(("locale", "name"), [("en", "NCA ECC control review"), ("ar", "مراجعة الضوابط الأساسية للأمن السيبراني")])
def test_the_shelf_shows_every_template_in_the_readers_language(tenant, sign_in, locale, name):
    page = sign_in(tenant, "builder", locale).get("/templates")

    assert page.status_code == 200 and name in page.text
    assert page.text.count("shelf-card") == len(catalogue.SAMPLES)


@pytest.mark.parametrize("words", ["phishing", "تصيد", "PHISHING report", "رساله تصيّد"])
def test_words_of_either_language_are_found(as_role, words):
    page = as_role("builder").get(f"/templates?q={words}")

    assert "template=phishing_report" in page.text and "template=petty_cash" not in page.text


def test_a_category_narrows_and_each_says_how_many_it_holds(as_role):
    page = as_role("builder").get("/templates?category=finance").text
    finance = [each.slug for each in catalogue.SAMPLES.values() if each.category == "finance"]

    assert sorted(set(re.findall(r"template=(\w+)", page))) == sorted(finance)
    assert re.search(rf'category=finance"[^>]*aria-current="true">Finance<span class="chip-number">{len(finance)}<', page)


def test_nothing_found_and_nothing_saved_yet_say_what_to_do(as_role):
    browser = as_role("builder")

    assert "No template holds these words" in browser.get("/templates?q=zzzz").text
    assert "No templates of your own yet" in browser.get("/templates?category=own").text


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_every_template_can_be_looked_at_without_making_anything(tenant, sign_in, locale):
    browser = sign_in(tenant, "builder", locale)
    for slug, sample in catalogue.SAMPLES.items():
        page = browser.get(f"/templates/show?template={slug}")

        assert page.status_code == 200
        shown = html.unescape(page.text)
        assert (sample.name_ar if locale == "ar" else sample.name) in shown
        assert [node["key"] for node in sample.steps if node["name_ar" if locale == "ar" else "name"] not in shown] == []
    assert many(tenant) == 0 and many(tenant, "data_tables") == 0


def test_using_one_twice_with_the_same_form_makes_one_draft(tenant, as_role):
    browser = as_role("builder")
    page = browser.get("/templates/show?template=contract_renewal").text
    given = {"template": "contract_renewal", "request_key": re.search(r'name="request_key" value="([^"]+)"', page)[1]}

    first, second = (browser.post("/templates/use", data=given) for _ in range(2))

    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"] and first.headers["Location"].endswith("/design")
    assert many(tenant) == 1 and many(tenant, "data_tables") == 1
    assert browser.get(first.headers["Location"]).status_code == 200
    assert browser.post("/templates/use", data={**given, "request_key": "another"}).headers["Location"] != first.headers["Location"]
    assert many(tenant) == 2


def test_a_proposed_schedule_begins_switched_off(tenant, as_role):
    as_role("builder").post("/templates/use", data={"template": "contract_renewal", "request_key": "x"})

    with db.transaction(tenant.id) as session:
        assert session.execute(text("select kind, is_enabled from workflow_triggers")).all() == [("schedule", False)]


def test_who_may_not_build_sees_no_gallery(as_role, own):
    browser = as_role("member")

    for path in ("/templates", "/templates/show?template=refund", f"/templates/{own}"):
        assert browser.get(path).status_code == 403
    assert browser.post("/templates/use", data={"template": "refund"}).status_code == 403


def test_an_unknown_template_is_not_found(as_role):
    browser = as_role("builder")

    assert browser.get("/templates/show?template=nothing").status_code == 404
    assert browser.post("/templates/use", data={"template": "nothing"}).status_code == 404


def test_a_workflow_is_saved_as_a_template_and_used(tenant, as_role, workflow_id):
    browser = as_role("builder")
    assert 'value="Leave"' in browser.get(f"/workflows/{workflow_id}/template").text

    saved = browser.post(f"/workflows/{workflow_id}/template", data=GIVEN)
    with db.transaction(tenant.id):
        (row,) = queries.listing(tenant.id)
    page = browser.get(saved.headers["Location"])
    used = [browser.post(f"/templates/{row.id}", data={"request_key": "k"}).headers["Location"] for _ in range(2)]

    assert saved.status_code == 303 and page.status_code == 200 and "Ours" in page.text
    assert "Ours" in browser.get("/templates?category=own").text
    assert used[0] == used[1] and many(tenant) == 2
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from audit_entries where action = 'sample.saved'")) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Give the template a name."),
        ({"name_ar": ""}, "Give the template an Arabic name."),
        ({"category": "x"}, "Choose a category."),
        ({"icon": "skull"}, "Choose a picture."),
    ],
)
def test_a_wrong_form_comes_back_as_it_was(tenant, as_role, workflow_id, wrong, said):
    page = as_role("builder").post(f"/workflows/{workflow_id}/template", data={**GIVEN, **wrong, "description": "Kept words"})

    assert page.status_code == 422 and said in page.text and "Kept words" in page.text
    assert many(tenant, "workflow_samples") == 0


def test_a_field_that_is_left_is_checked_without_saving(tenant, as_role, workflow_id, own):
    browser = as_role("builder")
    for path in (f"/workflows/{workflow_id}/template", f"/templates/{own}/edit"):
        assert check(browser, path, {**GIVEN, "name": " "}) == {"f-name-error": "Give the template a name."}
        assert check(browser, path, GIVEN) == {}
    assert many(tenant, "workflow_samples") == 1


def test_an_own_template_is_changed_and_deleted(tenant, as_role, own):
    browser = as_role("builder")

    assert browser.post(f"/templates/{own}/edit", data={**GIVEN, "name": "Renamed"}).status_code == 303
    assert "Renamed" in browser.get(f"/templates/{own}").text
    assert browser.get(f"/templates/{own}/delete").status_code == 200
    assert browser.post(f"/templates/{own}/delete").status_code == 303
    assert browser.get(f"/templates/{own}").status_code == 404 and many(tenant) == 1


def test_another_organisation_finds_nothing(stranger, own):
    for path in (f"/templates/{own}", f"/templates/{own}/edit", f"/templates/{own}/delete"):
        assert stranger.get(path).status_code == 404
        assert stranger.post(path, data=GIVEN).status_code == 404
    assert "Ours" not in stranger.get("/templates?category=own").text


def test_connections_and_secrets_do_not_come_along():
    nodes = [
        {"key": "a", "kind": "webhook", "config": {
            "connection": "018f0000-0000-7000-8000-000000000000", "url": "https://example.com",
            "headers": [{"name": "Authorization", "value": "Bearer abcdefghijkl"}, {"name": "Accept", "value": "text/plain"}],
        }},
        {"key": "b", "kind": "set", "config": {"values": [{"name": "password", "value": "correct-horse-9"}, {"name": "city", "value": "جدة"}]}},
        {"key": "c", "kind": "database", "config": {"table": "things", "operation": "find"}},
    ]  # fmt: skip

    kept = [stripping.without_connections(stripping.without_secrets(node, instead="")) for node in nodes]

    assert [each["config"] for each in kept] == [
        {"connection": "", "url": "https://example.com", "headers": [{"name": "Authorization", "value": ""}, {"name": "Accept", "value": "text/plain"}]},
        {"values": [{"name": "password", "value": ""}, {"name": "city", "value": "جدة"}]},
        {"table": "things", "operation": "find"},
    ]  # fmt: skip
    assert nodes[0]["config"]["connection"], "the workflow itself stays as it is"
    assert [each["key"] for each in stripping.left_open(kept)] == ["a"]


def test_the_new_page_begins_blank_and_leads_to_the_gallery(as_role):
    page = as_role("builder").get("/workflows/new").text

    assert re.search(r'name="sample" value="blank"', page)
    assert 'href="/templates"' in page and 'href="/templates?category=compliance"' in page
    assert re.search(r'name="sample" value="leave_request"', as_role("builder").get("/workflows/new?sample=leave_request").text)


def test_a_template_with_a_kind_of_step_that_is_no_more_is_shown_used_and_named_by_the_check(tenant, as_role, own):
    with db.transaction(tenant.id) as session:
        sample = queries.get(tenant.id, own)
        sample.nodes = [{**sample.nodes[0], "kind": "gone", "name": "Was here", "parent": None, "lane": None}]
        session.flush()
    browser = as_role("builder")

    assert "Was here" in browser.get(f"/templates/{own}").text
    assert browser.get("/templates?category=own").status_code == 200
    used = browser.post(f"/templates/{own}", data={"request_key": "k"}).headers["Location"]
    assert "Was here" in browser.get(used).text
    workflow_id = re.search(r"[0-9a-f-]{36}", used)[0]
    sent = browser.get(f"/workflows/{workflow_id}/export")
    assert sent.status_code == 200 and '"kind": "gone"' in sent.text
