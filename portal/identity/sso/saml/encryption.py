"""Assertions that a provider encrypted for us. Knows no table.

Only with AES-GCM: the older modes (CBC) say nothing of whether the text was changed, and whoever may try often can then read it.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from portal.identity.sso.errors import TokenRefused
from portal.identity.sso.saml import certificates, documents
from portal.identity.sso.saml.documents import Element, at_most_one, name, only, text_of

GCM = {"http://www.w3.org/2009/xmlenc11#aes128-gcm": 16, "http://www.w3.org/2009/xmlenc11#aes256-gcm": 32}
OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
# Inside OAEP a digest needs no resistance to collisions: here SHA-1 is what the standard's first name for it means.
DIGESTS = {SHA1: hashes.SHA1, SHA256: hashes.SHA256}
NONCE, TAG = 12, 16


def opened(encrypted: Element, private_key: str) -> Element:
    """Return the assertion in an `EncryptedAssertion`, parsed as strictly as any message.

    Raises:
        TokenRefused: it is not encrypted for us, or not in a way that we accept.
    """
    data = only(encrypted, "xenc", "EncryptedData")
    size = GCM.get(only(data, "xenc", "EncryptionMethod").get("Algorithm", ""))
    if size is None:
        raise TokenRefused("encryption")
    sealed = _cipher(data)
    key = _content_key(encrypted, private_key)
    if len(key) != size or len(sealed) < NONCE + TAG:
        raise TokenRefused("decryption")
    try:
        text = AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], None)
    except InvalidTag:
        raise TokenRefused("decryption") from None
    found = documents.parse(text)
    if found.tag != name("saml", "Assertion"):
        raise TokenRefused("form")
    return found


def _content_key(encrypted: Element, private_key: str) -> bytes:
    # It stands in the data's KeyInfo, or beside the data.
    found = list(encrypted.iter(name("xenc", "EncryptedKey")))
    if len(found) != 1:
        raise TokenRefused("encryption")
    method = only(found[0], "xenc", "EncryptionMethod")
    digest = at_most_one(method, "ds", "DigestMethod")
    known = DIGESTS.get(SHA1 if digest is None else digest.get("Algorithm", ""))
    if method.get("Algorithm") != OAEP or known is None:
        raise TokenRefused("encryption")
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=known(), label=None)  # noqa: S303 - see DIGESTS
    try:
        return certificates.load_key(private_key).decrypt(_cipher(found[0]), oaep)
    except ValueError:
        raise TokenRefused("decryption") from None


def _cipher(part: Element) -> bytes:
    value = text_of(only(only(part, "xenc", "CipherData"), "xenc", "CipherValue"))
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise TokenRefused("decryption") from None
