"""Throttle, never lock: how often somebody may try to prove who they are, counted in PostgreSQL.

An attempt is written as failed before anything is checked, and turned into a passed one when the proof was right. So a hundred tries
at once count as a hundred, and a process that dies in between has not given one away. Redis has no part in it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from portal.core import db
from portal.core.ids import new_id
from portal.identity.origin import Origin

WINDOW_S = 15 * 60
DAY_S = 24 * 3600
SHORTEST_DELAY_S = 30
LONGEST_DELAY_S = 3600
KEPT_DAYS = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """How much one kind of proof may be tried.

    Args:
        per_device: failures in 15 minutes with a device that the account knows.
        per_account: failures from unknown devices, after which each further try has to wait: 30 s, then twice as long each time, at most an hour.
        per_network, per_wide_network: failures in 15 minutes from one subscriber, and from the network around it.
    """

    per_device: int = 10
    per_account: int = 10
    per_network: int = 50
    per_wide_network: int = 200


@dataclass(frozen=True, slots=True)
class Asking:
    """How often something may be asked for, whether or not it succeeds: a mail, an account."""

    per_account: int
    per_network: int
    window_s: int = 3600


RULES: dict[str, Rule | Asking] = {
    "password": Rule(),
    "factor": Rule(per_account=5),
    "confirm": Rule(),
    "reset": Asking(per_account=3, per_network=10),
    "registration": Asking(per_account=3, per_network=5),
    "refresh": Rule(per_account=50),  # the account is the network: whose token it is, is not known before
    "leak": Asking(per_account=30, per_network=30),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try; `is_allowed` is False when nothing may be checked now."""

    id: UUID
    is_allowed: bool


def delay_after(failures: int, limit: int) -> int:
    """Return how many seconds to wait after this many failures: none up to the limit, then doubling."""
    return 0 if failures < limit else min(SHORTEST_DELAY_S * 2 ** min(failures - limit, 20), LONGEST_DELAY_S)


def begin(kind: str, subject: str, origin: Origin, *, device_id: UUID | None = None) -> Attempt:
    """Note a try before checking it, in a transaction of its own. Refused tries count for nobody: a stranger cannot keep one out.

    Args:
        kind: a name of `RULES`.
        subject: the account that is meant, existing or not.
        device_id: of a device that this account knows; others are None.
    """
    rule, key = RULES[kind], hashlib.sha256(f"{kind}:{subject}".encode()).digest()
    with db.transaction() as session:
        # One after the other for each account and network: otherwise a hundred tries at once would all see the count before them.
        # Always the account first, so that two can never wait for each other.
        for locked in (key.hex(), origin.network):
            session.execute(text("select pg_advisory_xact_lock(hashtextextended(:locked, 0))"), {"locked": locked})
        is_allowed = _may_ask(kind, rule, key, origin) if isinstance(rule, Asking) else _may_try(kind, rule, key, origin, device_id)
        attempt = Attempt(new_id(), is_allowed)
        session.execute(
            text(
                "insert into proof_attempts (id, kind, subject, network, wide_network, device_id, outcome)"
                " values (:id, :kind, :subject, :network, :wide, :device, :outcome)"
            ),
            {
                "id": attempt.id,
                "kind": kind,
                "subject": key,
                "network": origin.network,
                "wide": origin.wide_network,
                "device": device_id,
                "outcome": "failed" if is_allowed else "refused",
            },
        )
    return attempt


def passed(attempt: Attempt) -> None:
    """Say that the proof was right: the failures of this account from unknown devices are forgotten."""
    with db.transaction() as session:
        session.execute(text("update proof_attempts set outcome = 'passed' where id = :id and outcome = 'failed'"), {"id": attempt.id})


def failures(kind: str, subject: str, *, until: UUID, window_s: int, since: datetime | None) -> int:
    """Return how often an account was tried in vain from unknown devices: in the window, after `since`, and since a proof was right.

    Args:
        until: the attempt that is being made, which counts as failed; those that came after it do not count.
    """
    key = hashlib.sha256(f"{kind}:{subject}".encode()).digest()
    return _count(
        "subject = :subject and device_id is null and outcome = 'failed' and at > coalesce(cast(:since as timestamptz), '-infinity')"
        " and at <= (select at from proof_attempts where id = :until)"
        " and at > coalesce((select max(at) from proof_attempts where subject = :subject and outcome = 'passed'), '-infinity')",
        window_s,
        subject=key,
        until=until,
        since=since,
    )


def _may_try(kind: str, rule: Rule, subject: bytes, origin: Origin, device_id: UUID | None) -> bool:
    if device_id is not None:
        return (
            _count("subject = :subject and device_id = :device and outcome = 'failed'", subject=subject, device=device_id) < rule.per_device
        )
    row = (
        db.session()
        .execute(
            text(
                """
            select count(*) as failures, extract(epoch from clock_timestamp() - max(at)) as since_s
            from proof_attempts
            where subject = :subject and device_id is null and outcome = 'failed' and at > clock_timestamp() - make_interval(secs => :day)
              and at > coalesce((select max(at) from proof_attempts where subject = :subject and outcome = 'passed'), '-infinity')
            """
            ),
            {"subject": subject, "day": DAY_S},
        )
        .one()
    )
    if row.failures and row.since_s < delay_after(row.failures, rule.per_account):
        return False
    narrow = _count("network = :network and kind = :kind and outcome = 'failed'", network=origin.network, kind=kind)
    wide = _count("wide_network = :network and kind = :kind and outcome = 'failed'", network=origin.wide_network, kind=kind)
    return narrow < rule.per_network and wide < rule.per_wide_network


def _may_ask(kind: str, rule: Asking, subject: bytes, origin: Origin) -> bool:
    by_account = _count("subject = :subject and outcome <> 'refused'", rule.window_s, subject=subject)
    by_network = _count("network = :network and kind = :kind and outcome <> 'refused'", rule.window_s, network=origin.network, kind=kind)
    return by_account < rule.per_account and by_network < rule.per_network


def _count(condition: str, window_s: int = WINDOW_S, **values: object) -> int:
    counted = f"select count(*) from proof_attempts where {condition} and at > clock_timestamp() - make_interval(secs => :window)"
    return int(db.session().scalar(text(counted), {**values, "window": window_s}) or 0)


def sweep() -> int:
    """Delete attempts that no rule counts any more; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            text("delete from proof_attempts where at < clock_timestamp() - make_interval(days => :days)"), {"days": KEPT_DAYS}
        )
    return db.touched(gone)
