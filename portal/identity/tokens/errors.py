"""What can go wrong when a program shows a secret."""

from portal.core.errors import PortalError, SignInNeeded


class SecretRefused(SignInNeeded):
    """Unknown, misspelled, expired, revoked, or from a wrong network: who shows it is never told which."""

    code = "secret_refused"


class TooManyTries(PortalError):
    """Too many wrong secrets came from this network; right ones have to wait, too."""

    status = 429
    code = "too_many_requests"
    retry_after_s = 30


class TooManyReports(TooManyTries):
    """This network has reported too many tokens in the last hour."""

    retry_after_s = 3600
