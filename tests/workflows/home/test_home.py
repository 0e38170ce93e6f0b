"""The home page: its figures against planted rows, what waits for whom, the first steps, both languages."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text, update

from portal.core import clock, db
from portal.workflows.home import board, periods
from portal.workflows.models import WorkflowTemplate
from tests.workflows.engine.conftest import Engine, step, values

RIYADH = ZoneInfo("Asia/Riyadh")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)  # noon in Riyadh


def at(day, hour=8, month=11):
    return datetime(2026, month, day, hour, tzinfo=UTC)


def count(ground, period="7d", now=NOW, zone=RIYADH):
    with db.transaction(ground.house.id):
        return board.count(ground.house.id, periods.window(period, now=now, zone=zone))


def figure(page, code):
    found = next(each for each in page.tree().iter("div") if each.get("data-figure") == code)
    return " ".join("".join(found.itertext()).split())


def points(page, chart):
    found = next(each for each in page.tree().iter() if each.get("id") == chart)
    return [each.get("aria-label") for each in found.iter() if each.get("data-point") is not None]


def test_figures_are_those_of_the_rows(ground):
    ours = ground.workflow("Counted")
    for day, status, took_s in ((23, "succeeded", 10), (22, "succeeded", 30), (22, "failed", 5), (20, "timed_out", 60), (17, "cancelled", 1), (17, "running", 0)):  # fmt: skip
        ground.run(ours, at(day), status, took_s=took_s)
    ground.run(ours, at(16, 8), "failed")
    ground.run(ours, at(10, 8), "succeeded", took_s=50)

    counts = count(ground)

    assert counts.now == board.Tally(succeeded=2, failed=2, other=2)
    assert counts.before == board.Tally(succeeded=1, failed=1)
    assert (counts.median, counts.median_before) == (20, 50)
    assert counts.now.rate == 0.5
    assert [tally.runs for tally in counts.stretches] == [2, 0, 0, 1, 0, 2, 1]
    assert counts.medians == (None, None, None, None, None, 30, 10)


def test_a_run_just_before_midnight_of_the_tenant_belongs_to_that_day(ground):
    ours = ground.workflow("Late")
    midnight = datetime(2026, 11, 22, 21, tzinfo=UTC)
    ground.run(ours, midnight - timedelta(microseconds=1))
    ground.run(ours, midnight)

    assert [tally.runs for tally in count(ground).stretches][-2:] == [1, 1]
    assert [tally.runs for tally in count(ground, zone=ZoneInfo("UTC")).stretches][-2:] == [2, 0]


def test_the_day_of_the_change_of_clocks_keeps_its_runs(ground):
    ours = ground.workflow("Clocks")
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 10, 24, 22, tzinfo=UTC)  # the 25th begins in summer time and ends, 25 hours later, in winter time
    for hours in (0, 12, 24.99):
        ground.run(ours, begin + timedelta(hours=hours))
    ground.run(ours, begin + timedelta(hours=25))

    counts = count(ground, now=datetime(2026, 10, 26, 12, tzinfo=UTC), zone=berlin)

    assert [tally.runs for tally in counts.stretches][-2:] == [3, 1]


def test_the_rest_of_the_day_a_week_ago_is_not_compared(ground):
    ours = ground.workflow("Fair")
    ground.run(ours, at(16, 8))
    ground.run(ours, at(16, 10))  # later in the day than it is now

    assert count(ground).before.runs == 1


def test_what_is_accepted_later_than_now_is_not_counted(ground):
    ground.run(ground.workflow("Future"), NOW + timedelta(hours=1))

    assert count(ground).now.runs == 0


def test_nothing_of_another_tenant_is_counted(ground, other_ground, as_role, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    theirs = other_ground.workflow("Theirs-5502")
    other_ground.workflow("Draft-5502", is_published=False)
    for day in range(17, 24):
        other_ground.run(theirs, at(day, 7), "failed")
    ours = ground.workflow("Ours")
    ground.run(ours, at(23, 7))

    page = as_role("owner").get("/home?period=7d")

    assert figure(page, "runs").startswith("Runs 1 ")
    assert figure(page, "failed").startswith("Failed 0 ")
    assert "5502" not in page.text
    assert count(ground).now.runs == 1


def test_the_page_says_what_was_counted(ground, as_role, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    ours = ground.workflow("Orders", name_ar="الطلبات")
    ground.run(ours, at(23, 7), "failed")
    ground.run(ours, at(22), took_s=90)
    ground.run(ours, at(16), took_s=60)

    page = as_role("owner").get("/home?period=7d")

    assert figure(page, "runs") == "Runs 2 +100% 1 in the period before"
    assert figure(page, "rate") == "Success rate 50% −50 points 100% in the period before"
    assert figure(page, "median") == "Median duration 1 min 30 s +50% 1 min 0 s in the period before"
    assert figure(page, "failed") == "Failed 1 +1 0 in the period before"
    assert points(page, "chart-runs")[-2:] == [
        "22 November 2026: 1 succeeded, 0 failed, 0 open or cancelled",
        "23 November 2026: 0 succeeded, 1 failed, 0 open or cancelled",
    ]
    assert points(page, "chart-failures") == ["\u2068Orders\u2069: 1 of 2 runs failed"]
    assert points(page, "chart-shares") == ["\u2068Orders\u2069: 2 runs, 100%"]
    assert f'href="/runs?workflow={ours}&amp;status=failed"' in page.text
    assert "Monday, 10\N{NO-BREAK SPACE}AM: 1" in points(page, "chart-hours"), "07:00 UTC is ten o'clock in Riyadh"


def test_small_workflows_share_the_last_slice(ground, as_role):
    for place in range(7):
        workflow_id = ground.workflow(f"W{place}")
        for _each in range(8 - place):
            ground.run(workflow_id, clock.now() - timedelta(minutes=5))

    labels = points(as_role("owner").get("/home"), "chart-shares")

    assert len(labels) == 5
    assert labels[-1].startswith("\u2068Other workflows\u2069: 9 runs")


def test_every_chart_is_also_a_table(ground, as_role):
    ground.run(ground.workflow("Any"), clock.now() - timedelta(minutes=5), "failed")
    ground.run(ground.workflow("Other"), clock.now() - timedelta(minutes=5))

    tree = as_role("owner").get("/home").tree()

    figures = [each for each in tree.iter("figure") if each.get("data-chart") is not None]
    assert len(figures) == 5
    assert all(len(list(each.iter("tr"))) > 1 for each in figures)
    for each in figures:
        reached = [point.get("tabindex") for point in each.iter() if point.get("data-point") is not None and point.tag != "a"]
        assert not reached or reached.count("0") == 1, "one stop for Tab; arrows do the rest"


def test_time_stays_and_bars_mirror_in_arabic(ground, sign_in, tenant):
    few, many = ground.workflow("Few", name_ar="قليل"), ground.workflow("Many", name_ar="كثير")
    for workflow_id in (few, many, many):
        ground.run(workflow_id, clock.now() - timedelta(minutes=5), "failed")

    english = sign_in(tenant, "owner").get("/home")
    switched = sign_in(tenant, "owner")
    switched.post("/locale", data={"locale": "ar", "next": "/home"})
    arabic = switched.get("/home")

    def bars(page):
        return re.findall(r'<rect class="viz-4" x="([\d.]+)%" width="([\d.]+)%" height="12" rx="3"/>', page.text)

    def columns(page):
        return re.findall(r'class="chart-band" x="([\d.]+)%"', page.text)

    assert 'dir="rtl"' in arabic.text
    assert bars(english) == [("0", "100"), ("0", "50")]
    assert bars(arabic) == [("0", "100"), ("50", "50")]
    assert columns(english) == columns(arabic) == sorted(columns(english), key=float)
    assert [" ".join(each.split()) for each in arabic.text_of(".chart-time")] == ["الزمن →"] * 2
    assert 'x="0" y=' in arabic.text and 'x="100%" y=' in english.text, "the values stand on the start side"
    assert points(arabic, "chart-hours")[0].startswith("الأحد") and points(english, "chart-hours")[0].startswith("Sunday"), (
        "the week of the region"
    )


def test_an_unknown_period_falls_back_and_says_so(as_role):
    page = as_role("owner").get("/home?period=1y")

    assert page.status_code == 200
    assert "The address names a period that does not exist." in page.text
    assert any(each.get("aria-current") and each.get("id") == "period-30d" for each in page.tree().iter("a"))


def test_only_the_block_is_sent_when_htmx_asks(ground, as_role):
    part = as_role("owner").get("/home?period=24h", fragment=True)

    assert part.text.lstrip().startswith('<div class="stack overview" id="overview">')
    assert "The last 24 hours" in part.text
    assert "data-announce" in part.text and "data-announce" not in as_role("owner").get("/home").text


@pytest.mark.parametrize("period", list(periods.DAYS))
@pytest.mark.parametrize("role", ["owner", "member", "auditor"])
def test_a_tenant_without_anything_is_told_so_honestly(as_role, period, role):
    page = as_role(role).get(f"/home?period={period}")

    assert page.status_code == 200
    assert figure(page, "runs") == "Runs 0 Nothing to compare with"
    assert figure(page, "rate") == "Success rate –none Nothing to compare with"
    assert figure(page, "median") == "Median duration –none Nothing to compare with"
    assert "No runs yet" in page.text and "No run in this period." not in page.text
    assert "Nothing waits for you." in page.text
    assert "NaN" not in page.text


def test_a_period_without_runs_says_so(ground, as_role):
    ground.run(ground.workflow("Long ago"), clock.now() - timedelta(days=40))

    page = as_role("owner").get("/home?period=7d")

    assert page.text.count("No run in this period.") == 2
    assert points(as_role("owner").get("/home?period=90d"), "chart-shares") == ["\u2068Long ago\u2069: 1 run, 100%"]


def test_the_front_door_leads_home(as_role, visitor):
    assert as_role("auditor").get("/").headers["Location"] == "/home"
    assert visitor.get("/home").headers["Location"].startswith("/sign-in")


def test_a_failed_run_waits_until_it_is_retried(ground, as_role):
    failed = ground.run(ground.workflow("Broken"), clock.now() - timedelta(hours=1), "failed")
    owner = as_role("owner")
    assert f'<a href="/runs/{failed}"><bdi>Broken</bdi></a>' in owner.get("/home").text

    assert owner.post(f"/runs/{failed}/retry").status_code == 303

    assert f'<a href="/runs/{failed}"><bdi>Broken</bdi></a>' not in owner.get("/home").text


def test_each_sees_only_what_they_may_act_on(ground, as_role):
    ours = ground.workflow("Shared")
    ground.workflow("Sketch", is_published=False)
    theirs = ground.run(ours, clock.now() - timedelta(hours=1), "failed", by="owner")
    mine = ground.run(ours, clock.now() - timedelta(hours=1), "failed", by="member")

    def waiting(role):
        card = as_role(role).get("/home").text.split('<ul class="needs">')
        needs = card[1].split("</ul>")[0] if len(card) > 1 else ""
        return [str(theirs) in needs, str(mine) in needs, "Sketch" in needs]

    assert waiting("owner") == [True, True, True]
    assert waiting("member") == [False, True, False]
    assert waiting("auditor") == [False, False, False]


def test_a_step_in_doubt_waits_for_a_decision(app, tenant, as_role):
    with app.app_context():
        engine = Engine(tenant)
        run_id = engine.start(engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours")))
        engine.pump()
        with db.transaction(tenant.id) as session:
            session.execute(text("update workflow_steps set state = 'in_doubt' where execution_id = :run"), {"run": run_id})

    page = as_role("owner").get("/home")

    assert "A step was cut off and needs your decision." in page.text
    assert f'<a href="/runs/{run_id}">' in page.text


def test_a_draft_waits_until_it_is_what_runs(ground, as_role):
    ours = ground.workflow("Moved on")
    owner = as_role("owner")
    assert "Changed since version" not in owner.get("/home").text

    with db.transaction(ground.house.id) as session:
        session.execute(update(WorkflowTemplate).where(WorkflowTemplate.id == ours).values(nodes=[step("only", "set", **values(x="2"))]))

    assert "Changed since version 1 was published." in owner.get("/home").text


def test_more_than_fits_is_counted(ground, as_role):
    ours = ground.workflow("Often")
    for minutes in range(7):
        ground.run(ours, clock.now() - timedelta(minutes=minutes + 1), "failed")

    assert "3 more failed runs" in as_role("owner").get("/home").text


def steps_done(page):
    return [each.get("class") == "is-done" for each in page.tree().iter("li") if each.get("class") in ("is-done", "is-current", "is-open")]


def test_first_steps_follow_the_facts(ground, as_role):
    owner = as_role("owner")
    owner.post("/locale", data={"locale": "en", "next": "/"})
    assert steps_done(owner.get("/home")) == [False, False, False, False, True]

    sketch = ground.workflow("First", is_published=False)
    page = owner.get("/home")
    assert steps_done(page) == [True, False, False, False, True]
    assert f'href="/workflows/{sketch}/design"' in page.text

    ours = ground.workflow("Second")
    page = owner.get("/home")
    assert steps_done(page) == [True, True, False, False, True]
    assert f'href="/workflows/{ours}/run"' in page.text

    run_id = ground.run(ours, clock.now() - timedelta(hours=1), "failed")
    page = owner.get("/home")
    assert steps_done(page) == [True, True, True, False, True]
    assert f'href="/runs/{run_id}"' in page.text

    ground.run(ours, clock.now() - timedelta(minutes=1))
    assert "first-steps" not in owner.get("/home").text


def test_first_steps_are_put_away_for_everybody_and_brought_back(ground, sign_in, tenant, other_tenant):
    owner, builder = sign_in(tenant, "owner"), sign_in(tenant, "builder")
    assert owner.post("/home/first-steps/dismiss").headers["Location"] == "/home"
    assert owner.post("/home/first-steps/dismiss").status_code == 303

    assert 'id="first-steps"' not in builder.get("/home").text
    assert 'id="first-steps"' in sign_in(other_tenant, "owner").get("/home").text

    assert builder.post("/home/first-steps/resume").status_code == 303
    assert 'id="first-steps"' in owner.get("/home").text
    with db.transaction(tenant.id) as session:
        told = session.scalars(text("select action from audit_entries where action like 'onboarding.%' order by at")).all()
    assert told == ["onboarding.dismissed", "onboarding.resumed"]


@pytest.mark.parametrize("role", ["member", "auditor"])
def test_who_may_not_edit_has_no_first_steps(as_role, role):
    browser = as_role(role)

    assert 'id="first-steps"' not in browser.get("/home").text
    assert browser.post("/home/first-steps/dismiss").status_code == 403
    assert browser.post("/home/first-steps/resume").status_code == 403


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("period", list(periods.DAYS))
def test_a_full_page_stays_within_its_budget(ground, as_role, locale, period):
    now = clock.now()
    for place in range(6):
        workflow_id = ground.workflow(f"Workflow number {place}", name_ar=f"مسار العمل رقم {place}")
        for hours in range(0, 24 * 28, 7 + place):
            ground.run(workflow_id, now - timedelta(hours=hours, minutes=1), ("succeeded", "failed", "cancelled")[hours % 3])
    browser = as_role("owner")
    browser.post("/locale", data={"locale": locale, "next": "/"})

    page = browser.get(f"/home?period={period}")

    assert len(gzip.compress(page.text.encode(), 9)) <= 15_000
