"""Addresses of mail as people type and paste them. Pure."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, validate_email

# What parts addresses in a list: commas and semicolons of both scripts, blanks, lines.
BETWEEN = re.compile(r"[\s,;،؛]+")


def plain_address(text: str | None) -> str | None:
    """Return an address that mail can be sent to, or None for what is none; nothing is asked of the network."""
    try:
        found = validate_email(
            (text or "").strip(), check_deliverability=False, allow_smtputf8=False, globally_deliverable=False, strict=True
        )
    except EmailNotValidError:
        return None
    return found.normalized if found.ascii_email and "." in (found.ascii_domain or "") else None


def listed(text: str) -> list[str]:
    """Return the addresses of a list as they were written, each once: `Name <a@b.c>` gives what stands between the angles."""
    text = re.sub(r"[^,;،؛\n<>]*<([^<>]*)>", r" \1 ", text)
    return list(dict.fromkeys(part for part in BETWEEN.split(text.replace("\x00", "")) if part))
