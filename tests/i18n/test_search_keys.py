"""The same Arabic word in its usual spellings is one key; a key follows its names whoever changes them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.i18n.search import contains, fold, key
from portal.workflows import queries, service


@pytest.mark.parametrize(
    "spellings",
    [
        ("أحمد", "احمد", "إحمد", "آحمد", "أَحْمَد", "أحـــمد", "\u202bأحمد"), ("فاطمة", "فاطمه", "فَاطِمَة"), ("مصطفى", "مصطفي"), ("مسؤول", "مسوول"),
        ("رئيس", "رييس"), ("كتاب", "کتاب"), ("طلب ١٢", "طلب 12", "طلب ۱۲"), ("Straße", "STRASSE"), ("ﷲ", "الله"), ("ﻻ", "لا"), ("  a  B ", "a b"),
    ],
)  # fmt: skip
def test_one_word_one_key(spellings):
    assert len({fold(each) for each in spellings}) == 1


def test_folding_a_key_changes_nothing():
    for each in ("أحمد Straße ١٢٫٥", "ﷺ", "İstanbul", "\u0345ͅ"):
        assert fold(fold(each)) == fold(each)


def test_nothing_is_found_across_two_names():
    assert "ab" not in key("a", "b") and key("أ", None).split("\x1f") == ["ا", ""]


def test_signs_of_patterns_stand_for_themselves():
    assert contains("50%_") == "%50\\%\\_%"


@pytest.fixture
def workflow(app, tenant):
    by = Actor("person", tenant.people["owner"])
    with app.app_context(), db.transaction(tenant.id):
        return service.create_workflow(tenant.id, name="Ahmad's leave", name_ar="إجازة أحمد", sample="blank", by=by)


def kept(tenant, workflow_id):
    with db.transaction(tenant.id) as session:
        return session.scalar(text("select search_key from workflow_templates where id = :id"), {"id": workflow_id})


def test_the_key_follows_the_names(app, tenant, workflow):
    assert kept(tenant, workflow) == key("Ahmad's leave", "إجازة أحمد")
    by = Actor("person", tenant.people["owner"])

    with app.app_context(), db.transaction(tenant.id):
        service.describe_workflow(
            tenant.id, workflow, name="Journey", name_ar="سفر", description="", description_ar="", is_active=True, by=by
        )

    assert kept(tenant, workflow) == key("Journey", "سفر")


@pytest.mark.parametrize("words", ["احمد", "اجازه", "احمد اجازة", "AHMAD", "أَحمد leave"])
def test_a_workflow_is_found_however_its_name_is_written(app, tenant, workflow, words):
    with app.app_context(), db.transaction(tenant.id):
        assert [row.id for row in queries.find_workflows(tenant.id, words, limit=5)] == [workflow]
        assert queries.find_workflows(tenant.id, "زيد", limit=5) == []


@pytest.mark.parametrize("table", ["people", "workflow_templates", "data_tables"])
def test_names_are_searched_through_trigrams(app, table):
    with app.app_context(), db.transaction() as session:
        found = session.scalar(text("select indexdef from pg_indexes where indexname = :name"), {"name": f"ix_{table}_search"})

    assert "gin_trgm_ops" in found
