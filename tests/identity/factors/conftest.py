"""What tests of sign-in factors share."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from tests.conftest import PASSWORD, Browser


@pytest.fixture
def after_password(app, tenant):
    """A browser of somebody whose password was right, and nothing more."""

    def begin(role="owner", *, next_address="", locale="en"):
        client = app.test_client()
        client.set_cookie("locale", locale)
        query = {"next": next_address} if next_address else {}
        answer = client.post("/sign-in", query_string=query, data={"email": tenant.email(role), "password": PASSWORD})
        assert answer.headers["Location"] == "/sign-in/factor"
        return Browser(client)

    return begin


def rows(statement, **values):
    with db.transaction() as session:
        return session.execute(text(statement), values).all()


def passkey_sign_in(browser, device, *, answer=None, next_address=""):
    """Sign in with a passkey; answer replaces what the device would say."""
    options = browser.client.post("/sign-in/passkey/options").get_json()
    query = {"next": next_address} if next_address else {}
    return browser.client.post("/sign-in/passkey", query_string=query, data={"credential": answer or device.get(options)})
