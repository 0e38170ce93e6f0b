"""Job entry points of mail."""

from __future__ import annotations

from uuid import UUID

from portal.core.jobs import job
from portal.mail import service


@job("mail.letter", queue="mail", timeout_s=60)
def letter(letter_id: str) -> None:
    """Send a letter of the house."""
    service.send_letter(UUID(letter_id))
