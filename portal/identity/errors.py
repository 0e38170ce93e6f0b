"""What can go wrong when somebody signs in."""

from typing import Any

from portal.core.errors import PortalError


class SignInRefused(PortalError):
    """Unknown address, wrong password or no tenant: the person is never told which."""

    status = 422
    code = "sign_in_refused"


class ProviderNeeded(PortalError):
    """The password is right, but the organisation wants its members to come through its identity provider.

    Args:
        provider: an identity provider: `id` and its names.
    """

    status = 422
    code = "provider_needed"

    def __init__(self, provider: Any) -> None:
        super().__init__()
        self.provider = provider
