"""Lockouts, for organisations that are bound to have them: off unless switched on, and never for a device that the person has used before.

Nasij slows guesses down instead (`throttle`): a lock lets anybody who knows an address keep its owner out. Where an organisation asks for
one all the same, so many wrong passwords from unknown devices shut the password of its members for a while. A person of several
organisations has one password, so one that asks is enough. Passkeys and providers go on working, and an admin, or a new password, ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import SYSTEM, Access, Actor, Permission
from portal.core.errors import NotFound
from portal.identity import queries, standing, throttle
from portal.mail import service as mail
from portal.tenants import service as tenants

# More than ten are never let through in a quarter of an hour anyway: see `throttle.RULES`.
AFTER = (3, 5, 10)
MINUTES = (15, 30, 60)


@dataclass(frozen=True, slots=True)
class Rule:
    """After how many wrong passwords in which time the password is shut, and for how long."""

    after: int
    window_min: int
    for_min: int


def rule_of(security: Mapping[str, Any]) -> Rule | None:
    """Return what an organisation asks for; None where lockouts are off, or what is kept is none of ours.

    Args:
        security: of the organisation; `lockout` is null or {"after": …, "window_min": …, "for_min": …}.
    """
    kept = security.get("lockout")
    if not isinstance(kept, dict):
        return None
    rule = Rule(kept.get("after", 0), kept.get("window_min", 0), kept.get("for_min", 0))
    return rule if rule.after in AFTER and rule.window_min in MINUTES and rule.for_min in MINUTES else None


def save_rule(tenant_id: UUID, rule: Rule | None, *, by: Actor) -> None:
    """Switch lockouts on or off for an organisation; those that stand end when it is switched off."""
    with db.transaction(tenant_id):
        if rule_of(tenants.security_of(tenant_id)) != rule:
            kept = {"after": rule.after, "window_min": rule.window_min, "for_min": rule.for_min} if rule else None
            tenants.save_security(tenant_id, {"lockout": kept}, by=by)


def is_shut(person_id: UUID, key: str, attempt: UUID) -> bool:
    """Say whether a password counts nowhere but on known devices now. Asked after the try was noted: so of many tries at once no more pass than may.

    Args:
        key: the folded address, as the throttle counts it.
        attempt: the try, as the throttle noted it; it counts, and those before it.
    """
    with db.transaction():
        return any(each.is_live or each.failures(key, attempt) > each.rule.after for each in _states(person_id))


@dataclass(frozen=True, slots=True)
class _State:
    tenant_id: UUID
    rule: Rule
    is_live: bool
    until: datetime | None

    def failures(self, key: str, attempt: UUID) -> int:
        """Return how many tries count up to this one; after a lock that ended it begins anew."""
        return throttle.failures("password", key, until=attempt, window_s=self.rule.window_min * 60, since=self.until)


def _states(person_id: UUID) -> list[_State]:
    rows = db.session().execute(
        text("select o.*, coalesce(o.until > clock_timestamp(), false) as is_live from own_lockouts(:person) o"), {"person": person_id}
    )
    found = ((row, rule_of({"lockout": row.rule})) for row in rows.all())
    return [_State(row.tenant_id, rule, row.is_live, row.until) for row, rule in found if rule is not None]


def note_failure(person_id: UUID, key: str, attempt: UUID) -> None:
    """Shut the password where this try was one too many; the person and the admins are told, once.

    Also for tries that were not compared any more: whoever was to shut it may have died before.
    """
    with db.transaction():
        counted = [(each, each.failures(key, attempt)) for each in _states(person_id) if not each.is_live]
    is_told = False
    for state, failures in counted:
        if failures >= state.rule.after:
            is_told = _lock(state, person_id, failures, is_told=is_told) or is_told


def _lock(state: _State, person_id: UUID, failures: int, *, is_told: bool) -> bool:
    tenant_id, rule = state.tenant_id, state.rule
    # Nobody is signed in: the organisation that asks has a unit of its own.
    with db.unit_of_work(tenant_id), db.transaction() as session:
        is_new = session.scalar(
            text(
                "insert into account_locks as l (tenant_id, person_id, failures, until)"
                " values (:tenant, :person, :failures, clock_timestamp() + make_interval(mins => :mins))"
                " on conflict (tenant_id, person_id) do update"
                " set failures = excluded.failures, locked_at = clock_timestamp(), until = excluded.until where l.until <= clock_timestamp()"
                " returning true"
            ),
            {"tenant": tenant_id, "person": person_id, "failures": failures, "mins": rule.for_min},
        )
        person = queries.get_person(person_id)
        if not is_new or person is None:
            return False
        audit.record(tenant_id, SYSTEM, "account.locked", person_id, failures=failures, minutes=rule.for_min)
        bus.announce(events.AccountLocked(tenant_id, person_id, rule.for_min))
        if not is_told:
            mail.post(
                person.email, "account_locked", locale=person.locale, tenant_id=tenant_id, name=person.name, name_ar=person.name_ar,
                failures=failures, minutes=rule.for_min, link="/password/forgotten",
            )  # fmt: skip
    return True


def lock_of(tenant_id: UUID, person_id: UUID) -> Row[Any] | None:
    """Return `locked_at`, `until` and `failures` of a lock that this organisation asked for and that stands now."""
    if rule_of(tenants.security_of(tenant_id)) is None:
        return None
    wanted = "select locked_at, until, failures from account_locks where tenant_id = :tenant and person_id = :person and until > clock_timestamp()"
    return db.session().execute(text(wanted), {"tenant": tenant_id, "person": person_id}).first()


def unlock(here: Access, person_id: UUID) -> None:
    """Let the password of a member count again, before its time.

    Raises:
        NotFound: no such member is locked by this organisation.
        Forbidden: who unlocks may not do it any more.
    """
    with db.transaction(here.tenant_id):
        standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        if not _end(here.tenant_id, person_id):
            raise NotFound
        audit.record(here.tenant_id, here.actor, "account.unlocked", person_id)
        bus.announce(events.AccountUnlocked(here.tenant_id, person_id))


def end_all(person_id: UUID) -> None:
    """End every lock of a person who has proved in another way that the account is theirs."""
    with db.transaction():
        held = [each.tenant_id for each in _states(person_id) if each.is_live]
    for tenant_id in held:
        with db.unit_of_work(tenant_id), db.transaction():
            if _end(tenant_id, person_id):
                audit.record(tenant_id, Actor("person", person_id), "account.unlocked", person_id)
                bus.announce(events.AccountUnlocked(tenant_id, person_id))


def _end(tenant_id: UUID, person_id: UUID) -> bool:
    ended = db.session().execute(
        text(
            "update account_locks set until = clock_timestamp() where tenant_id = :tenant and person_id = :person and until > clock_timestamp()"
        ),
        {"tenant": tenant_id, "person": person_id},
    )
    return bool(db.touched(ended))
