"""What can go wrong when something arrives."""

from portal.core.errors import PortalError


class KeyUsed(PortalError):
    """The key was used for other inputs before; nothing was started."""

    status = 422
    code = "key_used"


class TooMany(PortalError):
    """More arrived than the trigger takes; `retry_after_s` says when to come back."""

    status = 429
    code = "too_many_requests"

    def __init__(self, wait_s: int) -> None:
        super().__init__()
        self.retry_after_s = max(1, wait_s)  # type: ignore[misc]  # of this refusal, not of the class
