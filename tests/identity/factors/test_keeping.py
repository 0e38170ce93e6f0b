"""Adding, naming and removing factors; recovery codes; what is kept, and what is never seen again."""

from __future__ import annotations

import re
import threading

import pyotp
import pytest
from sqlalchemy import text

from portal.core import clock, db
from portal.core.ids import new_id
from portal.identity.factors import totp
from portal.mail import service as mail
from tests.conftest import code_for
from tests.identity.factors.conftest import rows
from tests.identity.letters import letters_to


def begin(browser):
    """Begin to add an app; return the address of its page and its key."""
    address = browser.post("/settings/sign-in/app").headers["Location"]
    page = browser.get(address)
    assert page.headers["Cache-Control"] == "no-store"
    key = re.search(r"data-key>([A-Z2-7 ]+)<", page.text)[1].replace(" ", "")
    assert "<svg viewBox" in page.text and f"secret={key}" in page.text
    return address, key


def codes_in(page):
    return re.findall(r"<code>([0-9a-z-]{29})</code>", page.text)


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_member_adds_an_app_and_gets_recovery_codes_once(tenant, sign_in, locale):
    member = sign_in(tenant, "member", locale)
    address, key = begin(member)

    answer = member.post(address, data={"code": pyotp.TOTP(key).now()})

    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    codes = codes_in(answer)
    assert len(codes) == 10
    assert codes[0] not in member.get("/settings/sign-in").text
    assert member.get(address).status_code == 404, "the key is never shown again"
    listing = member.get("/settings/sign-in")
    assert key not in listing.text.replace(" ", "")
    assert member.get("/home").status_code == 200


def test_from_then_on_the_password_is_not_enough(app, tenant, as_role, after_password):
    member = as_role("member")
    address, key = begin(member)
    member.post(address, data={"code": pyotp.TOTP(key).now()})

    browser = after_password("member")
    now = int(clock.now().timestamp()) // 30
    assert browser.post("/sign-in/factor", data={"code": totp.code_at(key, now)}).status_code == 422, "it confirmed the app already"
    assert browser.post("/sign-in/factor", data={"code": totp.code_at(key, now + 1)}).status_code == 303


