"""How a person wants pages written: chosen, kept, believed nowhere unchecked, and seen at once."""

from __future__ import annotations

import pytest
from flask_babel import force_locale
from sqlalchemy import text

from portal.core import db

CHOSEN = {
    "language": "ar", "numerals": "arab", "region": "JO", "calendar": "umalqura", "first_day": "5", "weekend": "fri_sat",
    "timezone": "القاهرة، مصر", "hours": "24", "times": "absolute",
}  # fmt: skip


def kept(house, role="owner"):
    with db.transaction() as session:
        return session.execute(text("select locale, preferences from people where id = :id"), {"id": house.people[role]}).one()


def test_what_is_chosen_is_kept_and_audited(tenant, as_role):
    owner = as_role("owner")

    answer = owner.post("/settings/preferences", data=CHOSEN)

    assert answer.status_code == 303
    assert kept(tenant).locale == "ar"
    assert kept(tenant).preferences == {
        "numerals": "arab", "region": "JO", "calendar": "umalqura", "first_day": 5, "weekend": "fri_sat",
        "timezone": "Africa/Cairo", "hours": "24", "times": "absolute",
    }  # fmt: skip
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from audit_entries where action = 'preferences.saved'")) == 1
    page = owner.get("/settings/preferences")
    assert page.tree().get("lang") == "ar" and "حُفظت تفضيلاتك." in page.text
    assert 'value="القاهرة، مصر"' in page.text


def test_nothing_chosen_is_as_usual(tenant, as_role):
    owner = as_role("owner")
    owner.post("/settings/preferences", data=CHOSEN)

    owner.post("/settings/preferences", data={"language": "en"})

    assert kept(tenant).preferences == {} and kept(tenant).locale == "en"
    assert "As usual: Sunday" in owner.get("/settings/preferences").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "fr"), ("language", ""), ("numerals", "thai"), ("region", "XX"), ("first_day", "7"), ("first_day", "٥"), ("weekend", "mon"),
     ("timezone", "Atlantis"), ("timezone", "../etc/passwd"), ("hours", "13"), ("times", "never"), ("calendar", "julian")],
)  # fmt: skip
def test_what_is_not_known_is_refused_and_the_rest_stays_filled_in(tenant, as_role, field, value):
    page = as_role("owner").post("/settings/preferences", data={**CHOSEN, "language": "en", field: value})

    assert page.status_code == 422
    assert kept(tenant).preferences == {}
    assert f'href="#f-{field}"' in page.text
    assert page.text.count("selected") >= 5
    if field == "timezone":
        assert f'value="{value}"' in page.text


def test_a_sample_shows_the_choice_before_it_is_kept(tenant, as_role):
    page = as_role("owner").post("/settings/preferences/sample", data=CHOSEN, fragment=True)

    assert page.status_code == 200 and "<html" not in page.text
    assert "١٬٢٣٤٫٥" in page.text and "هـ" in page.text and 'dir="rtl"' in page.text
    assert "Sample" in page.text, "the page around it stays in its language"
    assert kept(tenant).preferences == {}


def test_a_sample_of_nonsense_is_as_usual(as_role):
    page = as_role("owner").post("/settings/preferences/sample", data={"language": "xx", "timezone": "x"}, fragment=True)

    assert page.status_code == 200 and "1,234.5" in page.text


def test_stored_nonsense_is_not_believed(tenant, as_role):
    with db.transaction() as session:
        values = {
            "id": tenant.people["owner"],
            "odd": '{"timezone": "x", "first_day": "5", "hours": 24, "colour": "red", "weekend": ["x"]}',
        }
        session.execute(text("update people set preferences = cast(:odd as jsonb) where id = :id"), values)

    assert as_role("owner").get("/settings/preferences").status_code == 200


@pytest.mark.parametrize("role", ["owner", "auditor", "member"])
def test_everybody_has_preferences_and_finds_them_in_the_menu(as_role, role):
    browser = as_role(role)

    assert 'href="/settings"' in browser.get("/notifications").text
    assert 'href="/settings/preferences"' in browser.get("/settings").text
    assert browser.post("/settings/preferences", data={"language": "en", "numerals": "latn"}).status_code == 303


