"""What can go wrong with invitations."""

from __future__ import annotations

from portal.core.errors import PortalError


class InvitationSpent(PortalError):
    """The invitation was used, withdrawn, is too old, was never ours, or who sent it may not give that role any more."""

    status = 404
    code = "invitation_spent"


class WrongPerson(PortalError):
    """The invitation is for another address than the signed-in person's."""

    status = 403
    code = "wrong_person"


class AccountThere(PortalError):
    """The address has an account: its owner signs in, and is not made a second one."""

    status = 409
    code = "account_there"
