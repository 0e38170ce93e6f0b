"""API clients: one exchange for each refresh token, and what happens when one is shown twice."""

from __future__ import annotations

import threading

import pytest

from portal.core import db
from portal.core.access import Actor
from portal.identity.tokens import clients
from portal.identity.tokens.errors import SecretRefused
from tests.identity.tokens.conftest import alter, bell_of, letters_of, make_client, one


def swap(made, refresh=None, **given):
    """Exchange as an own request of the client would, with a connection of its own."""
    wanted = {"client_id": str(made.id), "client_secret": made.secret, "address": "192.0.2.1", **given}
    with db.unit_of_work():
        return clients.exchange(refresh or made.refresh, **wanted)


def stand(tenant):
    return one(tenant.id, "select signed_out_because from api_clients").signed_out_because


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_a_refresh_token_becomes_an_access_token_and_the_next_refresh_token(tenant, program, kind):
    made = make_client(tenant, kind=kind)
    assert (made.secret is None) == (kind == "public")

    first = swap(made)
    second = swap(made, first.refresh)

    assert program(first.access).get("/api/v1/me").status_code == 200
    assert program(second.access).get("/api/v1/me").json["permissions"] == ["run:read", "run:start", "workflow:read"]
    assert len({made.refresh, first.refresh, second.refresh}) == 3


def test_a_refresh_token_is_no_bearer_token(tenant, program):
    made = make_client(tenant)

    assert program(made.refresh).get("/api/v1/me").status_code == 401
    assert program(made.secret).get("/api/v1/me").status_code == 401


def test_the_access_token_lives_a_quarter_of_an_hour(tenant, program):
    access = swap(make_client(tenant)).access
    alter(tenant.id, "update refresh_tokens set access_expires_at = access_expires_at - interval '15 minutes'")

    assert program(access).get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "statement",
    [
        "update refresh_tokens set expires_at = clock_timestamp() - interval '1 second'",
        "update api_clients set signed_out_at = clock_timestamp(), signed_out_because = 'person'",
        "update api_clients set removed_at = clock_timestamp()",
        "update people set is_active = false where id = (select person_id from api_clients)",
        "delete from memberships where person_id = (select person_id from api_clients)",
    ],
)
def test_nothing_comes_of_a_dead_one(tenant, statement):
    made = make_client(tenant, "member")
    alter(tenant.id, statement)

    with pytest.raises(SecretRefused):
        swap(made)


def test_no_chain_lives_longer_than_thirty_days(tenant):
    made = make_client(tenant)
    alter(tenant.id, "update api_clients set family_since = clock_timestamp() - interval '29 days 23 hours'")

    grant = swap(made)

    row = one(
        tenant.id, "select expires_at - clock_timestamp() <= interval '1 hour' as soon from refresh_tokens where parent_id is not null"
    )
    assert row.soon
    alter(tenant.id, "update refresh_tokens set expires_at = expires_at - interval '1 hour'")
    with pytest.raises(SecretRefused):
        swap(made, grant.refresh)


def test_a_client_whose_answer_was_lost_gets_the_same_again(tenant):
    made = make_client(tenant)

    first, again = swap(made), swap(made)

    assert (again.access, again.refresh) == (first.access, first.refresh)
    assert stand(tenant) is None
    assert one(tenant.id, "select count(*) from refresh_tokens").count == 2


def test_after_ten_seconds_it_is_a_theft(tenant, program):
    made = make_client(tenant, "member")
    grant = swap(made)
    alter(tenant.id, "update refresh_tokens set used_at = used_at - interval '10.1 seconds' where used_at is not null")

    with pytest.raises(SecretRefused):
        swap(made)

    assert stand(tenant) == "reuse"
    assert program(grant.access).get("/api/v1/me").status_code == 401
    with pytest.raises(SecretRefused):
        swap(made, grant.refresh)
    assert bell_of(tenant, "member") == bell_of(tenant, "admin") == bell_of(tenant, "owner") == ["client.reuse"]
    assert bell_of(tenant, "builder") == []
    assert letters_of(tenant.id) == ["client_reuse"] * 3
    assert one(tenant.id, "select details from audit_entries where action = 'client.signed_out'").details["because"] == "reuse"


def test_a_grandparent_is_a_theft_even_at_once(tenant):
    made = make_client(tenant)
    swap(made, swap(made).refresh)

    with pytest.raises(SecretRefused):
        swap(made)

    assert stand(tenant) == "reuse"


