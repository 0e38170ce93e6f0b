"""The check of the catalogues sees each kind of mistake."""

from __future__ import annotations

import pytest
from babel.messages.catalog import Catalog

from portal.i18n import cli, words

DAYS = ("%(num)d day", "%(num)d days")
SIX = ("لا أيام", "يوم", "يومان", "%(num)d أيام", "%(num)d يومًا", "%(num)d يوم")


def problems(message, said):
    catalogue = Catalog(locale="ar")
    catalogue.add(message, said)
    return [problem.split(": ")[1] for problem in cli.problems_of(catalogue, "ar")]


@pytest.mark.parametrize(
    ("message", "said", "wrong"),
    [
        ("Save", "", "not translated"), ("Save", "Save", "not Arabic"), ("Hello %(name)s", "مرحبًا", "placeholders differ"),
        ("Hello", "مرحبًا %(name)s", "a placeholder that the text does not have"), ("<b>Hello</b>", "مرحبًا", "tags differ"),
        ("Hello ", "مرحبًا", "blanks at its ends differ"), (DAYS, SIX[:3], "not translated"), (DAYS, (*SIX[:4], "", SIX[5]), "not translated"),
        (DAYS, (*SIX[:3], "أيام", *SIX[4:]), "a form for 3 and more without its number"),
        ("For example 2026-12-31.", "مثل 2026-12-31.", "a figure that would be shown turned round"),
        ("Up to 5%", "حتى 5%", "a figure that would be shown turned round"),
    ],
)  # fmt: skip
def test_a_mistake_is_seen(message, said, wrong):
    assert wrong in problems(message, said)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Save", "حفظ"), (DAYS, SIX), ("Hello %(name)s", "مرحبًا %(name)s"), ("OK", "OK"), ("For example 2026-12-31.", "مثل \u20662026-12-31\u2069."),
        ("%(share)s%% done", "اكتمل %(share)s%%"),
    ],
)  # fmt: skip
def test_what_is_right_passes(message, said):
    assert problems(message, said) == []


def test_a_text_that_nobody_can_collect_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    path = tmp_path / "x.py"
    path.write_text('_("fine")\n_(f"not {fine}")\nngettext(one, "many", 2)\n', "utf-8")

    assert [found.split(":")[1] for found in cli.made_up(path)] == ["2", "3"]


def test_what_people_wrote_is_text_also_in_words_said_later(app):
    """A lazy message is put into a page with values that people wrote: a name of a step, a part of an expression."""
    said = words.lazy_gettext("“%(key)s” is not a valid step key: use a–z, 0–9 and _, beginning with a letter.", key="<b>&")
    with app.test_request_context():
        page = app.jinja_env.from_string("{{ said }}{{ '<p>' | safe ~ said }}").render(said=said)

    assert page.count("&lt;b&gt;&amp;") == 2 and "<b>" not in page
