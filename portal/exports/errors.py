"""What can go wrong with exports."""

from __future__ import annotations

from portal.core.errors import Conflict


class SwitchedOff(Conflict):
    """Staff stopped exports for everybody."""

    code = "exports_off"


class TooManyWaiting(Conflict):
    """The person has as many files in the making as one may have at a time."""

    code = "exports_waiting"
