"""What can go wrong with an account."""

from __future__ import annotations

from portal.core.errors import PortalError


class LinkSpent(PortalError):
    """The link of the mail was used, is too old, or was never ours."""

    status = 404
    code = "link_spent"
