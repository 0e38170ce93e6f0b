"""The alarm about stuffing: passwords from elsewhere, tried at many accounts. It stops nobody (`throttle` does); it tells the staff."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import SYSTEM
from portal.core.ids import new_id
from portal.identity import queries
from portal.mail import service as mail
from portal.tenants import service as tenants

log = logging.getLogger(__name__)

WINDOW_S = 300
MANY_ACCOUNTS = 100
MOSTLY = 0.9
BASELINE_DAYS = 7
TIMES_BASELINE = 5
FEWEST = 50  # in five minutes: on a quiet site a handful is many times nothing
QUIET_S = 3600  # so long the same alarm is not given again

_COUNTED = (
    "count(*) as tries, count(*) filter (where outcome <> 'passed') as failures, count(distinct subject) as accounts"
    " from proof_attempts where kind = 'password' and at > clock_timestamp() - make_interval(secs => :window)"
)
# A refused try is a failed one here: the throttle is what refuses them.
FROM_ONE_NETWORK = f"""
select {{network}} as network, min(wide_network) as wide_network, {_COUNTED} group by {{network}}
having count(distinct subject) > :many and count(*) filter (where outcome <> 'passed') > :mostly * count(*)
"""
AT_THE_SITE = f"""
select *, (select count(*) from proof_attempts where kind = 'password' and outcome <> 'passed'
           and at <= clock_timestamp() - make_interval(secs => :window) and at > clock_timestamp() - make_interval(days => :days))
          / (:days * 86400.0 / :window) as usual
from (select {_COUNTED}) lately
"""


def watch() -> int:
    """Give the alarms that are due; returns how many are new. For the dispatcher, twice a minute; safe when two do it at once."""
    with db.transaction():
        house_id = tenants.house_id()
    with db.unit_of_work(house_id), db.transaction() as session:
        session.execute(text("select pg_advisory_xact_lock(hashtext('sign_in_alarms'))"))
        given = sum(_give(house_id, "network", row.network, row) for row in _networks())
        lately = session.execute(text(AT_THE_SITE), {"window": WINDOW_S, "days": BASELINE_DAYS}).one()
        if lately.failures >= FEWEST and lately.failures > TIMES_BASELINE * lately.usual:
            given += _give(house_id, "site", "", lately)
    return given


def _networks() -> list[Any]:
    """Return the networks that try many accounts: single ones, and the networks around others that only do so together."""
    values = {"window": WINDOW_S, "many": MANY_ACCOUNTS, "mostly": MOSTLY}
    narrow = list(db.session().execute(text(FROM_ONE_NETWORK.format(network="network")), values))
    wide = db.session().execute(text(FROM_ONE_NETWORK.format(network="wide_network")), values)
    return [*narrow, *(row for row in wide if row.network not in {each.wide_network for each in narrow})]


def _give(house_id: UUID, kind: str, network: str, row: Any) -> bool:
    values = {"kind": kind, "network": network, "accounts": row.accounts, "tries": row.tries, "failures": row.failures}
    session = db.session()
    going_on = session.execute(
        text(
            "update sign_in_alarms set last_at = clock_timestamp(), accounts = greatest(accounts, :accounts), tries = greatest(tries, :tries),"
            " failures = greatest(failures, :failures)"
            " where kind = :kind and network = :network and last_at > clock_timestamp() - make_interval(secs => :quiet)"
        ),
        {**values, "quiet": QUIET_S},
    )
    if db.touched(going_on):
        return False
    alarm_id = new_id()
    session.execute(
        text(
            "insert into sign_in_alarms (id, kind, network, accounts, tries, failures) values (:id, :kind, :network, :accounts, :tries, :failures)"
        ),
        {**values, "id": alarm_id},
    )
    audit.record(house_id, SYSTEM, "sign_in.stuffing_suspected", alarm_id, **values)
    bus.announce(events.StuffingSuspected(house_id, alarm_id, kind, row.accounts, row.failures))
    _mail_staff(house_id, values)
    log.warning("passwords are tried at many accounts", extra={"alarm": str(alarm_id), "kind": kind, "failures": row.failures})
    return True


def _mail_staff(house_id: UUID, facts: dict[str, Any]) -> None:
    for person_id in queries.member_ids(house_id, ("staff",)):
        person = queries.get_person(person_id)
        if person is not None:
            mail.post(
                person.email, "stuffing_suspected", locale=person.locale, name=person.name, name_ar=person.name_ar, link="/staff", **facts
            )


def sweep() -> int:
    """Delete alarms that are older than 90 days; returns how many. For the dispatcher."""
    with db.transaction() as session:
        gone = session.execute(text("delete from sign_in_alarms where last_at < clock_timestamp() - interval '90 days'"))
    return db.touched(gone)
