"""Technical words in Arabic sentences keep their quotes, dots and asterisks on their own side."""

from __future__ import annotations

import re

import pytest
from flask import render_template_string
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from portal.i18n.preferences import Preferences
from portal.i18n.reader import of, reading
from portal.i18n.technical import set_apart

CONDITION = 'input.status == "failed"'


def word(text):
    short = ' class="whole"' if len(text) <= 20 else ""
    return f'<bdi dir="ltr"{short}>{escape(text)}</bdi>'


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("مثل " + CONDITION + ". وإن", f"مثل {word(CONDITION)}. وإن"),
        ("اليوم: 0 8 * * SUN-THU هي", f"اليوم: {word('0 8 * * SUN-THU')} هي"),
        ("توقيع (Standard Webhooks) له", f"توقيع {word('(Standard Webhooks)')} له"),
        ("(مثل X-Api-Key).", f"(مثل {word('X-Api-Key')})."),
        ("(X-Api-Key مثلًا)", f"({word('X-Api-Key')} مثلًا)"),
        ("من 1 إلى 30.", "من 1 إلى 30."),
        ("<b>", word("<b>")),
        ("نص، مثل ${ input.name }.", f"نص، مثل {word('${ input.name }')}."),
        ('مثل {"id": "${ run.id }"}', f"""مثل {word('{"id": "${ run.id }"}')}"""),
        ("لم تُغلق «${»: أضف «}»", f"لم تُغلق «{word('${')}»: أضف «{word('}')}»"),
        ("هكذا :name، مثل where city = :city", f"هكذا {word(':name')}، مثل {word('where city = :city')}"),
    ],
)
def test_technical_words_are_isolated(sentence, expected):
    assert set_apart(sentence) == expected


def test_tags_stay_as_they_are_and_a_text_of_the_catalogue_is_a_sentence():
    assert set_apart(Markup("<code>a.b</code>")) == "<code>a.b</code>"
    assert set_apart(Markup("مثل a.b &amp; c")) == f"مثل {word('a.b & c')}"


@given(st.text('اب a.()*"<&', max_size=30))
def test_nothing_of_a_sentence_is_lost(sentence):
    found = set_apart(sentence)
    assert re.sub(r'<bdi dir="ltr"( class="whole")?>', "", found).replace("</bdi>", "") == str(escape(sentence))


@pytest.mark.parametrize("tag", ["ar", "en"])
def test_hints_of_a_field_are_apart_where_arabic_is_around(app, tag):
    with app.test_request_context(), reading(of(tag, Preferences())):
        found = render_template_string('{% call ui.field("a", "b", hint="like a.b.") %}{% endcall %}')
        written = render_template_string('{% call ui.field("a", "b", hint="مثل a.b.") %}{% endcall %}')
    assert (word("like a.b") in found) == (tag == "ar") and "a.b" in found
    assert word("a.b") in written, "people write Arabic on English pages too"
