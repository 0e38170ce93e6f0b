"""What people see of tokens and clients; and that a secret is nowhere but in the one answer that says it."""

from __future__ import annotations

import logging
import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.ids import new_id
from portal.identity.tokens import spelling
from tests.identity.tokens.conftest import alter, make_client, make_token, one

FORM = {"name": "Nightly", "scopes": ["workflow:read", "run:read"], "days": "90", "networks": ""}


def test_the_way_of_a_token(tenant, as_role, program):
    browser = as_role("member")
    assert "No tokens yet" in browser.get("/settings/tokens").text

    page = browser.post("/settings/tokens", data=FORM)

    (secret,) = set(spelling.find(page.text))
    assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
    assert program(secret).get("/api/v1/me").status_code == 200
    listed = browser.get("/settings/tokens")
    assert "Nightly" in listed.text and secret[:13] in listed.text and secret not in listed.text
    token_id = re.search(r"/settings/tokens/([0-9a-f-]{36})", listed.text)[1]
    rotated = browser.post(f"/settings/tokens/{token_id}/rotate", data={"overlap": "٢٤"})
    (second,) = set(spelling.find(rotated.text))
    assert {program(each).get("/api/v1/me").status_code for each in (secret, second)} == {200}
    assert browser.get(f"/settings/tokens/{token_id}/revoke").status_code == 200
    assert browser.post(f"/settings/tokens/{token_id}/revoke").status_code == 303
    assert program(secret).get("/api/v1/me").status_code == 401


def test_a_form_that_is_wrong_comes_back_filled(as_role):
    page = as_role("owner").post("/settings/tokens", data={**FORM, "name": "", "networks": "10.0.0.0/8\nhome", "scopes": ["run:read"]})

    assert page.status_code == 422
    assert "Enter a name." in page.text and "home" in page.text
    assert page.text_of("head/title")[0].startswith("Error:")
    assert 'value="run:read" checked' in page.text
    assert spelling.find(page.text) == []


def test_a_form_sent_twice_makes_one_token(tenant, as_role):
    browser, data = as_role("owner"), {**FORM, "request_key": str(new_id())}
    browser.post("/settings/tokens", data=data)

    assert browser.post("/settings/tokens", data=data).status_code == 303
    assert one(tenant.id, "select count(*) from api_tokens").count == 1


def test_who_may_not_make_tokens_sees_none(as_role):
    for path in ("/settings/tokens", "/settings/tokens/new", "/settings/clients"):
        assert as_role("auditor").get(path).status_code == 403
    assert as_role("builder").get("/settings/tokens/all").status_code == 403


def test_who_has_not_proved_lately_who_they_are_does_it_first(tenant, as_role):
    browser, made = as_role("owner"), make_token(tenant)
    with db.transaction() as session:
        session.execute(text("update sessions set confirmed_at = confirmed_at - interval '16 minutes'"))

    for answer in (
        browser.get("/settings/tokens/new"), browser.post("/settings/tokens", data=FORM), browser.get("/settings/clients/new"),
        browser.post(f"/settings/tokens/{made.id}/rotate", data={"overlap": "0"}),
    ):  # fmt: skip
        assert answer.status_code == 303 and answer.headers["Location"].startswith("/confirm")
    assert one(tenant.id, "select count(*) from api_tokens").count == 1
    assert browser.get("/settings/tokens").status_code == 200


def test_people_see_their_own_and_admins_all(tenant, as_role):
    made = make_token(tenant, "builder", name="Builders own")

    assert "Builders own" not in as_role("member").get("/settings/tokens").text
    assert as_role("member").get(f"/settings/tokens/{made.id}").status_code == 404
    assert "Builders own" in as_role("admin").get("/settings/tokens/all").text
    assert as_role("admin").get(f"/settings/tokens/{made.id}").status_code == 200