def test_another_client_with_the_token_is_a_theft(tenant):
    made, other = make_client(tenant), make_client(tenant)
    swap(made)

    with pytest.raises(SecretRefused):
        swap(made, client_id=str(other.id), client_secret=other.secret)

    stands = {
        row.id: row.signed_out_because
        for row in [one(tenant.id, "select id, signed_out_because from api_clients where id = :id", id=each.id) for each in (made, other)]
    }
    assert stands == {made.id: "reuse", other.id: None}


@pytest.mark.parametrize("secret", [None, "", "wrong", "é\ud800", "wfs_test_" + "0" * 36])
def test_a_wrong_client_secret_gives_nothing_and_ends_nothing(tenant, secret):
    made = make_client(tenant)

    with pytest.raises(SecretRefused):
        swap(made, client_secret=secret)

    assert stand(tenant) is None
    assert swap(made).access


def test_a_network_that_guesses_has_to_wait_and_others_do_not(tenant, program):
    made = make_client(tenant)
    body = {"client_id": str(made.id), "client_secret": made.secret, "refresh_token": made.refresh}

    def ask(address, **changed):
        return program(None, REMOTE_ADDR=address).post("/api/v1/token", json={**body, **changed})

    guesses = [ask("198.51.100.7", refresh_token="guess").status_code for _ in range(51)]
    assert guesses == [401] * 50 + [429]
    assert ask("198.51.100.7").status_code == 429
    assert stand(tenant) is None
    assert ask("203.0.113.7").status_code == 200


def test_two_at_once_get_the_same_child(tenant):
    made = make_client(tenant)
    ready, grants = threading.Barrier(2), []

    def take():
        ready.wait()
        grants.append(swap(made))

    takers = [threading.Thread(target=take) for _ in range(2)]
    for each in takers:
        each.start()
    for each in takers:
        each.join()

    assert len(grants) == 2 and grants[0].refresh == grants[1].refresh and grants[0].access == grants[1].access
    assert one(tenant.id, "select count(*) from refresh_tokens").count == 2
    assert stand(tenant) is None


def test_the_second_waits_for_the_first(tenant):
    """The first has exchanged but not committed yet, on a connection of its own; the second must not give another child."""
    made = make_client(tenant)
    grants, began = [], threading.Event()

    def take():
        began.set()
        grants.append(swap(made))

    with db.unit_of_work():
        with db.transaction():
            first = clients.exchange(made.refresh, client_id=str(made.id), client_secret=made.secret, address="")
            second = threading.Thread(target=take)
            second.start()
            began.wait()
            second.join(0.3)
            assert second.is_alive(), "the second did not wait"
        second.join()

    assert grants[0].refresh == first.refresh


def test_the_kept_child_is_sealed_and_goes(tenant):
    made = make_client(tenant)
    grant = swap(made)

    row = one(tenant.id, "select id, sealed_child from refresh_tokens where used_at is not null")
    assert grant.refresh.encode() not in row.sealed_child
    with db.transaction(system=True) as session:
        from sqlalchemy import text

        due = session.execute(
            text("select arguments, available_at - clock_timestamp() as wait from outbox where name = 'tokens.forget_child'")
        ).all()
    mine = [each for each in due if each.arguments == [str(tenant.id), str(row.id)]]
    assert len(mine) == 1 and 5 < mine[0].wait.total_seconds() <= 11

    from portal.identity.tokens import jobs

    jobs.forget_child(str(tenant.id), str(row.id))

    assert one(tenant.id, "select sealed_child from refresh_tokens where used_at is not null").sealed_child is None
    with pytest.raises(SecretRefused):
        swap(made)


def test_signing_in_again_ends_what_was(tenant, program):
    made = make_client(tenant)
    grant = swap(made)
    owner = tenant.people["owner"]
    with db.transaction(tenant.id):
        new = clients.renew_client(tenant.id, owner, made.id, by=Actor("person", owner))

    assert program(grant.access).get("/api/v1/me").status_code == 401
    with pytest.raises(SecretRefused):
        swap(new, grant.refresh)
    assert program(swap(new).access).get("/api/v1/me").status_code == 200


def test_signing_out_ends_everything(tenant, program, as_role):
    made = make_client(tenant, "member")
    grant = swap(made)

    assert as_role("builder").post(f"/settings/clients/{made.id}/sign-out").status_code == 404
    assert as_role("admin").post(f"/settings/clients/{made.id}/sign-out").status_code == 303

    assert program(grant.access).get("/api/v1/me").status_code == 401
    assert bell_of(tenant, "member") == ["client.admin"]
