"""What is kept for test runs: a small share that is theirs for certain, and no more than that.

Replays of real runs are carried out by workers, in turns of a few seconds: one turn at a time in the whole house, and behind it a pause
three times as long. So they take at most a quarter of one worker from live runs, and get it however long the lines of live runs are (their
jobs stand before those lines). Dry runs are carried out where they are asked for: one at a time for an organisation, three in the house.
"""

from __future__ import annotations

import time
from uuid import UUID

from sqlalchemy import text

from portal.core import db
from portal.core.errors import Conflict
from portal.i18n.words import gettext as _

SHARE = 0.25
TURN_S = 5.0
LONGEST_TURN_S = 120  # as the job itself: who holds the turn longer is dead
AT_ONCE = 3
PATIENCE_S = 4.0
TAKE = """
insert into workflow_leaders as l (name, owner, until) values ('trials', :owner, clock_timestamp() + make_interval(secs => :longest))
on conflict (name) do update set owner = excluded.owner, until = excluded.until where l.until <= clock_timestamp()
returning owner
"""
GIVE_BACK = """
update workflow_leaders set until = clock_timestamp() + make_interval(secs => :pause) where name = 'trials' and owner = :owner
"""


class TrialsBusy(Conflict):
    """As many dry runs go on as may; nothing was tried."""

    code = "trials_busy"

    def __init__(self) -> None:
        super().__init__(_("Another dry run is going on. Try again in a few seconds."))


def take(owner: str) -> float:
    """Take the turn of the replays: 0 when it is ours, else in how many seconds to ask again. `give_back` ends it, or a crash after a while."""
    with db.transaction(system=True) as session:
        if session.execute(text(TAKE), {"owner": owner, "longest": LONGEST_TURN_S}).first() is not None:
            return 0.0
        left = session.scalar(text("select extract(epoch from until - clock_timestamp()) from workflow_leaders where name = 'trials'"))
    return max(1.0, min(float(left or 0), TURN_S / SHARE))


def give_back(owner: str, took_s: float) -> float:
    """End the turn; returns for how long the replays of all organisations pause now."""
    pause_s = took_s * (1 / SHARE - 1)
    with db.transaction(system=True) as session:
        session.execute(text(GIVE_BACK), {"owner": owner, "pause": pause_s})
    return pause_s


def enter(tenant_id: UUID) -> None:
    """Take a place of a dry run, to the end of the open transaction.

    Raises:
        TrialsBusy: the organisation tries something already, or none of the house's places came free in four seconds.
    """
    session, end = db.session(), time.monotonic() + PATIENCE_S
    if not session.scalar(text("select pg_try_advisory_xact_lock(hashtextextended(:key, 27))"), {"key": str(tenant_id)}):
        raise TrialsBusy
    while True:
        for number in range(AT_ONCE):
            if session.scalar(text("select pg_try_advisory_xact_lock(hashtext('dry runs'), :number)"), {"number": number}):
                return
        if time.monotonic() >= end:
            raise TrialsBusy
        time.sleep(0.1)
