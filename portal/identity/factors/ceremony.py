"""The two ceremonies of WebAuthn: adding a passkey and proving that one has it. Asks no database; the caller keeps challenges."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from portal.identity.factors.errors import PasskeyRefused

LARGEST_ANSWER = 20_000
TIMEOUT_MS = 120_000
KNOWN_TRANSPORTS = frozenset(each.value for each in AuthenticatorTransport)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a passkey belongs: its domain, and the one origin from which it may be used."""

    domain: str
    origin: str

    @property
    def can_have_passkeys(self) -> bool:
        """Say whether browsers know passkeys here: they never do for a bare address such as 127.0.0.1."""
        try:
            ipaddress.ip_address(self.domain)
        except ValueError:
            return bool(self.domain)
        return False


def site_of(public_url: str, *, host: str = "") -> Site:
    """Return the site of an address that people open.

    Args:
        public_url: the setting of the same name.
        host: what the browser asked for, outside production only: there `localhost` stands beside the address of the setting.
    """
    parts = urlsplit(public_url)
    if host.partition(":")[0] == "localhost":
        parts = urlsplit(f"http://{host}")
    return Site(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


def creation_options(site: Site, *, person_id: UUID, account: str, name: str, known: Iterable[bytes]) -> tuple[dict[str, Any], bytes]:
    """Return what a browser needs to make a passkey, and its challenge.

    Args:
        known: the credential ids the person has; a device that holds one refuses to make another.
    """
    options = webauthn.generate_registration_options(
        rp_id=site.domain,
        rp_name="Nasij",
        user_id=person_id.bytes,
        user_name=account,
        user_display_name=name,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return json.loads(webauthn.options_to_json(options)), options.challenge


def request_options(site: Site, *, known: Iterable[bytes] = ()) -> tuple[dict[str, Any], bytes]:
    """Return what a browser needs to use a passkey, and its challenge.

    Args:
        known: the credential ids of the person, when it is known who they are; empty lets them choose any passkey of this site.
    """
    options = webauthn.generate_authentication_options(
        rp_id=site.domain,
        timeout=TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known] or None,
    )
    return json.loads(webauthn.options_to_json(options)), options.challenge


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser sent: JSON that has the shape of a credential, not yet believed."""

    credential: dict[str, Any]
    credential_id: bytes
    user: bytes | None

    @property
    def transports(self) -> list[str]:
        given = self.credential["response"].get("transports")
        return [each for each in given if each in KNOWN_TRANSPORTS] if isinstance(given, list) else []


def read_answer(sent: str) -> Answer:
    """Read what a browser sent.

    Raises:
        PasskeyRefused: it is no credential.
    """
    try:
        if len(sent) > LARGEST_ANSWER:
            raise PasskeyRefused
        credential = json.loads(sent)
        handle = credential["response"].get("userHandle")
        return Answer(credential, base64url_to_bytes(credential["rawId"]), base64url_to_bytes(handle) if handle else None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PasskeyRefused from None


def verify_created(site: Site, answer: Answer, *, challenge: bytes) -> VerifiedRegistration:
    """Believe a new passkey, or not.

    Raises:
        PasskeyRefused: another challenge, another site, no user verification, or not well formed.
    """
    try:
        return webauthn.verify_registration_response(
            credential=answer.credential,
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
        raise PasskeyRefused from None


def verify_used(site: Site, answer: Answer, *, challenge: bytes, public_key: bytes, sign_count: int) -> VerifiedAuthentication:
    """Believe that somebody has a passkey and was verified by their device, or not.

    Raises:
        PasskeyRefused: another challenge, another site, a wrong signature, a counter that went back, or no user verification.
    """
    try:
        return webauthn.verify_authentication_response(
            credential=answer.credential,
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
        raise PasskeyRefused from None
