"""What the palette finds of members: asking somebody in, the matrix of permissions."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core.access import Permission, access
from portal.core.palette import Entry, Kind, entry
from portal.i18n.words import lazy_gettext as _l


def find(_text: str) -> Iterable[Entry]:
    """Give what the signed-in person may do with members."""
    here = access()
    if here.can(Permission.MEMBER_EDIT):
        yield entry(Kind.ACTION, _l("Invite people"), "mail", url_for("invitations.invite"), also=_l("Add a member"))
    if here.can(Permission.ROLE_EDIT):
        yield entry(Kind.ACTION, _l("New role"), "plus", url_for("custom_roles.new"), also=_l("Permissions"))
    if here.can(Permission.MEMBER_READ):
        yield entry(Kind.PAGE, _l("Permission matrix"), "table-2", url_for("custom_roles.show_matrix"), also=_l("Permissions"))
