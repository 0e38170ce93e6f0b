"""The fields that only the gallery shows yet: what they say to a form, to eyes and to ears."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from flask_babel import force_locale
from lxml import html

from portal.i18n import schedules

ISOLATES = {0x2068: None, 0x2069: None}


@pytest.fixture
def drawn(app):
    """Render a component as a reader of English sees it."""

    def draw(name, *values, **named):
        with app.test_request_context(), force_locale("en"):
            return html.fragment_fromstring(getattr(app.jinja_env.globals["ui"], name)(*values, **named), create_parent=True)

    return draw


def classed(found, name):
    return found.xpath(f".//*[contains(concat(' ', @class, ' '), ' {name} ')]")[0]


def said(element):
    return " ".join(element.text_content().split())


def test_a_link_to_another_site_tells_where_it_opens_and_gives_nothing_away(drawn):
    link = drawn("link_external", "<b>Docs</b>", "https://example.com/?a=1&b=2").find(".//a")
    assert (link.get("rel"), link.get("target"), link.get("href")) == ("noopener noreferrer", "_blank", "https://example.com/?a=1&b=2")
    assert said(link) == "<b>Docs</b> (opens in a new tab)"


def test_several_of_many_are_sent_as_boxes_and_named_while_folded(drawn):
    found = drawn("multiselect", "days", "Days", [("0", "Sunday"), ("1", "Monday"), ("2", "Tuesday")], ["0", "2"])
    assert found.xpath(".//input[@name='days'][@checked]/@value") == ["0", "2"]
    assert said(classed(found, "multiselect-said")) == "Sunday, Tuesday"
    assert said(classed(drawn("multiselect", "days", "Days", [("0", "Sunday")], blank="Every day"), "multiselect-said")) == "Every day"


def test_an_error_opens_what_is_folded_and_is_tied_to_it(drawn):
    found = drawn("multiselect", "days", "Days", [("0", "Sunday")], error="Choose a day.")
    assert found.find(".//details").get("open") is not None
    assert found.find(".//fieldset").get("aria-describedby") == "f-days-error" == classed(found, "error").get("id")


def test_a_length_of_time_is_a_number_and_a_unit(drawn):
    found = drawn("duration_field", "wait", "Wait", "2", unit="h", units="min h d")
    assert found.find(".//input").get("value") == "2" and found.xpath(".//option[@selected]/@value") == ["h"]
    assert found.find(".//select").get("name") == "wait_unit" and "Wait" in found.find(".//select").get("aria-label")


def test_a_time_of_day_keeps_what_was_typed(drawn):
    field = drawn("time_field", "at", "At", "25:00", error="Enter a time.").find(".//input")
    assert (field.get("value"), field.get("aria-invalid"), field.get("dir")) == ("25:00", "true", "ltr")


def test_a_cron_expression_is_said_with_its_next_five_moments(app, drawn):
    with app.test_request_context(), force_locale("en"):
        explained = schedules.explained("30 8 * * 0-4", after=datetime(2026, 3, 1, tzinfo=UTC), zone=ZoneInfo("Asia/Riyadh"))
    found = drawn("cron_field", "when", "Repeats", "30 8 * * 0-4", explained, zone="Asia/Riyadh")
    assert said(classed(found, "cron-sentence")).translate(ISOLATES).endswith("On these weekdays: from Sunday to Thursday.")
    moments = found.xpath(".//time/@datetime")
    assert len(moments) == 5 and moments[0] == "2026-03-01T08:30:00+03:00"
    assert not drawn("cron_field", "when", "Repeats", "nonsense").xpath(".//time")
