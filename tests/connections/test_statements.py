"""Named parameters are found where they are meant, and nowhere else."""

from __future__ import annotations

import pytest

from portal.connections.masking import Mask
from portal.connections.statements import StatementRefused, for_driver, names_in


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("select :a, ':b', \":c\", `:d`, x::int -- :e\n, /* :f */ :g", ["a", "g"]),
        ("select $$ :a $$, $tag$ :b $$ :c $tag$, :d", ["d"]),
        ("select 'it''s :a', :b_1", ["b_1"]),
        ("select now()::time, 10 % 3", []),
    ],
)
def test_parameters(statement, names):
    assert names_in(statement) == names


def test_percents_are_doubled_and_values_stay_apart():
    text, values = for_driver("select 1 % 2, 'a%b', :x, :x", {"x": "'; drop", "unused": 1})
    assert (text, values) == ("select 1 %% 2, 'a%%b', %(x)s, %(x)s", {"x": "'; drop"})


@pytest.mark.parametrize(("statement", "code"), [("select :x", "missing"), ("select 'a\\' || :y", "backslash"), ("-" * 20_001, "too_long")])
def test_what_is_refused(statement, code):
    with pytest.raises(StatementRefused) as refused:
        for_driver(statement, {})
    assert refused.value.args[0] == code


def test_masks_take_every_form_and_leave_other_texts():
    mask = Mask(['se"cret/+=سر'])
    for form in ('se"cret/+=سر', 'se\\"cret/+=سر', "se%22cret%2F%2B%3D%D8%B3%D8%B1", "c2UiY3JldC8rPdiz2LE="):
        assert mask.text(f"<{form}>") in ("<•••>", "<•••=>"), form
    assert mask.value({'se"cret/+=سر': ["x", 1, None]}) == {"•••": ["x", 1, None]}
    assert Mask(["abc"]).text("abc") == "abc"


def test_a_secret_that_is_cut_off_at_the_end_is_not_shown_in_part():
    mask = Mask(["canary-secret"])
    assert mask.bytes(b"so: canary-sec", is_cut=True) == b"so: "
    assert mask.bytes(b"so: canary-sec") == b"so: canary-sec"
    assert mask.bytes(b"nothing here", is_cut=True) == b"nothing here"
