"""The alarm about passwords that are tried at many accounts: when it is given, how often, and who sees it."""

from __future__ import annotations

import pytest
from flask import render_template
from sqlalchemy import text

from portal.core import db
from portal.core.ids import new_id
from portal.i18n.reader import LOCALES, reading
from portal.identity import stuffing
from tests.identity.letters import letters_to
from tests.identity.test_throttle import somewhere


@pytest.fixture(autouse=True)
def quiet():
    """What other tests tried is none of this one's."""
    with db.transaction() as session:
        session.execute(text("delete from proof_attempts"))
        session.execute(text("delete from sign_in_alarms"))


def tried(count, *, network="203.0.113.7/32", wide="203.0.113.0/24", outcome="failed", ago_s=10, accounts=None):
    with db.transaction() as session:
        session.execute(
            text(
                "insert into proof_attempts (id, kind, subject, network, wide_network, outcome, at) select gen_random_uuid(), 'password',"
                " decode(md5(:mark || (n % :accounts)), 'hex'), :network, :wide, :outcome, clock_timestamp() - make_interval(secs => :ago)"
                " from generate_series(1, :count) n"
            ),
            {"mark": new_id().hex, "accounts": accounts or count, "network": network, "wide": wide, "outcome": outcome, "ago": ago_s, "count": count},
        )  # fmt: skip


def usual(in_five_minutes):
    """As many failures as seven days have when each five minutes have so many."""
    tried(in_five_minutes * 2016, network="198.51.100.1/32", wide="198.51.100.0/24", ago_s=3 * 86400, accounts=50)


def given():
    with db.transaction() as session:
        return [tuple(row) for row in session.execute(text("select kind, network, accounts from sign_in_alarms order by kind"))]


def test_a_network_that_tries_more_than_a_hundred_accounts_in_vain_gives_an_alarm_once(app):
    with app.app_context():
        usual(40)
        tried(100)
        assert (stuffing.watch(), given()) == (0, [])
        tried(1)
        assert (stuffing.watch(), given()) == (1, [("network", "203.0.113.7/32", 101)])
        tried(30)
        assert (stuffing.watch(), given()) == (0, [("network", "203.0.113.7/32", 131)]), "the same one goes on"


def test_an_office_that_mostly_gets_in_gives_none(app):
    with app.app_context():
        usual(40)
        tried(110)
        tried(20, outcome="passed")
        assert stuffing.watch() == 0


def test_what_is_older_than_five_minutes_counts_no_more(app):
    with app.app_context():
        usual(40)
        tried(150, ago_s=310)
        assert stuffing.watch() == 0


def test_refused_tries_count_and_a_network_of_many_addresses_is_one(app):
    with app.app_context():
        usual(60)
        for number in range(30):
            tried(5, network=f"203.0.113.{number}/32", outcome="refused")
        assert (stuffing.watch(), given()) == (1, [("network", "203.0.113.0/24", 150)])


def test_five_times_the_usual_at_the_whole_site_gives_an_alarm(app):
    with app.app_context():
        usual(10)
        for number in range(10):
            tried(5, network=f"198.51.{number}.1/32", wide=f"198.51.{number}.0/24")
        assert stuffing.watch() == 0, "exactly five times"
        tried(1, network="198.51.77.1/32", wide="198.51.77.0/24")
        assert (stuffing.watch(), given()[0][0]) == (1, "site")


def test_a_quiet_site_gives_none_for_a_handful(app):
    with app.app_context():
        tried(49, accounts=3)
        assert stuffing.watch() == 0


def test_staff_see_it_on_the_health_page_and_it_stands_in_the_houses_book(app, as_staff):
    browser = as_staff()
    assert "Passwords tried at many accounts" not in browser.get("/staff").text
    with app.app_context():
        tried(120)
        stuffing.watch()

    assert "203.0.113.7/32" in browser.get("/staff").text
    arabic = as_staff("ar").get("/staff").text
    assert "203.0.113.7/32" in arabic and "Passwords tried" not in arabic
    with db.transaction(system=True) as session:
        assert session.scalar(text("select count(*) from audit_entries where action = 'sign_in.stuffing_suspected'")) >= 1


def test_staff_are_told_once_by_mail_and_bell_in_their_language(app, as_staff, staffer):
    browser = as_staff()
    assert "Nothing new" in browser.get("/notifications").text and 'class="count"' not in browser.get("/staff").text
    with app.app_context():
        usual(40)
        tried(120)
        assert stuffing.watch() == 1
        tried(30)
        stuffing.watch()

    page = browser.get("/notifications")
    assert page.text.count("Passwords are tried at many accounts") == 1 and 'href="/staff#alarms"' in page.text
    assert 'class="count"' in browser.get("/staff").text
    assert "تُجرَّب كلمات مرور" in as_staff("ar").get("/notifications").text
    letters = [each for each in letters_to(staffer.email) if each["message"] == "stuffing_suspected"]
    assert [(each["network"], each["accounts"], each["link"]) for each in letters] == [("203.0.113.7/32", 120, "/staff")]
    with app.test_request_context():
        for tag, network, country in (("en", "Network:", "A private network"), ("ar", "الشبكة:", "شبكة خاصة")):
            with reading(LOCALES[tag]):
                said = render_template("mail/stuffing_suspected/body.txt", lang=tag, **letters[0])
                of_the_site = render_template("mail/stuffing_suspected/body.txt", lang=tag, **{**letters[0], "network": ""})
            assert network in said and country in said and country not in of_the_site
    browser.post("/notifications/read-all")
    assert 'class="count"' not in browser.get("/staff").text


def test_who_is_no_staff_hears_nothing(app, tenant, as_role):
    browser = as_role("owner")
    with app.app_context():
        tried(120)
        stuffing.watch()
    assert "Passwords are tried" not in browser.get("/notifications").text
    assert [each for each in letters_to(tenant.email("owner")) if each["message"] == "stuffing_suspected"] == []


def test_real_sign_ins_are_what_is_counted(app, tenant, visitor):
    usual(40)
    address = somewhere()
    for number in range(3):
        visitor.client.post("/sign-in", data={"email": f"{number}@example.com", "password": "x"}, environ_base={"REMOTE_ADDR": address})

    with db.transaction() as session:
        assert (
            session.scalar(text("select count(distinct subject) from proof_attempts where at > clock_timestamp() - interval '1 minute'"))
            == 3
        )
