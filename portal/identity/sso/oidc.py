"""OpenID Connect as the relying party: discovery, the way to the provider, the code, and tokens judged. Knows no table.

Authorization code with PKCE (S256), state and nonce. Every address that is used stands in `Discovery`, which is kept with the provider.
`keys` says what was signed with the provider's keys, `calls` speaks to it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from portal.core import clock
from portal.i18n.words import gettext as _
from portal.identity.sso import calls, keys
from portal.identity.sso.errors import ProviderFaulty, TokenRefused

SKEW_S = 60
LONGEST_SUBJECT = 255
FAR = 1e12
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a provider says of itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    posts_secret: bool = False  # in the form, where the provider does not take it as basic authentication
    names_itself: bool = False  # every answer carries `iss` (RFC 9207): a missing one is refused
    ends_sessions: bool = False
    algorithms: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "algorithms": list(self.algorithms)}

    @staticmethod
    def of(kept: Mapping[str, Any]) -> Discovery:
        return Discovery(**{**kept, "algorithms": tuple(kept.get("algorithms", ()))})


@dataclass(frozen=True, slots=True)
class Claims:
    """Who came, as the provider says: `subject` is who, all else may change."""

    subject: str
    email: str = ""
    email_verified: bool | None = None
    name: str = ""
    locale: str = ""
    sid: str = ""
    proved_at: float | None = None  # when the person last proved there who they are


def discover(issuer: str) -> Discovery:
    """Ask a provider what it offers.

    Raises:
        ProviderFaulty: it does not answer, is another issuer, or lacks what is needed.
    """
    if urlsplit(issuer).query or "#" in issuer:
        raise ProviderFaulty(_("The issuer may not hold “?” or “#”."))
    found = calls.fetch(f"{issuer.removesuffix('/')}/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        said = str(found.get("issuer", ""))[:200]
        raise ProviderFaulty(
            _("The provider names itself %(said)s. Write the issuer exactly like that.", said=f"\u2068{said}\u2069")
            if said
            else _("The answer names no issuer: this is not an OpenID Connect provider.")
        )
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    missing = [name for name in needed if not isinstance(found.get(name), str)]
    if missing:
        raise ProviderFaulty(_("The provider does not say where its %(what)s is.", what=", ".join(missing)))
    offered = _texts(found.get("id_token_signing_alg_values_supported"))
    usable = tuple(name for name in keys.ALGORITHMS if name in offered)
    if not usable:
        raise ProviderFaulty(_("The provider signs with none of RS256, PS256, ES256 and EdDSA."))
    ways = _texts(found.get("code_challenge_methods_supported"))
    if ways and "S256" not in ways:
        raise ProviderFaulty(_("The provider does not know PKCE with S256."))
    for name in (*needed, "userinfo_endpoint"):
        calls.check_endpoint(str(found.get(name) or ""), name)
    ways_of_proof = _texts(found.get("token_endpoint_auth_methods_supported"))
    return Discovery(
        issuer=issuer,
        authorization_endpoint=found["authorization_endpoint"],
        token_endpoint=found["token_endpoint"],
        jwks_uri=found["jwks_uri"],
        userinfo_endpoint=str(found.get("userinfo_endpoint") or ""),
        posts_secret=bool(ways_of_proof) and "client_secret_basic" not in ways_of_proof,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        ends_sessions=found.get("backchannel_logout_supported") is True,
        algorithms=usable,
    )


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def way_to(
    discovery: Discovery, *, client_id: str, redirect_uri: str, state: str, nonce: str, verifier: str, hint: str = "", again: bool = False
) -> str:
    """Return where to send the browser.

    Args:
        hint: the address that the person typed.
        again: have the provider ask who it is, even if it knows.
    """
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    if hint:
        asked["login_hint"] = hint
    if again:
        asked |= {"prompt": "login", "max_age": "0"}
    joint = "&" if urlsplit(discovery.authorization_endpoint).query else "?"
    return f"{discovery.authorization_endpoint}{joint}{urlencode(asked)}"


def redeem(discovery: Discovery, *, client_id: str, client_secret: str, redirect_uri: str, code: str, verifier: str, nonce: str) -> Claims:
    """Turn a code into who came; asks the provider once more for what the token leaves out.

    Raises:
        ProviderFaulty: the provider does not answer.
        TokenRefused: it refuses the code, or its token is not what it must be.
    """
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if client_secret and not discovery.posts_secret:
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = client_id
        if client_secret:
            form["client_secret"] = client_secret
    answer = calls.call("POST", discovery.token_endpoint, headers=headers, body=urlencode(form).encode())
    if answer.status in (400, 401, 403):
        raise TokenRefused("code_refused")
    given = calls.object_of(answer)
    token = check_id_token(str(given.get("id_token") or ""), discovery, client_id=client_id, nonce=nonce)
    access_token = given.get("access_token")
    if "email" not in token and discovery.userinfo_endpoint and isinstance(access_token, str):
        token = {**_userinfo(discovery, access_token, token["sub"]), **token}
    return _claims(token)


def check_id_token(token: str, discovery: Discovery, *, client_id: str, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token that was made by this provider, for us, now, for this sign-in.

    Raises:
        TokenRefused: any of that is not so.
        ProviderFaulty: its keys cannot be fetched.
    """
    header, claims = keys.verified(token, discovery.jwks_uri, offered=discovery.algorithms)
    if str(header.get("typ", "JWT")).lower() not in ("jwt", "id_token+jwt"):
        raise TokenRefused("type")
    _check_claims(claims, discovery, client_id)
    if not _same(claims.get("nonce"), nonce):
        raise TokenRefused("nonce")
    return claims


