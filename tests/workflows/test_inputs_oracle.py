"""Inputs against somebody else's judgement: what we take is what the equivalent JSON Schema takes, and what comes out is typed."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from portal.core.errors import Invalid
from portal.workflows import inputs

KINDS = ("text", "long_text", "number", "boolean", "date", "email", "choice")
CHOICES = ["north", "south", "the east"]
YES_AND_NO = ["true", "on", "1", "y", "yes", "", "false", "off", "0", "n", "no"]
BLANK = r"^\s*$"
TAKEN = {
    "text": {"anyOf": [{"type": "string", "maxLength": inputs.MAX_TEXT}, {"type": ["number", "boolean", "object", "array"]}]},
    "long_text": {"anyOf": [{"type": "string", "maxLength": inputs.MAX_LONG_TEXT}, {"type": ["number", "boolean", "object", "array"]}]},
    "number": {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": -(10**15), "exclusiveMaximum": 10**15},
            {"type": "string", "pattern": r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$"},
        ]
    },
    "boolean": {
        "anyOf": [
            {"type": ["boolean", "null"]},
            {"enum": YES_AND_NO},
            {"type": "string", "pattern": BLANK},
            {"type": "number", "enum": [0, 1]},
        ]
    },
    "date": {"type": "string", "format": "date"},
    "email": {"type": "string", "maxLength": 320, "pattern": r"^[^@\s,;<>]{1,64}@[^@\s,;<>]+\.[^@\s,;<>]{2,}$"},
    "choice": {"enum": CHOICES},
}
GIVES = {
    "text": {"type": "string"}, "long_text": {"type": "string"}, "number": {"type": "number"}, "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"}, "email": {"type": "string"}, "choice": {"enum": CHOICES},
}  # fmt: skip

WORDS = st.text("abcd عربي-@.", max_size=12).map(str.strip)
LONG = st.sampled_from([n for limit in (inputs.MAX_TEXT, inputs.MAX_LONG_TEXT) for n in (limit, limit + 1)]).map("x".__mul__)
NUMERALS = st.from_regex(r"[+-]?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True, alphabet="0123456789.+-")
DAYS = st.builds("{:04d}-{:02d}-{:02d}".format, st.integers(1900, 2100), st.integers(0, 13), st.integers(0, 32))
ADDRESSES = st.from_regex(r"[a-z]{1,8}@?[a-z]{0,8}\.?[a-z]{0,3}", fullmatch=True)
NUMBERS = st.one_of(
    st.integers(-(10**17), 10**17), st.integers(0, 3), st.floats(allow_nan=False, allow_infinity=False, width=64), st.sampled_from([1e-7, 1e14, 1e15, -1e15])
)  # fmt: skip
WHOLE = st.one_of(st.lists(st.integers(0, 9), max_size=3), st.dictionaries(st.sampled_from("ab"), st.integers(0, 9), max_size=2))
VALUES = st.one_of(
    st.none(), st.booleans(), NUMBERS, WORDS, LONG, NUMERALS, DAYS, ADDRESSES, WHOLE, st.sampled_from([*CHOICES, *YES_AND_NO, "  ", "North"])
)  # fmt: skip


def schema_of(declared, kinds=TAKEN):
    """Return the JSON Schema of the object that holds these inputs."""
    return {
        "type": "object",
        "properties": {each["key"]: _property(each, kinds[each["type"]]) for each in declared},
        "required": [each["key"] for each in declared if each["required"] and each["type"] != "boolean"],
    }


def _property(each, taken):
    if each["type"] == "boolean":
        return taken
    empty = [{"type": "null"}, {"type": "string", "pattern": BLANK}]
    return {"allOf": [taken, {"not": {"anyOf": empty}}]} if each["required"] else {"anyOf": [taken, *empty]}


def wrong_in(schema, value):
    """Return the keys that a validator finds wrong in an object."""
    found = set()
    for error in Draft202012Validator(schema, format_checker=FormatChecker(["date"])).iter_errors(value):
        found |= {error.absolute_path[0]} if error.absolute_path else {key for key in schema["required"] if key not in value}
    return found


def read(declared, value):
    try:
        return inputs.read(declared, value), set()
    except Invalid as refused:
        return None, set(refused.problems)


@st.composite
def forms(draw):
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    declared = [
        {"key": f"k{n}", "type": kind, "label": "L", "label_ar": None, "required": draw(st.booleans()), "choices": CHOICES}
        for n, kind in enumerate(kinds)
    ]
    return declared, {each["key"]: draw(VALUES) for each in declared if draw(st.integers(0, 5))}


@settings(max_examples=600, deadline=None)
@given(forms())
def test_what_we_take_is_what_the_schema_takes(form):
    declared, value = form

    typed, refused = read(declared, value)

    assert refused == wrong_in(schema_of(declared), value), value
    if typed is not None:
        optional = [{**each, "required": False} for each in declared]
        assert wrong_in(schema_of(optional, GIVES), typed) == set(), "what comes out has its type"
        assert read(optional, typed)[0] == typed, "and is taken again as it is"


def test_numbers_that_json_has_and_nobody_can_store_are_refused():
    declared = [{"key": "n", "type": "number", "required": True}]
    for number in (math.inf, -math.inf, math.nan):
        assert read(declared, {"n": number}) == (None, {"n"})
