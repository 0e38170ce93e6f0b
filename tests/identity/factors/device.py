"""A security key made of software: answers challenges as a browser would, and can be told to answer wrongly."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class Device:
    """One passkey on one device."""

    domain: str = "localhost"
    origin: str = "http://localhost"
    flags: int = PRESENT | VERIFIED
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    count: int = 0
    user: str = ""

    def create(self, options) -> str:
        self.user = options["user"]["id"]
        point = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        about = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(self.flags | HAS_CREDENTIAL) + about})
        return self._credential(
            clientDataJSON=self._client("webauthn.create", options), attestationObject=attestation, transports=["internal", "mind-reading"]
        )

    def get(self, options) -> str:
        self.count += 1
        client, data = self._client("webauthn.get", options), self._data(self.flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._credential(
            clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=base64url_to_bytes(self.user)
        )

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.domain.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, kind: str, options) -> bytes:
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}).encode()

    def _credential(self, **response) -> str:
        coded = {name: bytes_to_base64url(value) if isinstance(value, bytes) else value for name, value in response.items()}
        name = bytes_to_base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": coded, "clientExtensionResults": {}})
