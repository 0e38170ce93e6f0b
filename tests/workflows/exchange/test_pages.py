"""Importing and exporting as people and programs do it, in both languages."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.ids import new_id
from portal.workflows.exchange.reading import LARGEST
from portal.workflows.exchange.service import LARGEST_REQUEST
from tests.identity.tokens.conftest import Program, make_token
from tests.workflows.engine.conftest import Engine, step, values

HERE = Path(__file__).parent / "n8n"


def n8n(name):
    return next(HERE.glob(f"{name}*.json")).read_bytes()


def upload(browser, content, name="flow.json", **more):
    return browser.post("/workflows/import", data={"file": (io.BytesIO(content), name), **more}, content_type="multipart/form-data")


def id_in(answer):
    return re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", answer.headers["Location"])[0]


def count(tenant):
    with db.transaction(tenant.id) as session:
        return session.scalar(text("select count(*) from workflow_templates"))


@pytest.fixture
def builder(as_role):
    return as_role("builder")


@pytest.mark.parametrize(
    ("locale", "title", "level", "said"),
    [
        (
            "en",
            "Import report",
            "To be looked at: 2",
            "Code (python) is not carried out. Its source stands in the note: build it from steps.",
        ),
        ("ar", "تقرير الاستيراد", "للمراجعة: 2", "لا تُنفَّذ الشيفرة (python). تجد نصها في الملاحظة: ابنِ عملها من خطوات."),
    ],
)
def test_a_file_becomes_a_draft_with_a_report(tenant, sign_in, locale, title, level, said):
    browser = sign_in(tenant, "builder", locale)
    answer = upload(browser, n8n("40"))
    page = browser.get(answer.headers["Location"])

    plain = re.sub("[\u2068\u2069]", "", page.text)
    assert (answer.status_code, page.status_code) == (303, 200)
    assert page.text_of("body//h1") == [title] and level in plain and said in plain
    assert '/design?step=code"' in page.text
    design = browser.get(f"/workflows/{id_in(answer)}/design?step=code")
    assert design.status_code == 200 and "Code" in design.text
    detail = browser.get(f"/workflows/{id_in(answer)}")
    assert f"/workflows/{id_in(answer)}/import" in detail.text and f"/workflows/{id_in(answer)}/export" in detail.text


def test_what_the_check_says_now_stands_beside_each_line(builder):
    page = builder.get(upload(builder, n8n("22")).headers["Location"])

    assert "Fill in “Connection”." in page.text and "Choose a connection for it. It used: \u2068Shop DB\u2069" in page.text


@pytest.mark.parametrize("name", sorted(each.name[:2] for each in HERE.glob("*.json")))
def test_every_file_can_be_taken_shown_and_edited(builder, name):
    answer = upload(builder, n8n(name))
    if name == "03":
        assert "/workflows/import/done?w=" in answer.headers["Location"]
        page = builder.get(answer.headers["Location"])
        assert page.text_of("body//tbody//th") == ["First", "Second"]
        return
    workflow_id = id_in(answer)

    for path in (
        f"/workflows/{workflow_id}/import",
        f"/workflows/{workflow_id}",
        f"/workflows/{workflow_id}/design",
        f"/workflows/{workflow_id}/starts",
    ):
        assert builder.get(path).status_code == 200, path


def test_pasted_text_is_taken_too_and_stays_when_it_is_wrong(builder, tenant):
    wrong = builder.post("/workflows/import", data={"pasted": '{\n "nodes": [,]\n}'})

    assert wrong.status_code == 422
    assert "line 2, column 12 is wrong" in wrong.text and "&#34;nodes&#34;: [,]" in wrong.text
    assert count(tenant) == 0
    assert builder.post("/workflows/import", data={"pasted": n8n("02").decode()}).status_code == 303
    assert count(tenant) == 1


@pytest.mark.parametrize(("locale", "said"), [("en", "Choose a file, or paste what is in it."), ("ar", "اختر ملفًا أو الصق محتواه.")])
def test_nothing_is_refused_with_the_form(tenant, sign_in, locale, said):
    page = sign_in(tenant, "builder", locale).post("/workflows/import", data={})

    assert page.status_code == 422 and said in page.text and 'name="pasted"' in page.text


def test_a_file_that_is_too_large_is_refused_with_the_form(builder, tenant):
    page = upload(builder, b'{"nodes": [], "pad": "' + b"x" * LARGEST + b'"}')

    assert page.status_code == 422 and "larger than 5 MB" in page.text and 'name="file"' in page.text
    pasted = builder.post("/workflows/import", data={"pasted": "x" * (LARGEST + 1)})
    assert pasted.status_code == 422 and "larger than 5 MB" in pasted.text
    assert upload(builder, b"x" * (LARGEST_REQUEST + 1)).status_code == 413
    assert count(tenant) == 0


def test_a_file_of_nearly_five_megabytes_is_taken(builder):
    document = json.loads(n8n("01"))
    document["pinData"] = {"Start": [{"json": {"x": "y" * (LARGEST - 10_000)}}]}

    assert upload(builder, json.dumps(document).encode()).status_code == 303


def test_a_wrong_file_of_ours_names_what_is_wrong(builder):
    page = upload(builder, json.dumps({"format": "nasij.workflow", "version": 1, "name": "", "settings": [], "steps": [{}]}).encode())

    assert page.status_code == 422
    assert "“\u2068steps[0]\u2069”" in page.text or "steps[0]" in page.text


@pytest.fixture
def made(app, tenant):
    with app.app_context():
        engine = Engine(tenant)
        workflow_id = engine.publish(step("only", "set", **values(x="1")))
        with db.transaction(tenant.id) as session:
            session.execute(text("update workflow_templates set name = 'طلب إجازة \"A\"'"))
    return workflow_id


def test_a_workflow_leaves_as_a_file_and_comes_back(builder, made):
    sent = builder.get(f"/workflows/{made}/export")
    again = upload(builder, sent.answer.data)

    assert sent.headers["Content-Type"] == "application/json" and sent.headers["Cache-Control"] == "no-store"
    name = sent.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="') and "filename*=UTF-8''%D8%B7%D9%84%D8%A8" in name and name.isascii()
    assert builder.get(f"/workflows/{id_in(again)}/export").answer.data == sent.answer.data
    assert builder.get(f"/workflows/{made}/export?version=1").answer.data == sent.answer.data
    assert builder.get(f"/workflows/{made}/export?version=2").status_code == 404
    assert builder.get(f"/workflows/{made}/export?version=x").status_code == 404
    assert "export?version=1" in builder.get(f"/workflows/{made}/versions").text
    assert builder.get(f"/workflows/{made}/import").status_code == 404  # it was made here


def test_the_schema_is_there_for_members(builder, visitor):
    answer = builder.get("/workflows/format.json")

    assert answer.status_code == 200 and json.loads(answer.text)["title"] == "Nasij workflow"
    assert visitor.get("/workflows/format.json").status_code in (302, 303)


def test_who_may_not_edit_takes_nothing_in_or_out(as_role, made, tenant):
    member = as_role("member")

    assert member.get("/workflows/import").status_code == 403
    assert upload(member, n8n("01")).status_code == 403
    assert member.get(f"/workflows/{made}/export").status_code == 403
    assert "/workflows/import" not in member.get("/workflows").text
    assert "/export" not in member.get(f"/workflows/{made}").text
    assert count(tenant) == 1


def test_a_stranger_finds_nothing(builder, stranger, made):
    workflow_id = id_in(upload(builder, n8n("01")))

    for path in (f"/workflows/{made}/export", f"/workflows/{workflow_id}/import", f"/workflows/import/done?w={workflow_id}",
                 f"/workflows/import/done?w={new_id()}", "/workflows/import/done?w=x", "/workflows/import/done"):  # fmt: skip
        assert stranger.get(path).status_code == 404, path


def test_an_empty_list_offers_to_import(builder):
    assert 'href="/workflows/import"' in builder.get("/workflows").text


def test_a_hostile_file_shows_nothing_but_text(builder):
    bad = "<script>alert(1)</script>\u202e"
    nodes = [{"name": bad, "type": bad, "notes": bad, "parameters": {"x": bad}}, {"name": "s", "type": "n8n-nodes-base.set", "typeVersion": 3.4,
             "parameters": {"assignments": {"assignments": [{"name": bad, "value": f"={{{{ {bad} }}}}"}]}}}]  # fmt: skip
    answer = upload(builder, json.dumps({"name": bad, "nodes": nodes, "connections": {bad: {"main": [[{"node": bad + "2"}]]}}}).encode())

    for path in ("import", "design", ""):
        page = builder.get(f"/workflows/{id_in(answer)}/{path}".rstrip("/"))
        assert page.status_code == 200 and "<script>alert(1)" not in page.text


# Programs


@pytest.fixture
def program(app, tenant):
    return Program(app, make_token(tenant, "builder", wanted=["workflow:read", "workflow:edit"]).secret)


def test_programs_import_and_export(program, made):
    sent = program.get(f"/api/v1/workflows/{made}/export")
    taken = program.post("/api/v1/workflows/import", data=sent.data, content_type="application/json")

    assert (sent.status_code, taken.status_code) == (200, 201)
    (item,) = taken.json["items"]
    assert taken.headers["Location"] == item["url"] and item["counts"] == {"mapped": 1, "changed": 0, "review": 0}
    assert program.get(f"/api/v1/workflows/{item['id']}/export").data == sent.data
    assert program.get(item["url"]).json["is_active"] is False
    again = program.get(f"/api/v1/workflows/{item['id']}/import")
    assert again.json["lines"] == item["lines"]
    assert program.get(f"/api/v1/workflows/{made}/export?version=1").data == sent.data
    assert program.get(f"/api/v1/workflows/{made}/export?version=9").status_code == 404
    assert program.get(f"/api/v1/workflows/{made}/export?version=x").status_code == 422


def test_programs_are_told_in_words(program):
    taken = program.post("/api/v1/workflows/import", data=n8n("40"), content_type="application/json", headers={"Accept-Language": "ar"})
    (item,) = taken.json["items"]

    assert item["source"] == "n8n" and [each["words"][0]["code"] for each in item["lines"][1:3]] == ["code_turned", "code"]
    assert "الشيفرة" in item["lines"][2]["words"][0]["text"]


@pytest.mark.parametrize("content", [b"{", b"", b"{}", b'{"format": "nasij.workflow"}'])
def test_programs_get_a_problem_for_a_wrong_file(program, content):
    refused = program.post("/api/v1/workflows/import", data=content, content_type="application/json")

    assert refused.status_code == 422 and refused.content_type == "application/problem+json"
    assert refused.json["errors"]


def test_programs_need_the_permission(app, tenant, made):
    program = Program(app, make_token(tenant, "builder", wanted=["workflow:read"]).secret)

    assert program.post("/api/v1/workflows/import", data=n8n("01"), content_type="application/json").status_code == 403
    assert program.get(f"/api/v1/workflows/{made}/export").status_code == 403


def test_the_report_of_our_own_file_names_steps_as_their_readers_do(tenant, sign_in):
    step = {"key": "a", "kind": "wait", "name": "A rest", "name_ar": "استراحة", "parent": None, "lane": None, "config": {}}
    document = {"format": "nasij.workflow", "version": 1, "name": "A", "settings": {}, "steps": [step]}
    browser = sign_in(tenant, "builder", "ar")

    page = browser.get(upload(browser, json.dumps(document).encode()).headers["Location"])

    assert "استراحة" in page.text and "A rest" not in page.text and "انتظار" in page.text