@pytest.mark.parametrize(
    ("steps", "said"), [(None, "Enter the six digits that the app shows now"), (8, "about 4 minutes off"), (-3, "about 2 minutes off")]
)
def test_a_wrong_code_does_not_confirm_and_a_wrong_clock_is_named(as_role, steps, said):
    member = as_role("member")
    address, key = begin(member)
    code = "000000" if steps is None else totp.code_at(key, int(clock.now().timestamp()) // 30 + steps)

    page = member.post(address, data={"code": code})

    assert page.status_code == 422 and said in page.text
    assert "only your password" in member.get("/settings/sign-in").text.lower()
    assert member.post(address, data={"code": pyotp.TOTP(key).now()}).status_code == 200


def test_beginning_anew_voids_what_was_begun(as_role):
    member = as_role("member")
    first, _key = begin(member)
    begin(member)
    assert member.get(first).status_code == 404


def test_what_was_begun_long_ago_is_void(tenant, as_role):
    member = as_role("member")
    address, key = begin(member)
    with db.transaction() as session:
        session.execute(
            text("update totp_factors set created_at = clock_timestamp() - interval '61 minutes' where person_id = :id"),
            {"id": tenant.people["member"]},
        )
    assert member.get(address).status_code == 404
    assert member.post(address, data={"code": pyotp.TOTP(key).now()}).status_code == 404


def test_what_belongs_to_a_colleague_is_not_there(tenant, as_role):
    member, builder = as_role("member"), as_role("builder")
    address, key = begin(member)
    member.post(address, data={"code": pyotp.TOTP(key).now()})
    [row] = rows("select id from totp_factors where person_id = :id", id=tenant.people["member"])
    again, again_key = begin(member)

    assert builder.get(again).status_code == 404
    assert builder.post(again, data={"code": pyotp.TOTP(again_key).now()}).status_code == 404
    for verb in ("name", "remove"):
        assert builder.post(f"/settings/sign-in/{row.id}/{verb}", data={"name": "mine"}).status_code == 404


def test_the_last_factor_of_who_must_have_one_stays(tenant, as_role, add_passkey):
    owner = as_role("owner")
    [app_row] = rows("select id from totp_factors where person_id = :id", id=tenant.people["owner"])

    owner.post(f"/settings/sign-in/{app_row.id}/remove")
    page = owner.get("/settings/sign-in")
    assert "You must have a second step" in page.text and "Authenticator app" in page.text

    add_passkey(owner)
    owner.post(f"/settings/sign-in/{app_row.id}/remove")
    assert rows("select id from totp_factors where id = :id", id=app_row.id) == []
    [passkey] = rows("select id from passkeys where person_id = :id", id=tenant.people["owner"])
    owner.post(f"/settings/sign-in/{passkey.id}/remove")
    assert len(rows("select id from passkeys where id = :id", id=passkey.id)) == 1


def test_two_removals_at_once_leave_one(tenant, as_role, add_passkey):
    owner = as_role("owner")
    add_passkey(owner)
    ids = rows("select id from totp_factors where person_id = :id union select id from passkeys where person_id = :id", id=tenant.people["owner"])  # fmt: skip
    browsers, start = [as_role("owner"), as_role("owner")], threading.Barrier(2)

    def send(browser, row):
        start.wait()
        browser.client.post(f"/settings/sign-in/{row.id}/remove")

    threads = [threading.Thread(target=send, args=pair) for pair in zip(browsers, ids, strict=True)]
    [each.start() for each in threads]
    [each.join() for each in threads]

    left = rows("select id from totp_factors where person_id = :id union select id from passkeys where person_id = :id", id=tenant.people["owner"])  # fmt: skip
    assert len(left) == 1


def test_who_need_not_have_one_may_remove_it_and_the_codes_go_too(tenant, as_role, add_passkey):
    member = as_role("member")
    add_passkey(member)
    [row] = rows("select id from passkeys where person_id = :id", id=tenant.people["member"])

    member.post(f"/settings/sign-in/{row.id}/remove")

    assert rows("select 1 from recovery_codes where person_id = :id", id=tenant.people["member"]) == []
    assert as_role("member").get("/home").status_code == 200


def test_a_member_who_owns_another_organisation_must_keep_theirs(app, tenant, other_tenant, as_role, add_passkey):
    from portal.core.access import SYSTEM
    from portal.identity import service as identity

    member = as_role("member")
    add_passkey(member)
    with app.app_context():
        identity.add_member(other_tenant.id, tenant.people["member"], "owner", by=SYSTEM)
    [row] = rows("select id from passkeys where person_id = :id", id=tenant.people["member"])

    member.post(f"/settings/sign-in/{row.id}/remove")

    assert len(rows("select id from passkeys where id = :id", id=row.id)) == 1


def test_names(tenant, as_role):
    owner = as_role("owner")
    [row] = rows("select id from totp_factors where person_id = :id", id=tenant.people["owner"])

    owner.post(f"/settings/sign-in/{row.id}/name", data={"name": "  هاتف العمل <b>  "})
    assert "<bdi>هاتف العمل &lt;b&gt;</bdi>" in owner.get("/settings/sign-in").text
    page = owner.post(f"/settings/sign-in/{row.id}/name", data={"name": "x" * 61})
    assert page.status_code == 422 and "60 letters" in page.text
    owner.post(f"/settings/sign-in/{row.id}/name", data={"name": ""})
    assert "Authenticator app" in owner.get("/settings/sign-in").text


def test_new_codes_replace_the_old_ones(tenant, as_role, after_password):
    owner = as_role("owner")
    old = codes_in(owner.post("/settings/sign-in/codes"))
    new = codes_in(owner.post("/settings/sign-in/codes"))

    assert len(old) == len(new) == 10 and not set(old) & set(new)
    assert after_password().post("/sign-in/factor?with=recovery", data={"code": old[0]}).status_code == 422
    assert after_password().post("/sign-in/factor?with=recovery", data={"code": new[0]}).status_code == 303


def test_who_has_no_factor_gets_no_codes(as_role):
    member = as_role("member")
    assert member.post("/settings/sign-in/codes").headers["Location"] == "/settings/sign-in"


def test_sensitive_acts_want_a_fresh_proof(tenant, as_role):
    owner = as_role("owner")
    [row] = rows("select id from totp_factors where person_id = :id", id=tenant.people["owner"])
    forget_proof(tenant, "owner")

    for path in ("app", "passkey", "codes", f"{row.id}/remove"):
        assert owner.post(f"/settings/sign-in/{path}").headers["Location"].startswith("/confirm"), path
    assert owner.post("/settings/sign-in/passkey/options", headers={"Accept": "application/json"}).status_code == 403
    assert owner.post("/settings/security", data={"factor": "required"}).headers["Location"].startswith("/confirm")
    assert len(rows("select 1 from totp_factors where person_id = :id", id=tenant.people["owner"])) == 1


def forget_proof(tenant, role):
    with db.transaction() as session:
        session.execute(
            text("update sessions set confirmed_at = clock_timestamp() - interval '16 minutes' where person_id = :id"),
            {"id": tenant.people[role]},
        )


def test_a_code_confirms_instead_of_a_password(tenant, as_role):
    owner = as_role("owner")
    forget_proof(tenant, "owner")
    assert "Use a code from your app" in owner.get("/confirm?next=/settings/sign-in").text
    assert owner.post("/confirm?with=app&next=/settings/sign-in", data={"code": "000000"}).status_code == 422

    code = code_for(tenant.people["owner"])
    assert owner.post("/confirm?with=app&next=/settings/sign-in", data={"code": code}).headers["Location"] == "/settings/sign-in"

    assert owner.post("/settings/sign-in/codes").status_code == 200
    forget_proof(tenant, "owner")
    assert owner.post("/confirm?with=app", data={"code": code}).status_code == 422, "each code works once"


def test_a_passkey_confirms_instead_of_a_password(tenant, as_role, add_passkey):
    owner, admin = as_role("owner"), as_role("admin")
    device, other = add_passkey(owner), add_passkey(admin)
    forget_proof(tenant, "owner")

    def confirm(with_device):
        options = owner.client.post("/confirm/passkey/options").get_json()
        return owner.post("/confirm/passkey?next=/runs", data={"credential": with_device.get(options)}).headers["Location"]

    assert confirm(other).startswith("/confirm")
    assert owner.post("/settings/sign-in/codes").headers["Location"].startswith("/confirm")
    assert confirm(device) == "/runs"
    assert owner.post("/settings/sign-in/codes").status_code == 200


def test_who_has_no_app_is_not_offered_one(tenant, as_role):
    member = as_role("member")
    page = member.get("/confirm?with=app")
    assert "Use a code" not in page.text and "current-password" in page.text
    assert member.post("/confirm?with=app", data={"code": "123456"}).status_code == 422


def test_changes_are_told_by_mail(tenant, as_role, after_password, add_passkey):
    owner = as_role("owner")
    add_passkey(owner)
    codes = codes_in(owner.post("/settings/sign-in/codes"))
    [row] = rows("select id from passkeys where person_id = :id", id=tenant.people["owner"])
    for code in codes[:7]:
        assert after_password().post("/sign-in/factor?with=recovery", data={"code": code}).status_code == 303
    owner.post(f"/settings/sign-in/{row.id}/remove")

    told = [each for each in letters_to(tenant.email("owner")) if each["message"] != "new_device"]
    assert [each["message"] for each in told] == [
        "factor_added", "recovery_codes_made", *["recovery_code_used"] * 7, "factor_removed"
    ]  # fmt: skip
    assert told[0]["kind"] == "passkey" and told[-2]["left"] == 3
    assert not any(code in str(told) for code in codes)


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize(
    ("message", "facts"),
    [("factor_added", {"kind": "app"}), ("factor_added", {"kind": "passkey"}), ("factor_removed", {"kind": "app"}),
     ("factor_removed", {"kind": "passkey"}), ("recovery_code_used", {"left": 8, "few": 3}), ("recovery_code_used", {"left": 2, "few": 3}),
     ("recovery_code_used", {"left": 0, "few": 3}), ("recovery_codes_made", {})],
)  # fmt: skip
def test_each_mail_reads_well(app, locale, message, facts):
    with app.app_context():
        content = {
            "to": "a@example.com",
            "locale": locale,
            "facts": {"name": "Salma", "name_ar": "سلمى", "link": "/settings/sign-in", **facts},
        }
        made = mail._letter_as_mail(new_id(), message, content, None)
    assert made.subject and "\n" not in made.subject and "%(" not in made.text
    assert ("سلمى" if locale == "ar" else "Salma") in made.text
    assert made.button.url == "http://localhost/settings/sign-in"
    assert ("make new ones" in made.text) == (facts.get("left", 9) <= 3) or locale == "ar"


def test_there_is_an_end_to_how_many(tenant, app, as_role):
    from portal.identity.factors import service

    with app.app_context():
        for _ in range(9):
            service.add_app(tenant.people["owner"], totp.new_secret())
    owner = as_role("owner")
    assert owner.post("/settings/sign-in/app").headers["Location"] == "/settings/sign-in"
    assert "ten authenticator apps" in owner.get("/settings/sign-in").text


def test_secrets_are_nowhere_but_in_their_sealed_column(tenant, as_role, after_password, caplog, capfd):
    member = as_role("member")
    address, key = begin(member)
    code = pyotp.TOTP(key).now()
    codes = codes_in(member.post(address, data={"code": code}))
    after_password("member").post("/sign-in/factor?with=recovery", data={"code": codes[0]})

    with db.transaction(tenant.id) as session:
        names = session.scalars(
            text("select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'")
        ).all()
        kept = ""
        for name in names:
            if session.scalar(text("select has_table_privilege(current_user, :name, 'select')"), {"name": name}):
                kept += str(session.scalar(text(f"select string_agg(t::text, ' ') from {name} t")))
        raw = b"".join(session.scalars(text("select secret from totp_factors")).all())
    written = caplog.text + "".join(capfd.readouterr())
    for secret in (key, codes[0], codes[0].replace("-", ""), codes[9]):
        assert secret not in kept and secret not in written and secret.encode() not in raw


def test_a_sealed_key_opens_in_no_other_row(app, tenant, as_role, after_password):
    from portal.core import secrets

    with db.transaction() as session:
        [mine] = session.execute(text("select id, secret from totp_factors where person_id = :id"), {"id": tenant.people["owner"]}).all()
        with pytest.raises(Exception):  # noqa: B017 - whatever the sealing raises
            secrets.unseal(mine.secret, where=f"totp_factors.secret:{tenant.people['admin']}:{mine.id}")


def test_changes_stand_in_the_audit_book(tenant, as_role, add_passkey):
    owner = as_role("owner")
    add_passkey(owner, name="key")
    [row] = rows("select id from passkeys where person_id = :id", id=tenant.people["owner"])
    owner.post(f"/settings/sign-in/{row.id}/name", data={"name": "other"})
    owner.post(f"/settings/sign-in/{row.id}/remove")

    with db.transaction(tenant.id) as session:
        found = session.execute(
            text("select action, details from audit_entries where actor_id = :id and action ~ 'factor|recovery' order by id"),
            {"id": tenant.people["owner"]},
        ).all()
    assert [each.action for each in found] == ["factor.added", "recovery_codes.made", "factor.renamed", "factor.removed"]
    assert found[0].details == {"kind": "passkey"}
