"""Search from anywhere: what is found, by whom, in which order, in both languages."""

from __future__ import annotations

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.core.palette import Entry, Kind
from portal.datatables import service as tables
from portal.i18n.search import fold
from portal.shell.ranking import ranked, score
from portal.workflows import service as workflows
from tests.workflows.engine.conftest import Engine, step, values

SPELLINGS = ("طَلَبُ إجازةٍ", "أحمد  الآن", "مُرسَلٌ إلى", "شــركة", "Straße ١٢٣", "ＡＢＣ", "Ünlü", "سؤال مسائل", "ك‌ی", " outer blanks ")


@pytest.fixture
def filled(app, tenant):
    by = Actor("person", tenant.people["owner"])
    with app.app_context(), db.transaction(tenant.id):
        leave = workflows.create_workflow(tenant.id, name="Leave request", name_ar="طلب إجازة", sample="blank", by=by)
        workflows.create_workflow(tenant.id, name="100% checked_twice", name_ar=None, sample="blank", by=by)
        columns = [{"key": "a", "type": "text", "label": "A", "label_ar": None, "required": False}]
        tables.create_table(tenant.id, "leaves", name="Leaves taken", name_ar="الإجازات", columns=columns, by=by)
    return leave


def labels(page):
    return page.text_of(".palette-words")


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_name_is_found_as_it_is_written_and_as_it_is_folded(app, tenant, as_role, text):
    with app.app_context(), db.transaction(tenant.id):
        workflows.create_workflow(tenant.id, name=text, name_ar=None, sample="blank", by=Actor("person", tenant.people["owner"]))
    for asked in (text, fold(text)):
        assert labels(as_role("member").get("/search", query_string={"q": asked}, fragment=True)), asked


@pytest.mark.parametrize("asked", ["اجازه", "إجازة", "طَلَب", "leave", "LEAVE request", "request leave"])
def test_a_workflow_is_found_however_it_is_spelled(filled, as_role, asked):
    page = as_role("member").get("/search", query_string={"q": asked}, fragment=True)

    assert f'href="/workflows/{filled}"' in page.text
    assert 'role="option"' in page.text


@pytest.mark.parametrize("asked", ["%", "_", "100%", "checked_twice", "\\"])
def test_signs_of_patterns_are_only_signs(filled, as_role, asked):
    found = labels(as_role("owner").get("/search", query_string={"q": asked}, fragment=True))

    assert [each for each in found if "Leave" in each] == []


def test_nobody_finds_what_belongs_to_others(filled, stranger, tenant, as_role):
    assert "Leave request" not in stranger.get("/search?q=leave", fragment=True).text
    assert "Leave request" not in stranger.get("/search?q=leave").text
    assert labels(stranger.get(f"/search?recent=/workflows/{filled}", fragment=True)) == labels(stranger.get("/search", fragment=True))
    assert tenant.email("owner") not in stranger.get("/search?q=owner").text


def test_actions_are_only_those_that_one_may_do(filled, as_role):
    assert "New workflow" in as_role("builder").get("/search?q=new", fragment=True).text
    assert "New workflow" not in as_role("auditor").get("/search?q=new", fragment=True).text


def test_an_entry_is_found_in_the_other_language_too(as_role):
    assert "Data tables" in as_role("owner").get("/search", query_string={"q": "جداول"}, fragment=True).text


def test_a_run_is_found_by_the_beginning_of_its_number(app, tenant, filled, as_role, stranger):
    with app.app_context():
        engine = Engine(tenant)
        run_id = engine.start(engine.publish(step("only", "set", **values(x="1"))))
    asked = str(run_id)[:13]

    assert str(run_id) in as_role("auditor").get(f"/search?q={asked}", fragment=True).text
    assert str(run_id) in as_role("auditor").get(f"/search?recent=/runs/{run_id}", fragment=True).text
    assert str(run_id) not in stranger.get(f"/search?q={asked}", fragment=True).text


def test_a_person_leads_to_the_runs_they_started(tenant, as_role):
    person = tenant.people["builder"]
    browser = as_role("auditor")

    assert f"/runs?by={person}" in browser.get("/search?q=builder", fragment=True).text
    page = browser.get(f"/runs?by={person}")
    assert page.status_code == 200
    assert "Builder" in page.text


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_page_does_the_same_without_javascript(filled, tenant, sign_in, locale):
    browser = sign_in(tenant, "owner")
    browser.post("/locale", data={"locale": locale, "next": "/"})

    assert browser.get("/search").status_code == 200
    assert f'href="/workflows/{filled}"' in browser.get("/search?q=leave").text
    none = browser.get("/search", query_string={"q": "<b>zzz</b>"})
    assert none.text_of(".empty") and "<b>zzz" not in none.text


def test_recent_pages_come_back_once_each_and_only_what_exists(filled, as_role):
    address = f"/workflows/{filled}"
    page = as_role("owner").get(f"/search?recent={address},/runs/{filled},/tables/x,nonsense,//evil", fragment=True)

    assert page.text.count(f'href="{address}"') == 1


def test_the_shortest_way_stands_first():
    exact, starts, word, inside = (Entry(Kind.PAGE, label, "x", "/") for label in ("Runs", "Runs of today", "All runs", "Reruns"))

    assert score(exact, "runs") > score(starts, "runs") > score(word, "runs") > score(inside, "runs") > score(exact, "zzz") == 0
    assert ranked([inside, word, exact, starts], "runs", each=2) == [(Kind.PAGE, [exact, starts])]


def test_the_keys_have_a_page(as_role):
    assert "Ctrl+K" in as_role("member").get("/shortcuts").text
