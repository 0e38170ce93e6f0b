"""Steps that work on lists: pure, bounded, the same in both languages."""

from __future__ import annotations

import json

import pytest

from portal.workflows.errors import DraftInvalid
from tests.workflows.actions.conftest import error_of, output_of, pairs, run_one

ORDERS = [
    {"city": "جدة", "amount": 10, "vip": True, "name": "أحمد"},
    {"city": "الرياض", "amount": 30.5, "vip": False, "name": "إبراهيم"},
    {"city": "جدة", "amount": 5, "vip": False, "name": "باسم"},
    {"city": "الرياض", "amount": None, "vip": True, "name": "آدم"},
]
LIST = json.dumps(ORDERS, ensure_ascii=False)


def test_transform_names_fields_works_out_values_and_takes_parts_out(engine):
    named = output_of(engine, "transform", list=LIST, fields=pairs(who="item.name", big="item.amount != null && item.amount > 9"))
    assert named["items"][0] == {"who": "أحمد", "big": True} and named["count"] == 4
    assert output_of(engine, "transform", list=LIST, mode="value", value="${ item.city }")["items"] == [each["city"] for each in ORDERS]
    assert output_of(engine, "transform", list=LIST, mode="path", path="[?vip].name")["value"] == ["أحمد", "آدم"]
    assert output_of(engine, "transform", list="[]", mode="value", value="item.x")["items"] == []


def test_an_expression_about_items_may_use_the_run(engine):
    assert output_of(engine, "transform", list="[1, 2]", mode="value", value="string(item) + run.id.substring(0, 0)")["items"] == ["1", "2"]


def test_filter_keeps_what_fits(engine):
    kept = output_of(engine, "filter", list=LIST, where='item.city == "جدة"')
    assert (kept["count"], [each["name"] for each in kept["rest"]]) == (2, ["إبراهيم", "آدم"])
    assert error_of(engine, "filter", list=LIST, where="item.name") == ("condition_not_boolean", "str")
    assert error_of(engine, "filter", list='"text"', where="true") == ("list_expected", "str")
    assert error_of(engine, "filter", list=LIST, where="item.missing == 1")[0] == "expression"


def test_sort_knows_arabic_and_puts_nothing_last(engine):
    names = [each["name"] for each in output_of(engine, "sort", list=LIST, by="item.name")["items"]]
    assert names == ["أحمد", "آدم", "إبراهيم", "باسم"] or names == sorted(
        names, key=lambda name: name.translate(str.maketrans("أإآ", "ااا"))
    )
    amounts = [each["amount"] for each in output_of(engine, "sort", list=LIST, by="item.amount", order="down")["items"]]
    assert amounts == [30.5, 10, 5, None]
    assert output_of(engine, "sort", list='[true, 2, "b", 1.5, "ا", false]', by="item")["items"] == [False, True, 1.5, 2, "b", "ا"]


@pytest.mark.parametrize(
    ("config", "taken"),
    [({"count": 2}, [1, 2]), ({"count": 2, "end": "last"}, [3, 4]), ({"count": 2, "skip": 1}, [2, 3]),
     ({"count": 1, "skip": 1, "end": "last"}, [3]), ({"count": 9}, [1, 2, 3, 4]), ({"count": 0}, []), ({"count": "x"}, [])],
)  # fmt: skip
def test_limit(engine, config, taken):
    assert output_of(engine, "limit", list="[1, 2, 3, 4]", **config)["items"] == taken


def test_aggregate_counts_adds_and_compares(engine):
    figures = pairs(
        n="count()",
        paid="count(item.amount)",
        total="sum(item.amount)",
        mean="avg(item.amount)",
        low="min(item.amount)",
        who="list(item.name)",
    )
    made = output_of(engine, "aggregate", list=LIST, groups=pairs(city="item.city"), figures=figures)
    assert made["items"] == [
        {"city": "جدة", "n": 2, "paid": 2, "total": 15, "mean": 7.5, "low": 5, "who": ["أحمد", "باسم"]},
        {"city": "الرياض", "n": 2, "paid": 1, "total": 30.5, "mean": 30.5, "low": 30.5, "who": ["إبراهيم", "آدم"]},
    ]
    assert output_of(engine, "aggregate", list="[]", figures=pairs(n="count()", total="sum(item)"))["first"] == {"n": 0, "total": 0}
    with pytest.raises(DraftInvalid):
        run_one(engine, "aggregate", list=LIST, figures=pairs(x="median(item.amount)"))
    assert error_of(engine, "aggregate", list=LIST, figures=pairs(x="item.amount")) == ("figure_unknown", "item.amount")
    assert error_of(engine, "aggregate", list=LIST, figures=pairs(x="sum(item.name)")) == ("figure_no_number", "str")


def test_doubles_are_removed(engine):
    assert output_of(engine, "dedupe", list="[1, 1.0, true, 2, 1]")["items"] == [1, True, 2]
    first = output_of(engine, "dedupe", list=LIST, by="item.city")
    last = output_of(engine, "dedupe", list=LIST, by="item.city", keep="last")
    assert ([each["name"] for each in first["items"]], first["removed"]) == (["أحمد", "إبراهيم"], 2)
    assert [each["name"] for each in last["items"]] == ["باسم", "آدم"]


def test_what_takes_too_much_work_is_refused(engine):
    code, _detail = error_of(
        engine,
        "filter",
        list=json.dumps(list(range(300))),
        where="run.items.all(a, run.items.all(b, run.items.exists(c, c == a + b + 999)))",
    )
    assert code == "expression"
