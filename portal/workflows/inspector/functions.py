"""The functions of CEL that the completion offers, each with one line of help. Pure."""

from __future__ import annotations

from typing import Any

from portal.i18n.words import lazy_gettext as _l

# (what is written, is it behind a value, help, an example that works)
FUNCTIONS: tuple[tuple[str, bool, Any, str], ...] = (
    ("size(", False, _l("How long a text is, or how many values a list has"), 'size("abc")'),
    ("has(", False, _l("True if a value is there"), "has(input.a)"),
    ("string(", False, _l("As a text"), "string(5)"),
    ("int(", False, _l("As a whole number"), 'int("5")'),
    ("double(", False, _l("As a decimal"), "double(5)"),
    ("timestamp(", False, _l("A moment from a text with date, time and zone"), 'timestamp("2026-01-31T08:00:00Z")'),
    ("duration(", False, _l("A duration such as 90m or 24h"), 'duration("90m")'),
    ("contains(", True, _l("True if the text holds another one"), '"abc".contains("b")'),
    ("startsWith(", True, _l("True if the text begins so"), '"abc".startsWith("a")'),
    ("endsWith(", True, _l("True if the text ends so"), '"abc".endsWith("c")'),
    ("matches(", True, _l("True if the text fits a pattern"), '"a1".matches("[a-z][0-9]")'),
    ("lowerAscii()", True, _l("In small Latin letters"), '"ABC".lowerAscii()'),
    ("upperAscii()", True, _l("In capital Latin letters"), '"abc".upperAscii()'),
    ("trim()", True, _l("Without spaces at both ends"), '" a ".trim()'),
    ("replace(", True, _l("One text in the place of another"), '"abc".replace("b", "x")'),
    ("split(", True, _l("A text as a list, cut at a sign"), '"a,b".split(",")'),
    ("join(", True, _l("A list of texts as one text"), '["a", "b"].join(", ")'),
    ("substring(", True, _l("A part of a text, from and up to a place"), '"abc".substring(0, 2)'),
    ("map(", True, _l("A list of what each value gives: map(each, …)"), "[1, 2].map(each, each * 2)"),
    ("filter(", True, _l("The values that fit: filter(each, …)"), "[1, 2].filter(each, each > 1)"),
    ("exists(", True, _l("True if one value fits: exists(each, …)"), "[1, 2].exists(each, each > 1)"),
    ("all(", True, _l("True if all values fit: all(each, …)"), "[1, 2].all(each, each > 0)"),
    ("size()", True, _l("How long a text is, or how many values a list has"), '"abc".size()'),
)