def test_the_way_of_a_client(tenant, as_role, program):
    browser = as_role("member")
    page = browser.post("/settings/clients", data={"name": "App", "kind": "confidential", "scopes": ["workflow:read"]})

    secrets = {each[:3]: each for each in spelling.find(page.text)}
    assert set(secrets) == {"wfs", "wfr"} and page.headers["Cache-Control"] == "no-store"
    client_id = one(tenant.id, "select id from api_clients").id
    body = {"client_id": str(client_id), "client_secret": secrets["wfs"], "refresh_token": secrets["wfr"]}
    answer = program(None).post("/api/v1/token", data=body)
    assert answer.status_code == 200 and answer.json["expires_in"] in range(880, 901)
    assert program(answer.json["access_token"]).get("/api/v1/workflows").status_code == 200
    assert browser.post(f"/settings/clients/{client_id}/remove").status_code == 303
    assert program(answer.json["access_token"]).get("/api/v1/workflows").status_code == 401
    assert "No clients yet" in browser.get("/settings/clients").text


def test_no_secret_is_kept_or_said_again(tenant, as_role, program, caplog):
    caplog.set_level(logging.DEBUG)
    browser = as_role("owner")
    page = browser.post("/settings/tokens", data=FORM)
    made = browser.post("/settings/clients", data={"name": "App", "kind": "confidential", "scopes": ["workflow:read"]})
    secrets = [*spelling.find(page.text), *spelling.find(made.text)]
    refresh = next(each for each in secrets if each.startswith("wfr"))
    client_id = one(tenant.id, "select id from api_clients").id
    body = {
        "client_id": str(client_id),
        "client_secret": next(each for each in secrets if each.startswith("wfs")),
        "refresh_token": refresh,
    }
    answer = program(None).post("/api/v1/token", json=body).json
    secrets += [answer["access_token"], answer["refresh_token"]]
    program(secrets[0]).get("/api/v1/me")
    program(None).post("/api/v1/token", json={**body, "client_id": str(new_id())})
    program(None).post("/api/v1/leaked-tokens", json=[secrets[0]])
    token_id = one(tenant.id, "select id from api_tokens").id

    # Parts as well: 20 characters of one are as good as it.
    canaries = [each[15:35] for each in secrets]
    assert len(set(canaries)) == 5
    with db.transaction(tenant.id) as session:
        dump = "\n".join(_rows(session))
    with db.transaction(system=True) as session:
        dump += "\n".join(str(row) for row in session.execute(text("select arguments::text from outbox")))
    pages = "".join(
        browser.get(path).text
        for path in ("/settings/tokens", f"/settings/tokens/{token_id}", "/settings/tokens/all", "/settings/clients",
                     f"/settings/clients/{client_id}", "/notifications")
    )  # fmt: skip
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for canary in canaries:
        for name, place in {"database": dump, "pages": pages, "logs": said}.items():
            assert canary not in place, f"{canary} stands in the {name}"
    assert token_id.hex in dump.replace("-", ""), "the dump is empty: this test proves nothing"


def _rows(session):
    names = session.scalars(text("select table_name from information_schema.tables where table_schema = 'public'")).all()
    for name in names:
        if session.scalar(text(f"select has_table_privilege('{name}', 'select')")):
            for row in session.execute(
                text(f"select t::text as row, encode(convert_to(t::text, 'UTF8'), 'escape') as plain from {name} t")
            ):
                yield f"{row.row} {row.plain}"


def test_the_states_that_people_see(tenant, as_role):
    browser = as_role("owner")
    made = make_token(tenant)
    seen = []
    for change in (
        "noticed_days = null", "expires_at = clock_timestamp() + interval '3 days'", "rotated_to = id",
        "expires_at = clock_timestamp() - interval '1 day'", "revoked_at = clock_timestamp(), revoked_because = 'person'",
        "revoked_because = 'leak'",
    ):  # fmt: skip
        alter(tenant.id, f"update api_tokens set {change}")
        seen += browser.get(f"/settings/tokens/{made.id}").text_of(".tags")

    assert seen == ["Works", "Ends soon", "Rotated, still works", "Expired", "Revoked", "Leaked, revoked"]


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_the_pages_of_a_client_in_both_languages(tenant, sign_in, locale):
    made = make_client(tenant)

    for path in (f"/settings/clients/{made.id}", f"/settings/clients/{made.id}/remove", "/settings/clients/new", "/settings/clients"):
        assert sign_in(tenant, "owner", locale).get(path).status_code == 200
