"""What can go wrong between a directory and us, as RFC 7644 (3.12) writes it; for programs, in English."""

from __future__ import annotations

from portal.core.errors import PortalError


class ScimRefused(PortalError):
    """A request that is not right.

    Args:
        detail: one sentence for who reads the directory's log.
        status: the HTTP status.
        kind: the `scimType` of the standard, empty for none.
    """

    status = 400
    code = "scim_refused"

    def __init__(self, detail: str, *, status: int = 400, kind: str = "") -> None:
        super().__init__(detail)
        self.http_status = status
        self.kind = kind
