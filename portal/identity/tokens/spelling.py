"""How the secrets of programs are spelled: `wfp_live_` + 30 random characters + 6 of checksum. Pure.

The prefix lets scanners of source code find a leaked one; the checksum tells a real one from a look-alike without asking the database.
"""

from __future__ import annotations

import re
import secrets
import string
import zlib

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 30  # 178 bits
CHECK_LENGTH = 6  # 62^6 > 2^32
SHOWN_RANDOM = 4
PERSONAL, CLIENT_SECRET, REFRESH, ACCESS = "wfp", "wfs", "wfr", "wfa"
ENVIRONMENTS = {"production": "live", "test": "test", "development": "dev"}
FOUND = re.compile(rf"(?<![0-9A-Za-z])wf[psra]_(?:live|test|dev)_[0-9A-Za-z]{{{RANDOM_LENGTH + CHECK_LENGTH}}}(?![0-9A-Za-z])", re.ASCII)


def new(kind: str, environment: str) -> str:
    """Return a new secret.

    Args:
        kind: PERSONAL, CLIENT_SECRET, REFRESH or ACCESS.
        environment: of the settings; a secret says where it is good, so that one for trying out is never taken for a real one.
    """
    body = f"{kind}_{ENVIRONMENTS[environment]}_" + "".join(secrets.choice(DIGITS) for _ in range(RANDOM_LENGTH))
    return body + _checksum(body)


def is_spelled_right(text: str, *kinds: str) -> bool:
    """Say whether a text is a whole secret of one of the kinds (of any kind when none is named) with a right checksum."""
    return bool(FOUND.fullmatch(text)) and (not kinds or text[:3] in kinds) and _checksum(text[:-CHECK_LENGTH]) == text[-CHECK_LENGTH:]


def find(text: str) -> list[str]:
    """Return every secret with a right checksum that stands in a text, each once."""
    return list(dict.fromkeys(each for each in FOUND.findall(text) if is_spelled_right(each)))


def shown(secret: str) -> str:
    """Return the beginning of a secret by which its owner knows it again; 154 random bits stay unsaid."""
    return secret[: -(RANDOM_LENGTH + CHECK_LENGTH) + SHOWN_RANDOM]


def _checksum(text: str) -> str:
    number, letters = zlib.crc32(text.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        letters = DIGITS[digit] + letters
    return letters
