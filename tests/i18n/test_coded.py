"""Code in our own sentences keeps its order among Arabic."""

import pytest

from portal.i18n.coded import coded


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("نص، مثل ${ input.name }.", 'نص، مثل <bdi dir="ltr">${ input.name }</bdi>.'),
        ("${ a } أو ${ b }", '<bdi dir="ltr">${ a }</bdi> أو <bdi dir="ltr">${ b }</bdi>'),
        ('مثل {"id": 1}', 'مثل <bdi dir="ltr">{&#34;id&#34;: 1}</bdi>'),
        ("أضف «}» بعد القيمة", 'أضف «<bdi dir="ltr">}</bdi>» بعد القيمة'),
        ("مثل :name، أو where city = :city", 'مثل <bdi dir="ltr">:name</bdi>، أو <bdi dir="ltr">where city = :city</bdi>'),
        ("يبدأ بـ https://", 'يبدأ بـ <bdi dir="ltr">https://</bdi>'),
        ("من 1 إلى 10: (JSON) <b>", "من 1 إلى 10: (JSON) &lt;b&gt;"),
    ],
)
def test_code_stands_apart(said, shown):
    assert str(coded(said)) == shown


def test_a_sentence_in_latin_script_stays_as_it_is():
    assert coded("With values, e.g. ${ input.name } & more") == "With values, e.g. ${ input.name } & more"
    assert coded(None) == coded("") == ""
