"""What can go wrong when somebody signs in."""

from portal.core.errors import PortalError


class SignInRefused(PortalError):
    """Unknown address, wrong password or no tenant: the person is never told which."""

    status = 422
    code = "sign_in_refused"
