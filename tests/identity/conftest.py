"""What the tests of people and their ways in share."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.identity.support import service as support
from tests.identity.factors.device import Device

WHY = {"reason": "The daily report does not arrive", "ticket": "T-77"}


@pytest.fixture
def add_passkey():
    """Let a signed-in browser add a passkey of a device."""

    def add(browser, device=None, name=""):
        device = device or Device()
        options = browser.client.post("/settings/sign-in/passkey/options").get_json()
        answer = browser.post("/settings/sign-in/passkey", data={"credential": device.create(options), "name": name})
        assert answer.status_code in (200, 303), answer.text[:500]
        return device

    return add


@pytest.fixture
def consent(app, tenant):
    with app.app_context(), db.unit_of_work(tenant.id):
        support.grant(tenant.id, 4, by=Actor("person", tenant.people["owner"]))


def look(browser, tenant, role="builder", **changed):
    return browser.post(f"/staff/tenants/{tenant.id}/visit", data={"person": str(tenant.people[role]), **WHY, **changed})


@pytest.fixture(autouse=True)
def nobody_asked_before(app):
    """All visitors of the tests share a network, which may ask for ten letters an hour: earlier tests do not count."""
    with db.transaction(system=True) as session:
        session.execute(text("delete from proof_attempts where kind = 'reset'"))
