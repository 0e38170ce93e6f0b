"""What can go wrong when an organisation is registered."""

from __future__ import annotations

from portal.core.errors import PortalError


class LinkSpent(PortalError):
    """The link of the mail was used, is too old, was never ours, or its address has an account by now."""

    status = 404
    code = "link_spent"


class TooOften(PortalError):
    """From this network, or for this address, it was asked for as often as is allowed in an hour."""

    status = 429
    code = "too_often"
