"""What can go wrong on the way through an identity provider."""

from __future__ import annotations

from portal.core.errors import PortalError


class SsoRefused(PortalError):
    """This person does not come in this way.

    Args:
        reason: a code for the audit book, which never holds what the provider sent.
        message: what the person is told.
    """

    status = 422
    code = "sso_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ProviderFaulty(PortalError):
    """The provider does not answer, or not as the standard says; the message names what was found."""

    status = 422
    code = "provider_faulty"


class TokenRefused(PortalError):
    """A token is not what it must be; the reason is for the log and the audit book, never for the person.

    Args:
        reason: a code.
    """

    status = 400
    code = "token_refused"

    def __init__(self, reason: str) -> None:
        super().__init__("")
        self.reason = reason
