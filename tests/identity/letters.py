"""Letters of the house as a person reads them, before a worker has sent them."""

from __future__ import annotations

import json
import re
from typing import Any

from sqlalchemy import select

from portal.core import db
from portal.core.secrets import unseal
from portal.mail.models import Letter


def letters_to(email: str) -> list[dict[str, Any]]:
    """Return the letters that wait for an address, oldest first: message, locale, facts."""
    found = []
    with db.transaction() as session:
        for letter in session.scalars(select(Letter).where(Letter.content.is_not(None)).order_by(Letter.created_at, Letter.id)):
            content = json.loads(unseal(letter.content or b"", where=f"letters.content:{letter.id}"))
            if content["to"] == email:
                found.append({"id": letter.id, "message": letter.message, "locale": content["locale"], **content["facts"]})
    return found


def token_in(letter: dict[str, Any]) -> str:
    """Return the secret of the letter's link."""
    found = re.search(r"token=([\w-]+)", letter["link"])
    assert found, letter["link"]
    return found[1]
