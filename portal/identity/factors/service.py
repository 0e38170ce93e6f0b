"""The verbs of sign-in factors: have them, prove them, ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, update

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db, secrets
from portal.core.access import Actor
from portal.core.errors import NotFound
from portal.i18n.words import gettext as _
from portal.identity import queries as people
from portal.identity.factors import ceremony, policy, queries, recovery, totp
from portal.identity.factors.ceremony import Answer, Site
from portal.identity.factors.errors import CodeRefused, LastFactor, PasskeyRefused, TooManyFactors
from portal.identity.factors.letters import tell
from portal.identity.factors.models import Passkey, RecoveryCode, TotpFactor
from portal.identity.factors.policy import Demand, is_required
from portal.tenants import service as tenants

__all__ = ["is_required"]

MOST_OF_A_KIND = 10
APP, PASSKEY, RECOVERY = "app", "passkey", "recovery"


# What is asked


def has_factor(person_id: UUID) -> bool:
    """Say whether a person has an authenticator app or a passkey, so that a password alone does not sign them in."""
    with db.transaction():
        return queries.has_factor(person_id)


def kinds_of(person_id: UUID) -> frozenset[str]:
    """Return the kinds of proof that a person has besides a password."""
    with db.transaction():
        found = {APP: queries.apps_of(person_id), PASSKEY: queries.passkeys_of(person_id), RECOVERY: queries.codes_left(person_id)}
    return frozenset(kind for kind, kept in found.items() if kept)


def demand_of(tenant_id: UUID, person_id: UUID, *, role: str, rules: Mapping[str, Any]) -> Demand | None:
    """Return from when somebody who has no second step must have one; None if never.

    Args:
        rules: `security` of the organisation.
    """
    if not is_required(role, rules):
        return None
    return policy.demand_of(role, rules, joined_at=people.joined_at(tenant_id, person_id) or clock.now())


def must_have(person_id: UUID) -> bool:
    """Say whether any organisation of the person, or the house itself, asks them for a second step; the days of grace do not count."""
    return any(is_required(row.role, row.security) for row in queries.rules_over(person_id))


# Proofs


def prove(
    person_id: UUID, kind: str, answer: str, *, tenant_id: UUID | None, site: Site | None = None, challenge: bytes | None = None
) -> bool:
    """Say whether a person proved that it is they; a right answer is used up. Count tries before asking (`identity.throttle`).

    Args:
        kind: "app" (a code from it), "recovery" (one of ten codes) or "passkey".
        answer: what was typed, or for a passkey the JSON that the browser sent.
        tenant_id: whose audit book notes a used recovery code; the unit's own tenant, None for who has none.
        site, challenge: for a passkey, see `ceremony`; the challenge was kept by the server and is gone from there already.
    """
    if kind == APP:
        return _prove_app(person_id, answer)
    if kind == RECOVERY:
        return _use_code(person_id, answer, tenant_id=tenant_id)
    if kind == PASSKEY and site is not None and challenge is not None:
        try:
            return use_passkey(answer, site=site, challenge=challenge) == person_id
        except PasskeyRefused:
            return False
    return False


def _prove_app(person_id: UUID, written: str) -> bool:
    code = totp.read_code(written)
    with db.transaction() as session:
        for app in queries.apps_locked(person_id):
            secret = secrets.unseal(app.secret, where=_place(person_id, app.id))
            step = totp.matching_step(secret, code, now_s=clock.now().timestamp(), after=app.last_step) if code else None
            if step is not None:
                used = {"last_step": step, "used_at": func.clock_timestamp()}
                session.execute(update(TotpFactor).where(TotpFactor.id == app.id).values(used))
                return True
    return False


def _use_code(person_id: UUID, written: str, *, tenant_id: UUID | None) -> bool:
    if not recovery.read_code(written):
        return False
    with db.transaction() as session:
        if tenant_id is not None:
            db.enter_tenant(tenant_id)  # between the two steps of signing in no tenant has been entered yet
        used = session.execute(
            update(RecoveryCode)
            .where(RecoveryCode.person_id == person_id, RecoveryCode.hash == recovery.code_hash(person_id, written))
            .where(RecoveryCode.used_at.is_(None))
            .values(used_at=func.clock_timestamp())
        )
        if not db.touched(used):
            return False
        left = queries.codes_left(person_id)
        if tenant_id is not None:
            audit.record(tenant_id, Actor("person", person_id), "recovery_code.used", person_id, left=left)
        bus.announce(events.RecoveryCodeUsed(person_id, tenant_id, left))
        tell(person_id, "recovery_code_used", left=left, few=recovery.FEW)
    return True


def use_passkey(sent: str, *, site: Site, challenge: bytes) -> UUID:
    """Check what a browser sent for a challenge, count the use, and return whose passkey it is.

    Raises:
        PasskeyRefused: whatever is wrong; the person is not told what.
    """
    answer = ceremony.read_answer(sent)
    with db.transaction():
        passkey = queries.passkey_locked(answer.credential_id)
        if passkey is None or (answer.user is not None and answer.user != passkey.person_id.bytes):
            raise PasskeyRefused
        verified = ceremony.verify_used(site, answer, challenge=challenge, public_key=passkey.public_key, sign_count=passkey.sign_count)
        passkey.sign_count = verified.new_sign_count
        passkey.is_backed_up = verified.credential_backed_up
        passkey.used_at = clock.now()
        return passkey.person_id


# Apps


def begin_app(person_id: UUID) -> UUID:
    """Make the key of a new authenticator app, which counts once a code confirms it; one that was begun before is thrown away.

    Raises:
        TooManyFactors: they have ten.
    """
    with db.transaction() as session:
        queries.lock_person(person_id)
        if len(queries.apps_of(person_id)) >= MOST_OF_A_KIND:
            raise TooManyFactors(_("You have ten authenticator apps. Remove one first."))
        session.execute(delete(TotpFactor).where(TotpFactor.person_id == person_id, TotpFactor.confirmed_at.is_(None)))
        app = TotpFactor(person_id=person_id, secret=b"")
        session.add(app)
        session.flush()
        app.secret = secrets.seal(totp.new_secret(), where=_place(person_id, app.id))
        session.flush()
        return app.id


def begun_secret(person_id: UUID, factor_id: UUID) -> str:
    """Return the key of an app that is being added, to be shown to its person only.

    Raises:
        NotFound: none is being added, it was begun more than an hour ago, or it is confirmed: then it is never shown again.
    """
    app = queries.begun_app(person_id, factor_id)
    if app is None:
        raise NotFound
    return secrets.unseal(app.secret, where=_place(person_id, app.id))


def confirm_app(tenant_id: UUID, person_id: UUID, factor_id: UUID, written: str, *, by: Actor) -> list[str]:
    """Let an app count, because its code is right; return recovery codes if the person had none, else nothing.

    Raises:
        NotFound: no such app is being added.
        CodeRefused: the code is not the app's.
    """
    with db.transaction(tenant_id):
        app = queries.begun_app(person_id, factor_id, lock=True)
        if app is None:
            raise NotFound
        secret, now_s = secrets.unseal(app.secret, where=_place(person_id, app.id)), clock.now().timestamp()
        code = totp.read_code(written)
        step = totp.matching_step(secret, code, now_s=now_s, after=None) if code else None
        if step is None:
            raise CodeRefused(totp.minutes_off(secret, code, now_s=now_s) if code else 0)
        app.confirmed_at, app.last_step = clock.now(), step
        return _added(tenant_id, person_id, app.id, APP, by=by)


def add_app(person_id: UUID, secret: str) -> None:
    """Give a person an app whose key is known already, for the demo and for tests; nothing is told to anybody."""
    with db.transaction() as session:
        app = TotpFactor(person_id=person_id, secret=b"", confirmed_at=clock.now())
        session.add(app)
        session.flush()
        app.secret = secrets.seal(secret, where=_place(person_id, app.id))


def _place(person_id: UUID, factor_id: UUID) -> str:
    """Where a key belongs: sealed for this row, it opens in no other."""
    return f"totp_factors.secret:{person_id}:{factor_id}"


# Passkeys


def creation_options(person_id: UUID, *, site: Site) -> tuple[dict[str, Any], bytes]:
    """Return what a browser needs to make a passkey for a person, and the challenge to keep.

    Raises:
        TooManyFactors: they have ten.
    """
    person, known = people.get_person(person_id), queries.passkeys_of(person_id)
    if person is None:
        raise NotFound
    if len(known) >= MOST_OF_A_KIND:
        raise TooManyFactors(_("You have ten passkeys. Remove one first."))
    ids = [each.credential_id for each in known]
    return ceremony.creation_options(site, person_id=person_id, account=person.email, name=person.name, known=ids)


def request_options(person_id: UUID | None, *, site: Site) -> tuple[dict[str, Any], bytes]:
    """Return what a browser needs to use a passkey, and the challenge to keep; of this person, or of whoever comes."""
    known = [each.credential_id for each in queries.passkeys_of(person_id)] if person_id else []
    return ceremony.request_options(site, known=known)


def add_passkey(
    tenant_id: UUID, person_id: UUID, sent: str, *, name: str, site: Site, challenge: bytes, by: Actor
) -> list[str]:  # fmt: skip
    """Keep a passkey that a browser made for the challenge; return recovery codes if the person had none, else nothing.

    Raises:
        PasskeyRefused: it does not answer the challenge, or somebody has it already.
    """
    answer: Answer = ceremony.read_answer(sent)
    made = ceremony.verify_created(site, answer, challenge=challenge)
    with db.transaction(tenant_id) as session:
        queries.lock_person(person_id)
        if queries.passkey_locked(made.credential_id) is not None or len(queries.passkeys_of(person_id)) >= MOST_OF_A_KIND:
            raise PasskeyRefused
        passkey = Passkey(
            person_id=person_id,
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            transports=answer.transports,
            aaguid=UUID(made.aaguid),
            name=name,
            is_backed_up=made.credential_backed_up,
        )
        session.add(passkey)
        session.flush()
        return _added(tenant_id, person_id, passkey.id, PASSKEY, by=by)


# Both


def _added(tenant_id: UUID, person_id: UUID, factor_id: UUID, kind: str, *, by: Actor) -> list[str]:
    audit.record(tenant_id, by, "factor.added", factor_id, kind=kind)
    bus.announce(events.FactorAdded(person_id, tenant_id, factor_id, kind))
    tell(person_id, "factor_added", kind=kind)
    return [] if queries.has_codes(person_id) else make_codes(tenant_id, person_id, by=by)


def rename_factor(tenant_id: UUID, person_id: UUID, factor_id: UUID, name: str, *, by: Actor) -> None:
    """Give an app or a passkey another name; an empty one lets pages say what it is.

    Raises:
        NotFound: it is not theirs.
    """
    with db.transaction(tenant_id):
        factor = queries.get_factor(person_id, factor_id)
        if isinstance(factor, TotpFactor):
            factor.label = name
        elif factor is not None:
            factor.name = name
        else:
            raise NotFound
        audit.record(tenant_id, by, "factor.renamed", factor_id, name=name)


def remove_factor(tenant_id: UUID, person_id: UUID, factor_id: UUID, *, by: Actor) -> None:
    """Take an app or a passkey away; with the last one go the recovery codes.

    Raises:
        NotFound: it is not theirs.
        LastFactor: they must have one, and this is the only one.
    """
    with db.transaction(tenant_id) as session:
        queries.lock_person(person_id)
        factor = queries.get_factor(person_id, factor_id)
        if factor is None:
            raise NotFound
        is_last = len(queries.apps_of(person_id)) + len(queries.passkeys_of(person_id)) == 1
        if is_last and must_have(person_id):
            raise LastFactor(_("You must have a second step. Add another one before you remove this one."))
        kind = APP if isinstance(factor, TotpFactor) else PASSKEY
        session.delete(factor)
        if is_last:
            session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
        audit.record(tenant_id, by, "factor.removed", factor_id, kind=kind)
        bus.announce(events.FactorRemoved(person_id, tenant_id, factor_id, kind))
        tell(person_id, "factor_removed", kind=kind)


# Recovery codes


def make_codes(tenant_id: UUID, person_id: UUID, *, by: Actor) -> list[str]:
    """Make ten recovery codes in place of those the person had, and return them: they are never shown again."""
    codes = recovery.new_codes()
    with db.transaction(tenant_id) as session:
        queries.lock_person(person_id)
        is_new = not queries.has_codes(person_id)
        session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
        session.add_all(RecoveryCode(person_id=person_id, hash=recovery.code_hash(person_id, code)) for code in codes)
        audit.record(tenant_id, by, "recovery_codes.made", person_id)
        if not is_new:
            tell(person_id, "recovery_codes_made")
    return codes


# What an organisation asks


def ask_for_factors(tenant_id: UUID, *, is_asked: bool, by: Actor) -> None:
    """Ask everybody of an organisation for a second step, after seven days of grace, or only those who must have one anyway."""
    with db.transaction(tenant_id):
        kept = tenants.security_of(tenant_id)
        wanted = policy.REQUIRED if is_asked else policy.OFF
        if kept.get("factor", policy.OFF) != wanted:
            # Saving the same again must not begin the days of grace anew.
            tenants.save_security(tenant_id, {"factor": wanted, "factor_since": clock.now().isoformat()}, by=by)
