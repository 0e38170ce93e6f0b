"""What can go wrong, as facts of the domain; `portal.app` turns each into one page, fragment or problem+json answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PortalError(Exception):
    """A refusal with an HTTP status and a stable code.

    Args:
        message: a translated sentence for the person, or empty for the status's own text.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    retry_after_s: ClassVar[int] = 0  # 0: trying again later is no use, or nobody knows when

    def __init__(self, message: str = "") -> None:
        super().__init__(str(message))
        self.message = str(message)


class NotFound(PortalError):
    """No such thing for this tenant; also the answer for what belongs to others."""

    status = 404
    code = "not_found"


class Forbidden(PortalError):
    """The person is known, the thing is theirs, but their role may not do this."""

    status = 403
    code = "forbidden"


class SignInNeeded(PortalError):
    """Nobody is signed in."""

    status = 401
    code = "sign_in_needed"


class OrganisationNeeded(PortalError):
    """The person is signed in, but in no organisation where they may work now."""

    status = 403
    code = "organisation_needed"


class ConfirmationNeeded(PortalError):
    """The act is sensitive, and the person has not proved for a while that it is them."""

    status = 403
    code = "confirmation_needed"


class Conflict(PortalError):
    """Somebody changed the thing in the meantime; nothing was saved."""

    status = 409
    code = "conflict"


class Invalid(PortalError):
    """The input breaks a rule.

    Args:
        problems: field name → translated sentence saying what is wrong and what to do.
    """

    status = 422
    code = "invalid"

    def __init__(self, problems: Mapping[str, str], message: str = "") -> None:
        super().__init__(message or "; ".join(str(text) for text in problems.values()))
        self.problems = dict(problems)
