"""Numbers, money, days and times as each reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from portal.core import clock
from portal.i18n import formats
from portal.i18n.preferences import Preferences
from portal.i18n.reader import of, reading

AT = datetime(2026, 11, 22, 11, 5, tzinfo=UTC)
NBSP = "\u00a0"


@pytest.fixture
def as_reader(app):
    """Say something as a reader of a language with these preferences."""

    def say(tag, said, **chosen):
        with app.test_request_context(), reading(of(tag, Preferences(**{"timezone": "Asia/Riyadh", **chosen}))):
            return str(said())

    return say


@pytest.mark.parametrize(
    ("tag", "numerals", "value", "shown"),
    [
        ("en", "arab", 1234567.5, "1,234,567.5"), ("ar", "latn", 1234567.5, "1,234,567.5"), ("ar", "arab", 1234567.5, "١٬٢٣٤٬٥٦٧٫٥"),
        ("ar", "arab", -12, "-١٢"), ("en", "latn", 0, "0"), ("en", "latn", 0.12345, "0.123"), ("ar", "arab", None, ""),
    ],
)  # fmt: skip
def test_numbers(as_reader, tag, numerals, value, shown):
    assert as_reader(tag, lambda: formats.number(value), numerals=numerals) == shown


def test_shares(as_reader):
    assert as_reader("en", lambda: formats.percent(0.934)) == "93.4%"
    assert as_reader("ar", lambda: formats.percent(0.934), numerals="arab") == "٩٣٫٤٪"
    assert as_reader("ar", lambda: formats.percent(1.0)) == "100%"


@pytest.mark.parametrize(
    ("tag", "minor", "currency", "figure", "sign", "is_first"),
    [
        ("ar", 125_050, "SAR", "1,250.50", "ر.س", False), ("en", 125_050, "SAR", "1,250.50", "SAR", True),
        ("ar", -1_500, "KWD", "-1.500", "د.ك", False), ("en", 1_500, "JPY", "1,500", "¥", True), ("en", -99, "USD", "-0.99", "$", True),
    ],
)  # fmt: skip
def test_money_has_the_decimals_and_the_sign_of_its_currency(as_reader, tag, minor, currency, figure, sign, is_first):
    money = []
    as_reader(tag, lambda: money.append(formats.money(minor, currency)))

    assert (money[0].figure, money[0].currency, money[0].is_currency_first) == (figure, sign, is_first)


def test_money_as_plain_text_keeps_its_sign_on_its_side(as_reader):
    assert as_reader("ar", lambda: formats.money(-125_050, "SAR"), numerals="arab") == f"\u2067-١٬٢٥٠٫٥٠\u2069{NBSP}ر.س"


@pytest.mark.parametrize(
    ("tag", "chosen", "shown"),
    [
        ("en", {"hours": "24"}, "22 Nov 2026, 14:05"),
        ("en", {"hours": "12"}, f"22 Nov 2026, 2:05{NBSP}PM"),
        ("ar", {"hours": "24"}, "22 نوفمبر 2026، 14:05"),
        ("ar", {"hours": "12", "numerals": "arab"}, f"٢٢ نوفمبر ٢٠٢٦، ٢:٠٥{NBSP}م"),
        ("ar", {"hours": "24", "region": "JO"}, "22 تشرين الثاني 2026، 14:05"),
        ("ar", {"hours": "24", "region": "MA"}, "22 نونبر 2026، 14:05"),
        ("en", {"hours": "24", "timezone": "America/New_York"}, "22 Nov 2026, 06:05"),
    ],
)
def test_a_moment_has_the_readers_zone_hours_months_and_digits(as_reader, tag, chosen, shown):
    assert as_reader(tag, lambda: formats.datetime(AT), **chosen) == shown


@pytest.mark.parametrize(("hour", "said"), [(0, "12:05"), (11, "11:05"), (12, "12:05"), (23, "11:05")])
def test_midnight_and_noon_are_twelve(as_reader, hour, said):
    shown = as_reader("en", lambda: formats.time(AT.replace(hour=hour)), hours="12", timezone="UTC")

    assert shown == f"{said}{NBSP}{'AM' if hour < 12 else 'PM'}"


@pytest.mark.parametrize(
    ("day", "tag", "shown"),
    [
        (date(2026, 11, 22), "ar", "12 جمادى الآخرة 1448 هـ"), (date(2026, 11, 22), "en", "12 Jumada al-Akhirah 1448 AH"),
        (date(2026, 2, 18), "ar", "1 رمضان 1447 هـ"), (date(1900, 1, 1), "ar", ""), (date(2100, 1, 1), "ar", ""),
    ],
)  # fmt: skip
def test_the_hijri_day_is_the_one_of_umm_al_qura(as_reader, day, tag, shown):
    assert as_reader(tag, lambda: formats.hijri(day), calendar="umalqura") == shown


def test_who_did_not_ask_sees_no_hijri_day(as_reader):
    assert as_reader("ar", lambda: formats.hijri(AT)) == ""


def test_the_hijri_day_is_the_one_in_the_readers_zone(as_reader):
    late = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)

    assert as_reader("ar", lambda: formats.hijri(late), calendar="umalqura").startswith("13 ")


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(seconds=20), "الآن"), (timedelta(minutes=2, seconds=5), "قبل دقيقتين"), (timedelta(minutes=3, seconds=5), "قبل ٣ دقائق"),
        (timedelta(hours=11, minutes=1), "قبل ١١ ساعة"), (-timedelta(days=1, minutes=1), "بعد يوم"),
    ],
)  # fmt: skip
def test_how_long_ago(as_reader, ago, shown):
    assert as_reader("ar", lambda: formats.relative(clock.now() - ago), numerals="arab") == shown


def test_a_month_ago_is_a_date(as_reader):
    assert as_reader("en", lambda: formats.relative(datetime(2020, 1, 2, tzinfo=UTC))) == "2 January 2020"


def test_who_wants_dates_in_lists_has_how_long_ago_beside_them(as_reader):
    at = clock.now() - timedelta(minutes=3, seconds=1)

    assert as_reader("en", lambda: formats.moment_title(at), times="absolute") == "3 minutes ago"
    assert "3 minutes" not in as_reader("en", lambda: formats.moment(at), times="absolute")
    assert as_reader("en", lambda: formats.moment(at)) == "3 minutes ago"


def test_lists_have_the_comma_of_the_language_and_isolate_what_they_name(as_reader):
    assert as_reader("ar", lambda: formats.listed(["a<b", "ب"])) == "<bdi>a&lt;b</bdi>، <bdi>ب</bdi>"
    assert as_reader("en", lambda: formats.listed(["a"])) == "<bdi>a</bdi>"
    assert as_reader("ar", lambda: formats.listed_plain(["a", "\u202eب"])) == "\u2068a\u2069، \u2068ب\u2069"


def test_telephone_and_account_numbers(as_reader):
    assert as_reader("ar", lambda: formats.dialled("+٩٦٦ (50) 123-4567")) == "+966501234567"
    assert as_reader("en", lambda: formats.iban("sa03 8000 0000608010167519")).replace(NBSP, " ") == "SA03 8000 0000 6080 1016 7519"


def test_a_text_of_the_catalogue_has_the_readers_digits_and_a_term_keeps_its_own(app):
    from portal.i18n.words import gettext as _

    with app.test_request_context(), reading(of("ar", Preferences(numerals="arab"))):
        assert "٥٠٠" in _("Use at most 500 characters.") and "5" not in _("Use at most 500 characters.")
        assert "a–z" in _("Use a–z, 0–9 and _, beginning with a letter.") and "0–9" in _("Use a–z, 0–9 and _, beginning with a letter.")


@pytest.mark.parametrize(("text", "lang"), [("Leave", "en"), ("إجازة", "ar"), ("12 إجازة", "ar"), ("123", ""), ("שלום", "en"), ("", "")])
def test_the_language_of_a_text_is_that_of_its_first_letter(text, lang):
    from portal.i18n.locale import language_of

    assert language_of(text) == lang
