"""Mails to a person about their own sign-in: so that a change they did not make is seen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.identity import queries as people
from portal.mail import service as mail

PAGE = "/settings/sign-in"


def tell(person_id: UUID, message: str, **facts: Any) -> None:
    """Queue a mail to a person in their language, in the open transaction; never with a code or a key in it."""
    person = people.get_person(person_id)
    if person is not None:
        mail.post(person.email, message, locale=person.locale, name=person.name, name_ar=person.name_ar, link=PAGE, **facts)