def test_a_visitor_has_none(visitor):
    assert visitor.get("/settings/preferences").headers["Location"].startswith("/sign-in")
    assert visitor.post("/settings/preferences", data=CHOSEN).status_code == 303
    assert visitor.post("/settings/preferences/sample", data=CHOSEN).status_code == 303


def test_the_organisation_says_what_is_usual(tenant, as_role):
    with db.transaction() as session:
        session.execute(
            text("update tenants set preferences = cast(:ours as jsonb) where id = :id"),
            {"id": tenant.id, "ours": '{"region": "MA", "numerals": "arab"}'},
        )
    owner = as_role("owner")

    page = owner.get("/settings/preferences")

    assert "As usual: Monday" in page.text and "As usual: Morocco" in page.text and "As usual: 24 hours" in page.text
    assert "As usual: ١٢٣" in page.text


def test_digits_are_never_mixed_in_one_view(tenant, as_role):
    owner = as_role("owner")
    owner.post("/settings/preferences", data=CHOSEN)

    for path in (
        "/home",
        "/workflows",
        "/workflows?q=x&state=draft",
        "/runs",
        "/runs?status=failed",
        "/tables",
        "/notifications",
        "/exports",
    ):
        tree = owner.get(path).tree()
        shown = "".join(text for each in tree.iter() if each.tag not in ("script", "style") for text in (each.text or "", each.tail or ""))
        shown = shown.replace("English", "")
        assert not any(letter in "0123456789" for letter in shown), (
            path,
            [word for word in shown.split() if any(c.isascii() and c.isdigit() for c in word)],
        )


def test_figures_in_arabic_digits_are_read_from_the_right(tenant, as_role):
    owner = as_role("owner")
    owner.post("/settings/preferences", data=CHOSEN)

    assert owner.get("/home").tree().get("data-digits") == "arab"
    sample = owner.post("/settings/preferences/sample", data={**CHOSEN, "numerals": "latn"}, fragment=True)
    assert "data-digits" not in sample.text
    owner.post("/settings/preferences", data={**CHOSEN, "language": "en"})
    assert owner.get("/home").tree().get("data-digits") is None


def test_the_week_of_the_sample_begins_as_chosen_and_shows_the_days_off(as_role):
    page = as_role("owner").post(
        "/settings/preferences/sample", data={"language": "en", "first_day": "0", "weekend": "sun", "calendar": "umalqura"}, fragment=True
    )

    days = [each for each in page.tree().iter("li") if each.get("title")]
    assert [each.get("title") for each in days][::6] == ["Monday", "Sunday"]
    assert [each.get("title") for each in days if each.get("class") == "is-off"] == ["Sunday"]
    assert " AH" in page.text


def test_home_names_the_zone_of_the_reader(as_role):
    owner = as_role("owner")
    owner.post("/settings/preferences", data={"language": "en", "timezone": "cairo"})

    assert owner.get("/home").text_of(".overview-zone") == ["Days and hours are those of your time zone:Cairo, Egypt"]


def test_today_begins_at_midnight_of_the_reader(app, tenant):
    from portal.identity import service

    with app.app_context():
        with db.transaction() as session:
            values = {"id": tenant.people["owner"], "chosen": '{"timezone": "Pacific/Auckland"}'}
            session.execute(text("update people set preferences = cast(:chosen as jsonb) where id = :id"), values)
        assert service.zone_of(tenant.id, tenant.people["owner"]).key == "Pacific/Auckland"
        assert service.zone_of(tenant.id, tenant.people["member"]).key == "Asia/Riyadh"
        assert service.zone_of(tenant.id, None).key == "Asia/Riyadh"


def test_a_constant_in_a_template_is_written_anew_for_each_reader(app):
    template = app.jinja_env.from_string("{{ 1840 | duration }}")
    said = []
    for tag in ("en", "ar"):
        with app.test_request_context(), force_locale(tag):
            said.append(template.render())
    assert said[0] != said[1]
