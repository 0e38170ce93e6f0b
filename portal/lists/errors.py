"""What can go wrong with lists."""

from __future__ import annotations

from portal.core.errors import Conflict


class TooLate(Conflict):
    """The bulk action is over, or was undone already."""

    code = "too_late"


class TooManyViews(Conflict):
    """The person has as many saved views of a list as one may have."""

    code = "too_many_views"
