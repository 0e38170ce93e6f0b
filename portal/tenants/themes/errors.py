"""What can go wrong with a theme."""

from portal.core.errors import Conflict, PortalError
from portal.tenants.theme import Pair


class ThemeChanged(Conflict):
    """Somebody saved the draft since the page was opened."""

    code = "theme_changed"


class NotReadable(PortalError):
    """Some colours cannot be told apart well enough; `.pairs` says which."""

    status = 422
    code = "theme_not_readable"

    def __init__(self, pairs: list[Pair]) -> None:
        super().__init__()
        self.pairs = pairs


class PictureRefused(PortalError):
    """What was uploaded is no picture that can be shown; the message says why."""

    status = 422
    code = "picture_refused"
