"""What can go wrong with members."""

from __future__ import annotations

from portal.core.errors import PortalError


class LastOwner(PortalError):
    """Nobody would own the organisation afterwards."""

    status = 409
    code = "last_owner"


class AboveOwn(PortalError):
    """The member's role, or the one to be given, may do more than one's own."""

    status = 403
    code = "above_own"
