"""What can go wrong with connections."""

from __future__ import annotations

from portal.core.errors import Conflict


class InUse(Conflict):
    """Workflows use the connection, so it stays."""

    code = "connection_in_use"


class NothingToBringBack(Conflict):
    """The secret before this one is not kept any more."""

    code = "nothing_to_bring_back"


class Unusable(Exception):
    """The connection cannot serve this step.

    Args:
        code: gone, scope, kind, lost (its key left the ring), token (no access token was given), refused (the database refused the
            sign-in), or one of `core.egress.EgressError`.
        detail: plain facts for the person; never a secret.
        again: whether another attempt can help.
        sent: as for `actions.base.Failed`.
    """

    def __init__(self, code: str, detail: str = "", *, again: bool = False, sent: bool | None = False) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.again = again
        self.sent = sent
