"""Certificates of a provider as people paste them, and the key pair that we make for it. Knows no table."""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from portal.core import clock

MOST = 5
SMALLEST_RSA = 2048
CURVES = ("secp256r1", "secp384r1", "secp521r1")
OURS_LIVES = timedelta(days=3650)
SOON = timedelta(days=30)
PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


class CertificateUnfit(Exception):
    """A text is no certificate that can be used.

    Args:
        number: which of those that were given, from 1.
        reason: `unreadable`, `weak`, `many`, `none` or `expired`.
    """

    def __init__(self, reason: str, number: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.number = reason, number


@dataclass(frozen=True, slots=True)
class Seen:
    """A certificate as a page shows it."""

    fingerprint: str
    starts_at: datetime
    ends_at: datetime

    @property
    def is_expired(self) -> bool:
        return self.ends_at <= clock.now()

    @property
    def is_early(self) -> bool:
        return self.starts_at > clock.now()

    @property
    def ends_soon(self) -> bool:
        return not self.is_expired and self.ends_at - clock.now() < SOON


def read(text: str) -> list[str]:
    """Return the certificates of a text as base64 of DER, each once: PEM blocks, or bare base64 with empty lines between.

    Raises:
        CertificateUnfit: there is none, more than five, one that cannot be read or is too weak, or all have expired.
    """
    blocks = PEM.findall(text) if "-----BEGIN" in text else re.split(r"\n\s*\n", text.replace("\r\n", "\n"))
    found: list[str] = []
    for number, block in enumerate((each for each in blocks if each.strip()), start=1):
        if number > MOST:
            raise CertificateUnfit("many")
        tidy = "".join(block.split())
        _check(tidy, number)
        if tidy not in found:
            found.append(tidy)
    if not found:
        raise CertificateUnfit("none" if not text.strip() else "unreadable", 1)
    if all(seen(each).is_expired for each in found):
        raise CertificateUnfit("expired")
    return found


def load(tidy: str) -> x509.Certificate:
    """Return a certificate from the base64 of its DER."""
    return x509.load_der_x509_certificate(base64.b64decode(tidy, validate=True))


def seen(tidy: str) -> Seen:
    """Return what a page shows of a certificate."""
    known = load(tidy)
    return Seen(known.fingerprint(hashes.SHA256()).hex(":").upper(), known.not_valid_before_utc, known.not_valid_after_utc)


def as_pem(tidy: str) -> str:
    """Return a certificate as people paste it."""
    body = "\n".join(textwrap.wrap(tidy, 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


def make_pair(common_name: str) -> tuple[str, str]:
    """Return a new private key as PEM, and its certificate as base64 of DER."""
    key = rsa.generate_private_key(65537, SMALLEST_RSA)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    now = clock.now()
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + OURS_LIVES)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


def load_key(private_key: str) -> rsa.RSAPrivateKey:
    """Return our key of a provider."""
    key = serialization.load_pem_private_key(private_key.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _check(tidy: str, number: int) -> None:
    try:
        key = load(tidy).public_key()
    except (ValueError, binascii.Error):
        raise CertificateUnfit("unreadable", number) from None
    is_fit = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES
    )
    if not is_fit:
        raise CertificateUnfit("weak", number)