def check_logout_token(token: str, discovery: Discovery, *, client_id: str) -> dict[str, Any]:
    """Return the claims of a logout token (OpenID Connect Back-Channel Logout 1.0); whether its `jti` was used is the caller's to say.

    Raises:
        TokenRefused: it is no logout token of this provider for us.
        ProviderFaulty: its keys cannot be fetched.
    """
    header, claims = keys.verified(token, discovery.jwks_uri, offered=discovery.algorithms)
    # The standard only recommends the type; without it an ID token could be dressed up as one.
    if str(header.get("typ", "")).lower() != "logout+jwt":
        raise TokenRefused("type")
    _check_claims(claims, discovery, client_id, needs_subject=False)
    happened = claims.get("events")
    if not isinstance(happened, dict) or not isinstance(happened.get(LOGOUT_EVENT), dict):
        raise TokenRefused("events")
    if "nonce" in claims:
        raise TokenRefused("nonce")
    if not _text(claims, "jti"):
        raise TokenRefused("jti")
    if not _text(claims, "sub") and not _text(claims, "sid"):
        raise TokenRefused("subject")
    return claims


def _check_claims(claims: Mapping[str, Any], discovery: Discovery, client_id: str, *, needs_subject: bool = True) -> None:
    if claims.get("iss") != discovery.issuer:
        raise TokenRefused("issuer")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        raise TokenRefused("audience")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != client_id:
        raise TokenRefused("authorized_party")
    now = clock.now().timestamp()
    if (_time(claims, "exp") or 0) <= now - SKEW_S:
        raise TokenRefused("expired")
    if (_time(claims, "iat") or FAR) > now + SKEW_S:
        raise TokenRefused("issued_later")
    if "nbf" in claims and (_time(claims, "nbf") or FAR) > now + SKEW_S:
        raise TokenRefused("not_yet")
    subject = claims.get("sub")
    if (needs_subject or subject is not None) and not (isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT):
        raise TokenRefused("subject")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a moment in seconds since 1970; None for what is none."""
    value = claims.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < FAR else None


def _same(given: Any, expected: str) -> bool:
    return isinstance(given, str) and bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def _claims(token: Mapping[str, Any]) -> Claims:
    is_verified = token.get("email_verified")
    if isinstance(is_verified, str):  # some providers write the word
        is_verified = {"true": True, "false": False}.get(is_verified.lower())
    return Claims(
        subject=token["sub"],
        email=_text(token, "email")[:320],
        email_verified=is_verified if isinstance(is_verified, bool) else None,
        name=_text(token, "name")[:200]
        or " ".join(part for part in (_text(token, "given_name"), _text(token, "family_name")) if part)[:200],
        locale=_text(token, "locale")[:20],
        sid=_text(token, "sid")[:255],
        proved_at=_time(token, "auth_time"),
    )


def _userinfo(discovery: Discovery, access_token: str, subject: str) -> dict[str, Any]:
    if not access_token.isascii() or not access_token.isprintable() or len(access_token) > 3_500:
        raise TokenRefused("access_token")
    headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
    answer = calls.call("GET", discovery.userinfo_endpoint, headers=headers)
    if answer.status in (400, 401, 403):
        raise TokenRefused("userinfo")
    said = calls.object_of(answer)
    if said.get("sub") != subject:  # the answer about somebody else
        raise TokenRefused("userinfo_subject")
    return {name: said[name] for name in ("email", "email_verified", "name", "given_name", "family_name", "locale") if name in said}


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    # U+0000 is no text for PostgreSQL.
    return value.replace("\x00", "").strip() if isinstance(value, str) else ""
