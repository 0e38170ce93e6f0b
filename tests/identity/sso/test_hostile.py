"""Ways back that were never begun, begun elsewhere, used twice or meant for another; addresses that are somebody else's."""

from __future__ import annotations

import urllib.parse

import pytest

from tests.identity.sso.conftest import prove_domain, rows

BEGIN_AGAIN = "Begin again."


def query(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def with_query(url, **changed):
    parts = urllib.parse.urlsplit(url)
    values = {name: value for name, value in {**query(url), **changed}.items() if value is not None}
    return f"{parts.path}?{urllib.parse.urlencode(values)}"


@pytest.fixture
def setup(tenant, set_up, idp):
    made = set_up(tenant)
    idp.hire("eve", email=f"eve@{made.domain}", email_verified=True, name="Eve")
    return made


def is_in(person):
    return person.browser.get("/runs").status_code == 200


def test_an_answer_counts_once(setup, traveller):
    person = traveller()
    back = person.at_provider(person.leave(setup.start), "eve")
    assert person.back(back).status_code == 303
    person.browser.post("/sign-out")

    page = person.back(back)

    assert page.status_code == 422 and BEGIN_AGAIN in page.text and not is_in(person)


def test_an_answer_counts_only_in_the_browser_that_asked(setup, traveller):
    # Signing a victim in as the attacker: the victim opens the attacker's way back.
    attacker, victim = traveller(), traveller()
    back = attacker.at_provider(attacker.leave(setup.start), "eve")
    victim.browser.get("/sign-in")

    assert victim.back(back).status_code == 422
    assert not is_in(victim)


@pytest.mark.parametrize(
    "changed", [{"state": "forged"}, {"state": ""}, {"state": None}, {"code": None}, {"code": "forged"}, {"code": "x" * 5000}]
)
def test_a_forged_answer_signs_nobody_in(setup, traveller, changed):
    person = traveller()
    back = person.at_provider(person.leave(setup.start), "eve")

    page = person.browser.get(with_query(back, **changed))

    assert page.status_code == 422 and not is_in(person)
    assert "eve@" not in page.text


@pytest.mark.parametrize("issuer", ["https://evil.example", None, "trailing"])
def test_an_answer_in_anothers_name_is_refused(setup, traveller, idp, issuer):
    person = traveller()
    back = person.at_provider(person.leave(setup.start), "eve")

    page = person.browser.get(with_query(back, iss=f"{idp.issuer}/" if issuer == "trailing" else issuer))

    assert page.status_code == 422 and not is_in(person)
    reasons = rows(setup.house.id, "select details->>'reason' as reason from audit_entries where action = 'sign_in.refused'")
    assert {row.reason for row in reasons} == {"mix_up"}


def test_an_answer_for_one_provider_is_none_for_another(tenant, other_tenant, set_up, traveller, idp):
    ours, theirs = set_up(tenant), set_up(other_tenant)
    idp.hire("eve", email=f"eve@{theirs.domain}", email_verified=True, name="Eve")
    person = traveller()
    back = person.at_provider(person.leave(theirs.start), "eve")

    assert person.browser.get(with_query(back).replace(theirs.id, ours.id)).status_code == 422
    assert not is_in(person)
    # The code of one application redeemed for another: the provider itself refuses it.
    state = query(person.leave(ours.start))["state"]
    assert person.browser.get(with_query(back, state=state).replace(theirs.id, ours.id)).status_code == 422
    assert not is_in(person)


def test_the_verifier_and_the_nonce_are_of_this_sign_in(setup, traveller):
    one, two = traveller(), traveller()
    first = one.at_provider(one.leave(setup.start), "eve")
    second = two.at_provider(two.leave(setup.start), "eve")

    # The code of one sign-in under the state of another: PKCE does not fit.
    assert one.browser.get(with_query(first, code=query(second)["code"])).status_code == 422
    assert not is_in(one)


def test_what_is_begun_ends_after_a_quarter_of_an_hour(setup, traveller):
    person = traveller()
    back = person.at_provider(person.leave(setup.start), "eve")
    rows(None, "update sessions set data = jsonb_set(data, array['sso', :state, 'at'], '1') where data->'sso' ? :state returning id",
         state=query(back)["state"])  # fmt: skip

    assert person.back(back).status_code == 422 and not is_in(person)


@pytest.mark.parametrize("hostile", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_next_never_leads_away(setup, traveller, hostile):
    person = traveller()

    answer = person.come(f"{setup.start}?{urllib.parse.urlencode({'next': hostile})}", "eve")

    assert answer.headers["Location"] == "/"


def test_we_lead_only_to_the_configured_address(setup, traveller, idp):
    person = traveller()
    asked = {
        "next": "/",
        "issuer": "https://evil.example",
        "redirect_uri": "https://evil.example",
        "email": "a@b&redirect_uri=https://evil",
    }

    there = person.leave(f"{setup.start}?{urllib.parse.urlencode(asked)}")

    assert there.startswith(f"{idp.issuer}/auth?")
    values = urllib.parse.parse_qs(urllib.parse.urlsplit(there).query)
    assert values["redirect_uri"] == [f"http://localhost/sign-in/sso/{setup.id}/callback"]
    assert values["code_challenge_method"] == ["S256"] and values["response_type"] == ["code"]


def test_a_provider_that_is_off_or_unknown_is_not_there(tenant, set_up, traveller, as_role):
    setup = set_up(tenant)
    as_role("owner").post(f"{setup.page}/disable")
    person = traveller()
    assert person.browser.get(setup.start).status_code == 404
    assert person.browser.get("/sign-in/sso/01a20ab8-6076-7269-a759-43b5150f910d").status_code == 404
    assert person.browser.get("/sign-in/sso/no-such-organisation").status_code == 404
    assert person.browser.post("/sign-in/sso", data={"where": f"x@{setup.domain}"}).status_code == 422


def test_a_provider_switched_off_on_the_way_lets_nobody_in(setup, traveller, as_role):
    person = traveller()
    back = person.at_provider(person.leave(setup.start), "eve")
    as_role("owner").post(f"{setup.page}/disable")

    assert person.back(back).status_code == 422 and not is_in(person)


def refused(setup, traveller, who, words):
    person = traveller()
    page = person.come(setup.start, who)
    assert page.status_code == 422, page.headers
    assert words in page.text, page.text_of(".error-summary")
    assert not is_in(person)


def test_the_address_of_somebody_elsewhere_takes_over_nobody(tenant, other_tenant, set_up, traveller, idp):
    setup = set_up(tenant)
    # The tenant's own provider says that its account is the owner of another tenant.
    victim = other_tenant.email("owner")
    idp.hire("thief", email=victim, email_verified=True, name="Thief")
    refused(setup, traveller, "thief", "has not proven the domain")
    assert rows(tenant.id, "select 1 from external_identities where subject = 'thief'") == []
    assert (
        rows(
            other_tenant.id,
            "select 1 from memberships where tenant_id = :t and person_id = :p",
            t=tenant.id,
            p=other_tenant.people["owner"],
        )
        == []
    )


def rename(house, role, address):
    rows(house.id, "update people set email = :it, email_key = :it where id = :id returning id", it=address, id=house.people[role])


def test_an_owner_is_never_connected_by_an_address(tenant, set_up, traveller, idp):
    setup = set_up(tenant)
    rename(tenant, "owner", f"boss@{setup.domain}")
    idp.hire("boss-1", email=f"boss@{setup.domain}", email_verified=True, name="Boss")
    refused(setup, traveller, "boss-1", "Owners connect this way in by hand")


@pytest.mark.parametrize("verified", [None, False, "no", 1])
def test_an_address_that_is_not_verified_connects_nobody(tenant, set_up, traveller, idp, verified):
    setup = set_up(tenant)
    rename(tenant, "member", f"m@{setup.domain}")
    extra = {} if verified is None else {"email_verified": verified}
    idp.hire(f"m-{verified}", email=f"m@{setup.domain}", name="M", **extra)
    refused(setup, traveller, f"m-{verified}", "verif" if verified is False else "does not say that the address is yours")


def test_a_reused_address_does_not_inherit_the_account(tenant, set_up, traveller, idp):
    setup = set_up(tenant)
    idp.hire("old-1", email=f"desk@{setup.domain}", email_verified=True, name="Old")
    assert traveller().come(setup.start, "old-1").status_code == 303
    # The desk has a new person, with a new account under the same address.
    idp.hire("new-1", email=f"desk@{setup.domain}", email_verified=True, name="New")
    refused(setup, traveller, "new-1", "came in with another account")


@pytest.mark.parametrize(("claims", "words"), [({}, "does not tell your e-mail"), ({"email": "no address"}, "does not tell your e-mail"),
                                               ({"email": "x@gmail.example"}, "has not proven")])  # fmt: skip
def test_without_a_proven_address_nobody_is_made(tenant, set_up, traveller, idp, claims, words):
    setup = set_up(tenant)
    idp.hire("nobody-1", email_verified=True, **claims)
    if not claims:
        idp.people["nobody-1"].pop("email", None)
    refused(setup, traveller, "nobody-1", words)


def test_newcomers_stay_out_where_only_members_come_in(tenant, set_up, traveller, idp):
    setup = set_up(tenant, admits_newcomers="")
    idp.hire("fresh-1", email=f"fresh@{setup.domain}", email_verified=True, name="Fresh")
    refused(setup, traveller, "fresh-1", "for members only")
    rename(tenant, "member", f"fresh@{setup.domain}")
    assert traveller().come(setup.start, "fresh-1").status_code == 303


def test_two_tenants_with_one_issuer_keep_their_people_apart(app, tenant, other_tenant, set_up, traveller, idp, zone, sign_in):
    ours, theirs = set_up(tenant), set_up(other_tenant)
    prove_domain(sign_in(other_tenant, "owner"), zone, ours.domain)
    idp.hire("both-1", email=f"both@{ours.domain}", email_verified=True, name="Both")

    first, second = traveller(), traveller()
    assert first.come(ours.start, "both-1").status_code == 303
    assert first.browser.get("/runs").status_code == 200
    assert rows(other_tenant.id, "select 1 from external_identities where subject = 'both-1'") == []
    # The other tenant proved the domain as well: one person, a member of both, each through its own way.
    assert second.come(theirs.start, "both-1").status_code == 303
    found = [
        rows(house.id, "select person_id from external_identities where subject = 'both-1'")[0].person_id
        for house in (tenant, other_tenant)
    ]
    assert found[0] == found[1]
    page = first.browser.post("/sign-in/sso", data={"where": f"both@{ours.domain}"})
    assert page.text.count("Continue with") == 2


def test_who_lost_the_membership_does_not_come_back_through_an_old_connection(tenant, set_up, traveller, idp):
    setup = set_up(tenant, admits_newcomers="")
    rename(tenant, "member", f"gone@{setup.domain}")
    idp.hire("gone-1", email=f"gone@{setup.domain}", email_verified=True, name="Gone")
    person = traveller()
    assert person.come(setup.start, "gone-1").status_code == 303
    rows(tenant.id, "delete from memberships where person_id = :id returning 1", id=tenant.people["member"])
    assert not is_in(person)
    refused(setup, traveller, "gone-1", "for members only")


def test_a_person_who_is_switched_off_stays_out(app, tenant, set_up, traveller, idp):
    setup = set_up(tenant)
    idp.hire("off-1", email=f"off@{setup.domain}", email_verified=True, name="Off")
    assert traveller().come(setup.start, "off-1").status_code == 303
    rows(None, "update people set is_active = false where email_key = :key returning id", key=f"off@{setup.domain}")
    refused(setup, traveller, "off-1", "switched off")


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_a_forged_end_of_sessions_ends_nothing(setup, traveller, token):
    person = traveller()
    assert person.come(setup.start, "eve").status_code == 303

    answer = traveller().browser.post(f"/sign-in/sso/{setup.id}/logout", data={"logout_token": token})

    assert answer.status_code == 400 and answer.json["error"] == "invalid_request"
    assert is_in(person)


def test_the_provider_needs_no_form_token_to_end_sessions(app, setup, traveller):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = traveller().browser.post(f"/sign-in/sso/{setup.id}/logout", data={"logout_token": "x"})
        refused_form = traveller().browser.post("/sign-in/sso", data={"where": "x@y.example"})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == 400 and answer.json["error"] == "invalid_request"
    assert refused_form.status_code == 400


def test_another_site_cannot_sign_somebody_in_without_a_click(setup, traveller):
    person = traveller()

    page = person.browser.get(setup.start, headers={"Sec-Fetch-Site": "cross-site"})

    assert page.status_code == 200 and "Continue with" in page.text
    assert person.browser.get(setup.start, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
