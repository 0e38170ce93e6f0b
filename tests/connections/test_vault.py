"""Secrets at rest: sealed for their row, sealed anew with a new key, kept beside the next one for a while, gone when deleted."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import text

from portal.connections import service
from portal.connections.checking import read, read_secrets
from portal.connections.errors import InUse, NothingToBringBack, Unusable
from portal.connections.kinds import KINDS
from portal.core import db, secrets
from portal.core.access import SYSTEM
from portal.core.config import current_settings
from portal.core.errors import Invalid, NotFound
from portal.core.ids import new_id
from tests.connections.systems import connect, form_of

SECRET = "canary-sealed-8841"


@pytest.fixture
def house(app, tenant):
    with app.app_context():
        yield tenant


def bearer(house, **values):
    return connect(house.id, "http_bearer", hosts="api.example.com", token=SECRET, **values)


def opened(house, connection_id, **asked):
    wanted = {"families": ("http",), "workflow_id": None, "step_kind": "webhook", **asked}
    return service.open_connection(house.id, connection_id, **wanted)


def column(house, connection_id, name="sealed"):
    with db.transaction(house.id) as session:
        return session.scalar(text(f"select {name} from connections where id = :id"), {"id": connection_id})


def test_a_secret_is_sealed_and_opens_only_in_its_row(house):
    one, two = bearer(house), connect(house.id, "http_bearer", name="b", hosts="api.example.com", token="another-secret")

    assert SECRET.encode() not in bytes(column(house, one))
    assert opened(house, one).secrets == {"token": SECRET}
    with db.transaction(house.id) as session:
        session.execute(text("update connections set sealed = :it where id = :id"), {"it": column(house, one), "id": two})
    with pytest.raises(Unusable) as refused:
        opened(house, two)
    assert refused.value.code == "lost"


def test_what_is_opened_shows_no_secret_in_a_log(house):
    assert SECRET not in repr(opened(house, bearer(house)))


def test_a_new_key_of_the_ring_seals_anew_and_the_old_one_may_go(house, monkeypatch):
    old, new = "old-key-" + new_id().hex, "new-key-" + new_id().hex

    def ring(keys):
        monkeypatch.setenv("ENCRYPTION_KEYS", keys)
        current_settings.cache_clear()

    try:
        ring(old)
        connection_id = bearer(house)
        with db.transaction(house.id):
            service.rotate(house.id, connection_id, {"token": "next-secret"}, keep_hours=24, by=SYSTEM)
        ring(f"{new},{old}")
        assert opened(house, connection_id).secrets == {"token": "next-secret"}
        before = bytes(column(house, connection_id))
        assert service.reseal() >= 1
        after = bytes(column(house, connection_id))
        assert after != before and after[-40:] == before[-40:]  # only the data key was sealed anew
        service.reseal()
        assert bytes(column(house, connection_id)) == after
        ring(new)
        assert opened(house, connection_id).secrets == {"token": "next-secret"}
        assert opened(house, connection_id).before == {"token": SECRET}
    finally:
        monkeypatch.undo()
        current_settings.cache_clear()


def test_an_envelope_that_was_changed_does_not_open():
    enclosed = bytearray(secrets.enclose("secret", where="here"))
    assert secrets.disclose(bytes(enclosed), where="here") == "secret"
    for place in (0, 5, 30, len(enclosed) - 1):
        changed = bytearray(enclosed)
        changed[place] ^= 1
        with pytest.raises(secrets.SecretLost):
            secrets.disclose(bytes(changed), where="here")
    with pytest.raises(secrets.SecretLost):
        secrets.disclose(bytes(enclosed), where="there")


def test_rotation_keeps_the_secret_before_and_can_be_taken_back(house):
    connection_id = bearer(house)
    with db.transaction(house.id):
        service.rotate(house.id, connection_id, {"token": "next-secret"}, keep_hours=1, by=SYSTEM)
    assert (opened(house, connection_id).secrets, opened(house, connection_id).before) == ({"token": "next-secret"}, {"token": SECRET})
    with db.transaction(house.id):
        service.bring_back(house.id, connection_id, by=SYSTEM)
    assert (opened(house, connection_id).secrets, opened(house, connection_id).before) == ({"token": SECRET}, {})
    with db.transaction(house.id), pytest.raises(NothingToBringBack):
        service.bring_back(house.id, connection_id, by=SYSTEM)


def test_the_secret_before_is_forgotten_in_time(house):
    connection_id = bearer(house)
    with db.transaction(house.id):
        service.rotate(house.id, connection_id, {"token": "next-secret"}, keep_hours=1, by=SYSTEM)
    with db.transaction(house.id) as session:
        session.execute(text("update connections set before_until = clock_timestamp() - interval '1 second'"))
    assert opened(house, connection_id).before == {}
    assert service.sweep() >= 1
    assert column(house, connection_id, "sealed_before") is None


@pytest.mark.parametrize("scope", ["workflows", "kinds"])
def test_a_connection_may_be_kept_to_some_workflows_or_kinds(house, scope):
    ours, theirs = new_id(), new_id()
    item = str(ours) if scope == "workflows" else "slack"
    form = form_of("http_bearer", hosts="api.example.com", token=SECRET, scope=scope)
    form.add(f"scope_{scope}", item)
    with db.transaction(house.id):
        given = read(KINDS["http_bearer"], form)
        connection_id = service.add_connection(house.id, "http_bearer", given, by=SYSTEM)

    assert opened(house, connection_id, workflow_id=ours, step_kind="slack").secrets
    with pytest.raises(Unusable) as refused:
        opened(house, connection_id, workflow_id=theirs, step_kind="webhook")
    assert refused.value.code == "scope"


def test_another_tenants_connection_is_not_there(house, other_tenant):
    connection_id = bearer(house)
    with pytest.raises(Unusable) as refused:
        service.open_connection(other_tenant.id, connection_id, families=("http",), workflow_id=None, step_kind="")
    assert refused.value.code == "gone"
    with db.transaction(other_tenant.id), pytest.raises(NotFound):
        service.delete_connection(other_tenant.id, connection_id, by=SYSTEM)


def test_a_step_of_another_family_does_not_get_it(house):
    with pytest.raises(Unusable) as refused:
        opened(house, bearer(house), families=("postgresql",))
    assert refused.value.code == "kind"


def test_a_used_connection_is_not_deleted(house, monkeypatch):
    connection_id = bearer(house)
    use = service.Use(new_id(), "W", None, "/workflows/x", ("a",), is_live=True)
    monkeypatch.setattr(service, "_finds_uses", [lambda tenant_id: {connection_id: [use]}])
    with db.transaction(house.id), pytest.raises(InUse):
        service.delete_connection(house.id, connection_id, by=SYSTEM)
    monkeypatch.setattr(service, "_finds_uses", [lambda tenant_id: {}])
    with db.transaction(house.id):
        service.delete_connection(house.id, connection_id, by=SYSTEM)
    with pytest.raises(Unusable):
        opened(house, connection_id)


def test_a_kept_secret_does_not_go_to_a_new_server(house):
    """Who may edit a connection but does not know its secret could otherwise have it sent to a server of their own."""
    kind = KINDS["http_bearer"]
    moved = form_of("http_bearer", hosts="evil.example.com", token="")
    assert "token" in read(kind, moved, keeps=frozenset({"token"}), hosts_before=["api.example.com"]).problems
    same = form_of("http_bearer", hosts="api.example.com", token="")
    assert read(kind, same, keeps=frozenset({"token"}), hosts_before=["api.example.com"]).problems == {}


def test_a_new_server_of_tokens_wants_the_client_secret_again(house):
    kind = KINDS["http_oauth2"]
    values = {"hosts": "api.example.com", "client_id": "us", "client_secret": ""}
    before = ["api.example.com", "token:login.example.com"]
    keeps = frozenset({"client_secret"})
    same = form_of("http_oauth2", token_url="https://login.example.com/token", **values)
    moved = form_of("http_oauth2", token_url="https://evil.example.com/token", **values)
    assert read(kind, same, keeps=keeps, hosts_before=before).problems == {}
    assert "client_secret" in read(kind, moved, keeps=keeps, hosts_before=before).problems


@pytest.mark.parametrize(
    ("kind", "field", "values"),
    [
        ("http_bearer", "hosts", {"hosts": "127.0.0.1", "token": SECRET}),
        ("http_bearer", "hosts", {"hosts": "localhost", "token": SECRET}),
        ("http_bearer", "hosts", {"hosts": "", "token": SECRET}),
        ("http_bearer", "token", {"hosts": "api.example.com", "token": "short"}),
        ("http_bearer", "token", {"hosts": "api.example.com", "token": "line\nbreak-secret"}),
        ("http_header", "header", {"hosts": "api.example.com", "key": SECRET, "header": "Host"}),
        ("http_header", "header", {"hosts": "api.example.com", "key": SECRET, "header": "X Bad"}),
        ("http_basic", "username", {"hosts": "api.example.com", "password": SECRET}),
        ("http_signed", "signing_key", {"hosts": "api.example.com", "signing_key": "whsec_no base64"}),
        ("http_oauth2", "token_url", {"hosts": "a.example.com", "token_url": "http://a.example.com", "client_id": "x", "client_secret": SECRET}),
        ("http_bearer", "test_url", {"hosts": "a.example.com", "token": SECRET, "test_url": "https://b.example.com/"}),
        ("postgresql", "host", {"host": "10.0.0.1", "database": "d", "username": "u", "password": SECRET}),
        ("postgresql", "host", {"host": "db.internal", "database": "d", "username": "u", "password": SECRET}),
        ("mysql", "port", {"host": "db.example.com", "port": "0", "database": "d", "username": "u", "password": SECRET}),
        ("slack_webhook", "webhook_url", {"webhook_url": "https://evil.example.com/services/x"}),
        ("slack_bot", "api_url", {"token": SECRET, "api_url": "https://evil.example.com"}),
        ("teams", "webhook_url", {"webhook_url": "https://contoso.webhook.office.com/webhookb2/x"}),
        ("teams", "webhook_url", {"webhook_url": "https://hooks.slack.com/x"}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(house, kind, field, values):
    assert field in read(KINDS[kind], form_of(kind, **values)).problems


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_a_secret_and_every_secret_must_be_given(house, kind):
    problems = {}
    assert read_secrets(KINDS[kind], form_of(kind), problems) == {}
    assert set(problems) == {each.name for each in KINDS[kind].secrets} != set()


def test_two_connections_have_two_names(house):
    bearer(house)
    with pytest.raises(Invalid) as refused:
        bearer(house)
    assert "name" in refused.value.problems


def test_a_webhook_key_may_have_its_prefix():
    from portal.connections.outgoing import webhook_key

    assert webhook_key("whsec_" + base64.b64encode(b"k" * 24).decode()) == b"k" * 24
