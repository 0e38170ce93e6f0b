"""What can go wrong with sign-in factors."""

from portal.core.errors import Conflict, PortalError


class CodeRefused(PortalError):
    """A code does not confirm the app that is being added.

    Args:
        minutes_off: how far the clock of the person's device seems to be from ours; 0 when that is not the reason.
    """

    status = 422
    code = "code_refused"

    def __init__(self, minutes_off: int = 0) -> None:
        super().__init__()
        self.minutes_off = minutes_off


class PasskeyRefused(PortalError):
    """A passkey was not taken: its challenge is old or used, it is unknown, or its signature is wrong."""

    status = 422
    code = "passkey_refused"


class LastFactor(Conflict):
    """Somebody who must have a second step would be left without one."""


class TooManyFactors(Conflict):
    """A person keeps at most ten apps and ten passkeys."""
