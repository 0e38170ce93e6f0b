"""Tokens that are not what they must be, signed with real keys: each is refused for its own reason."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import pytest
from joserfc import jwk, jws

from portal.core import egress
from portal.identity.sso import keys, oidc
from portal.identity.sso.errors import ProviderFaulty, TokenRefused
from portal.identity.sso.oidc import Discovery

ISSUER = "https://login.example"
CLIENT = "nasij"
KEYS = {
    "rsa": jwk.generate_key("RSA", 2048, {"kid": "rsa", "use": "sig"}),
    "ec": jwk.generate_key("EC", "P-256", {"kid": "ec", "use": "sig"}),
    "ed": jwk.generate_key("OKP", "Ed25519", {"kid": "ed", "use": "sig"}),
    "enc": jwk.generate_key("RSA", 2048, {"kid": "enc", "use": "enc"}),
}
OTHER = jwk.generate_key("RSA", 2048, {"kid": "rsa"})


class Provider:
    """What `egress.send` would have brought: the keys of a provider, counted."""

    def __init__(self, *names):
        self.names, self.asked = list(names), 0

    def send(self, method, url, **_more):
        self.asked += 1
        listed = [KEYS[name].as_dict(private=False) for name in self.names] + [
            {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
            {"kty": "new"},
            7,
        ]
        return egress.Answer(200, {}, json.dumps({"keys": listed}).encode(), False, 1)


@pytest.fixture
def provider(app, monkeypatch):
    keys.forget()
    found = Provider("rsa", "ec", "ed", "enc")
    monkeypatch.setattr(egress, "send", found.send)
    with app.test_request_context():
        yield found
    keys.forget()


DISCOVERY = Discovery(ISSUER, f"{ISSUER}/auth", f"{ISSUER}/token", f"{ISSUER}/jwks")


def claims(**changed):
    now = int(time.time())
    changed = {name: value(now) if callable(value) else value for name, value in changed.items()}
    plain = {"iss": ISSUER, "aud": CLIENT, "sub": "somebody", "exp": now + 300, "iat": now, "nonce": "n-1"}
    return {name: value for name, value in {**plain, **changed}.items() if value is not None}


def after(seconds):
    """A moment counted from when the token is made: cases are collected long before they run."""
    return lambda now: now + seconds


def signed(payload, *, key=KEYS["rsa"], alg="RS256", **header):
    full = {"alg": alg, "kid": key.kid, **header}
    body = json.dumps(payload).encode() if isinstance(payload, dict) else payload
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    return jws.serialize_compact({k: v for k, v in full.items() if v is not None}, body, key, registry=registry)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def check(token, nonce="n-1"):
    return oidc.check_id_token(token, DISCOVERY, client_id=CLIENT, nonce=nonce)


def refusal(token, **more):
    with pytest.raises(TokenRefused) as refused:
        check(token, **more)
    return refused.value.reason


@pytest.mark.parametrize(("key", "alg"), [("rsa", "RS256"), ("rsa", "PS256"), ("ec", "ES256"), ("ed", "EdDSA"), ("ed", "Ed25519")])
def test_every_allowed_way_of_signing_is_understood(provider, key, alg):
    assert check(signed(claims(), key=KEYS[key], alg=alg))["sub"] == "somebody"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": f"{ISSUER}/"}, "issuer"), ({"iss": "https://login.example.evil"}, "issuer"), ({"iss": ISSUER.upper()}, "issuer"),
        ({"iss": None}, "issuer"), ({"iss": [ISSUER]}, "issuer"),
        ({"aud": "other"}, "audience"), ({"aud": None}, "audience"), ({"aud": []}, "audience"), ({"aud": {"nasij": 1}}, "audience"),
        ({"aud": [CLIENT, "other"]}, "authorized_party"), ({"aud": [CLIENT, "other"], "azp": "other"}, "authorized_party"),
        ({"azp": "other"}, "authorized_party"),
        ({"exp": 1}, "expired"), ({"exp": None}, "expired"), ({"exp": "soon"}, "expired"), ({"exp": True}, "expired"),
        ({"exp": float("inf")}, "expired"), ({"exp": after(-90)}, "expired"),
        ({"iat": after(900)}, "issued_later"), ({"iat": None}, "issued_later"), ({"nbf": after(900)}, "not_yet"),
        ({"nonce": "n-2"}, "nonce"), ({"nonce": None}, "nonce"), ({"nonce": ["n-1"]}, "nonce"), ({"nonce": ""}, "nonce"),
        ({"sub": ""}, "subject"), ({"sub": None}, "subject"), ({"sub": 7}, "subject"), ({"sub": "x" * 256}, "subject"),
    ],
)  # fmt: skip
def test_a_claim_that_is_not_right_is_refused(provider, changed, reason):
    assert refusal(signed(claims(**changed))) == reason


def test_a_clock_that_is_half_a_minute_off_is_forgiven(provider):
    now = time.time()
    assert check(signed(claims(exp=now - 30, iat=now + 30)))
    assert check(signed(claims(aud=[CLIENT, "other"], azp=CLIENT)))


def test_an_unsigned_token_is_refused(provider):
    for alg in ("none", "None", "NONE", "", None, 7):
        assert refusal(f"{part({'alg': alg, 'kid': 'rsa'})}.{part(claims())}.") == "algorithm"


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(provider):
    for secret in (KEYS["rsa"].as_pem(private=False), KEYS["rsa"].as_der(private=False), b"secret"):
        head = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{part(claims())}"
        mark = hmac.new(secret, head.encode(), hashlib.sha256).digest()
        assert refusal(f"{head}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}") == "algorithm"


def test_a_token_that_brings_its_own_key_is_refused(provider):
    own = OTHER.as_dict(private=False)
    assert refusal(signed(claims(), key=OTHER, jwk=own)) == "header"
    assert refusal(signed(claims(), key=OTHER, jku="https://evil.example/jwks")) == "header"
    assert refusal(signed(claims(), key=OTHER, x5u="https://evil.example/x5")) == "header"
    assert refusal(signed(claims(), key=OTHER)) == "signature"
    assert provider.asked == 1


def test_a_key_is_used_only_for_what_it_is(provider):
    # The right key under another algorithm's name, a key for encryption, no name among several keys.
    assert refusal(signed(claims(), key=KEYS["rsa"], kid="ec")) == "key"
    assert refusal(signed(claims(), key=OTHER, kid="enc")) == "key"
    assert check(signed(claims(), kid=None))  # only one key signs RS256
    assert refusal(f"{part({'alg': 'RS256', 'kid': 7})}.{part(claims())}.AA") == "key"


def test_a_changed_token_is_refused(provider):
    head, body, mark = signed(claims()).split(".")
    assert refusal(f"{head}.{part(claims(sub='owner'))}.{mark}") == "signature"
    assert refusal(f"{head}.{body}.{mark[:-4]}AAAA") == "signature"
    assert refusal(f"{head}.{body}.") == "signature"


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.a.b", "x" * 40_000, f"{part([1])}.a.b", f"{part('x')}.a.b"])
def test_what_is_no_token_is_refused(provider, token):
    assert refusal(token) in ("form", "algorithm")


def test_a_payload_that_is_no_object_is_refused(provider):
    for body in (b"[]", b"7", b"null", b"{", b"\xff", b"[" * 5000):
        assert refusal(signed(body)) in ("form", "signature")


def test_a_new_key_is_found_and_forged_names_do_not_make_us_call_for_ever(provider):
    provider.names = ["ec"]
    assert refusal(signed(claims())) == "key"
    provider.names = ["ec", "rsa"]
    assert check(signed(claims()))
    before = provider.asked
    for number in range(40):
        assert refusal(signed(claims(), kid=f"forged-{number}")) == "key"
    assert provider.asked - before <= keys.REFETCHES


LOGOUT = {"events": {oidc.LOGOUT_EVENT: {}}, "jti": "j-1", "nonce": None, "sid": "s-1"}


def logout(token):
    return oidc.check_logout_token(token, DISCOVERY, client_id=CLIENT)


def test_a_logout_token_is_understood(provider):
    assert logout(signed(claims(**LOGOUT), typ="logout+jwt"))["sid"] == "s-1"
    assert logout(signed(claims(**{**LOGOUT, "sub": None}), typ="Logout+JWT"))["sid"] == "s-1"
    assert logout(signed(claims(**{**LOGOUT, "sid": None}), typ="logout+jwt"))["sub"] == "somebody"


@pytest.mark.parametrize(
    ("changed", "typ", "reason"),
    [
        ({}, "JWT", "type"), ({}, None, "type"), ({"nonce": "n-1"}, "logout+jwt", "nonce"), ({"jti": None}, "logout+jwt", "jti"),
        ({"events": None}, "logout+jwt", "events"), ({"events": []}, "logout+jwt", "events"), ({"events": {"x": {}}}, "logout+jwt", "events"),
        ({"events": {oidc.LOGOUT_EVENT: True}}, "logout+jwt", "events"), ({"sid": None, "sub": None}, "logout+jwt", "subject"),
        ({"aud": "other"}, "logout+jwt", "audience"), ({"exp": 1}, "logout+jwt", "expired"), ({"iss": f"{ISSUER}/"}, "logout+jwt", "issuer"),
    ],
)  # fmt: skip
def test_what_is_no_logout_token_ends_nothing(provider, changed, typ, reason):
    with pytest.raises(TokenRefused) as refused:
        logout(signed(claims(**{**LOGOUT, **changed}), typ=typ))
    assert refused.value.reason == reason


def test_a_logout_token_signs_nobody_in(provider):
    assert refusal(signed(claims(), typ="logout+jwt")) == "type"


WELL = {
    "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t", "jwks_uri": f"{ISSUER}/k",
    "id_token_signing_alg_values_supported": ["RS256"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"issuer": f"{ISSUER}/"}, "names itself"), ({"issuer": None}, "names no issuer"), ({"token_endpoint": None}, "does not say where"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "signs with none"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "may not be used"), ({"jwks_uri": "http://127.0.0.1/keys"}, "may not be used"),
        ({"token_endpoint": "https://169.254.169.254/t"}, "may not be used"), ({"userinfo_endpoint": "file:///etc/passwd"}, "may not be used"),
        ({"authorization_endpoint": ["https://x.example"]}, "does not say where"),
    ],
)  # fmt: skip
def test_a_faulty_provider_is_explained(app, monkeypatch, changed, words):
    said = {name: value for name, value in {**WELL, **changed}.items() if value is not None}
    monkeypatch.setattr(egress, "send", lambda *_a, **_m: egress.Answer(200, {}, json.dumps(said).encode(), False, 1))
    with app.test_request_context(), pytest.raises(ProviderFaulty) as faulty:
        oidc.discover(ISSUER)
    assert words in faulty.value.message


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>"), (200, b"[]"), (404, b"{}"), (302, b""), (200, b"[" * 9000), (500, b"{}")])
def test_an_answer_that_is_none_is_explained(app, monkeypatch, status, body):
    monkeypatch.setattr(egress, "send", lambda *_a, **_m: egress.Answer(status, {}, body, False, 1))
    with app.test_request_context(), pytest.raises(ProviderFaulty):
        oidc.discover(ISSUER)
