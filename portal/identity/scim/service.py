"""The verbs of SCIM: tokens, users and groups of one organisation's directory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db, secrets
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.i18n.names import problem, tidy
from portal.i18n.words import gettext as _
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.models import Membership, Person
from portal.identity.scim import patching, queries
from portal.identity.scim.errors import ScimRefused
from portal.identity.scim.models import GROUP_ROLES, ScimGroup, ScimGroupMember, ScimToken, ScimUser
from portal.identity.scim.patching import GROUP_ATTRIBUTES, USER_ATTRIBUTES, Document
from portal.identity.sso import domains
from portal.identity.sso import service as sso

PREFIX = "nasij_scim_"
TOKEN_DAYS = 365
MOST_TOKENS = 5
STRANGER_DOMAIN = "The domain of this address is not proven for the organisation. Prove it in the settings first."
OWNER_STAYS = "Owners are not managed by the directory. Change their role in the settings first."


def make_token(tenant_id: UUID, *, by: Actor) -> str:
    """Make a token for the directory and return it: the only time that it is shown. It lives for a year.

    Raises:
        Conflict: there are five already.
    """
    token = f"{PREFIX}{tenant_id.hex}_{secrets.new_token()}"
    with db.transaction(tenant_id) as session:
        if len(queries.list_tokens(tenant_id)) >= MOST_TOKENS:
            raise Conflict(_("There are 5 tokens already. Delete one first."))
        row = ScimToken(tenant_id=tenant_id, token_hash=secrets.token_hash(token), expires_at=clock.now() + timedelta(days=TOKEN_DAYS))
        session.add(row)
        session.flush()
        audit.record(tenant_id, by, "scim_token.made", row.id)
    return token


def delete_token(tenant_id: UUID, token_id: UUID, *, by: Actor) -> None:
    """End a token at once.

    Raises:
        NotFound: no such token in this tenant.
    """
    with db.transaction(tenant_id) as session:
        row = session.get(ScimToken, token_id)
        if row is None or row.tenant_id != tenant_id:
            raise NotFound
        session.delete(row)
        audit.record(tenant_id, by, "scim_token.deleted", token_id)


def enter(token: str) -> tuple[UUID, Actor]:
    """Enter the tenant whose directory proves itself with this token, and return it with who acts.

    Raises:
        ScimRefused: the token is not good (401).
    """
    refused = ScimRefused("The bearer token is not known, has expired, or was deleted.", status=401)
    tenant, _line, secret = token.removeprefix(PREFIX).partition("_")
    if not token.startswith(PREFIX) or len(tenant) != 32 or not secret or not token.isascii() or len(token) > 200:
        raise refused
    try:
        tenant_id = UUID(tenant)
    except ValueError:
        raise refused from None
    with db.transaction() as session:
        is_active = session.scalar(text("select status = 'active' from tenants where id = :id"), {"id": tenant_id})
        if not is_active:
            raise refused
        db.enter_tenant(tenant_id)
        row = queries.find_token(tenant_id, secrets.token_hash(token))
        if row is None:
            raise refused
        if row.used_at is None or clock.now() - row.used_at > timedelta(minutes=1):
            row.used_at = clock.now()
    return tenant_id, Actor("directory", row.id)


def set_group_role(tenant_id: UUID, group_id: UUID, role: str | None, *, by: Actor) -> None:
    """Say which role a group gives, or none; its members have it at once.

    Raises:
        NotFound: no such group in this tenant.
        Invalid: no group can give this role.
    """
    if role is not None and role not in GROUP_ROLES:
        raise Invalid({"role": _("Choose one of the values.")})
    with db.transaction(tenant_id) as session:
        group = queries.get_group(tenant_id, group_id, lock=True)
        if group is None:
            raise NotFound
        group.role = role
        session.flush()
        _give_roles(tenant_id, queries.members_of(tenant_id, [group_id])[group_id], by)
        audit.record(tenant_id, by, "scim_group.role_set", group_id, role=role or "")


def add_user(tenant_id: UUID, document: Document, *, by: Actor) -> ScimUser:
    """Add a user of the directory: the member with that address, or somebody new of a proven domain.

    Raises:
        ScimRefused: the user is there already (409), has no address, or one of a domain that is not proven.
    """
    try:
        with db.transaction(tenant_id):
            return _add_user(tenant_id, document, by)
    except IntegrityError:
        raise ScimRefused("The user is there already.", status=409, kind="uniqueness") from None


def _add_user(tenant_id: UUID, document: Document, by: Actor) -> ScimUser:
    session, key = db.session(), identity.email_key(document["userName"])
    known = queries.find_user(tenant_id, key)
    if known is not None and known.deleted_at is None:
        raise ScimRefused("The user is there already.", status=409, kind="uniqueness")
    active = document.setdefault("active", True)
    if known is not None:
        known.deleted_at, known.attributes, known.external_id = None, document, document.get("externalId")
        session.flush()
        _set_active(known, active, by)
        audit.record(tenant_id, by, "scim_user.added", known.id)
        return known
    person = _person_for(tenant_id, document)
    if queries.user_of_person(tenant_id, person.id) is not None:
        raise ScimRefused("Another user of the directory has this address.", status=409, kind="uniqueness")
    membership = queries.membership(tenant_id, person.id)
    user = ScimUser(
        tenant_id=tenant_id, person_id=person.id, user_key=key, external_id=document.get("externalId"), attributes=document,
        active=membership is not None, role=membership.role if membership else "member",
    )  # fmt: skip
    session.add(user)
    session.flush()
    _set_active(user, active, by)
    audit.record(tenant_id, by, "scim_user.added", user.id)
    return user


def _person_for(tenant_id: UUID, document: Document) -> Person:
    email = patching.address_of(document)
    domain = domains.domain_of(email)
    if not domain or len(email) > 320:
        raise ScimRefused("The user has no e-mail address.", kind="invalidValue")
    person = people.find_person(identity.email_key(email))
    if person is not None and queries.membership(tenant_id, person.id) is not None:
        return person
    # Whoever is not a member yet is somebody of this organisation only if it owns the address.
    if not sso.speaks_for(tenant_id, domain):
        raise ScimRefused(STRANGER_DOMAIN, kind="invalidValue")
    if person is None:
        name = tidy(patching.name_of(document))[:120]
        person = Person(
            email=email.strip(), email_key=identity.email_key(email), name=name if name and not problem(name) else email.partition("@")[0],
            name_ar=None, password_hash=None, locale=_language(document),
        )  # fmt: skip
        db.session().add(person)
        db.session().flush()
    return person


def _language(document: Document) -> str | None:
    tag = str(document.get("preferredLanguage") or document.get("locale") or "").lower()[:2]
    return tag if tag in ("ar", "en") else None


def change_user(tenant_id: UUID, user_id: UUID, body: Any, *, is_whole: bool, by: Actor) -> ScimUser:
    """Change a user by a PATCH, or write it whole. Who they are here, their name and address stay: those are the person's.

    Raises:
        ScimRefused: no such user (404), or the change is not right.
    """
    try:
        with db.transaction(tenant_id) as session:
            user = _user(tenant_id, user_id)
            document = patching.read_user(body) if is_whole else patching.patch(user.attributes, body, USER_ATTRIBUTES)
            if not document.get("userName"):
                raise ScimRefused("userName is missing.", kind="invalidValue")
            active = document.setdefault("active", True if is_whole else user.active)
            user.attributes, user.external_id = document, document.get("externalId")
            user.user_key = identity.email_key(document["userName"])
            session.flush()
            _set_active(user, active, by)
            audit.record(tenant_id, by, "scim_user.changed", user.id, active=active)
            return user
    except IntegrityError:
        raise ScimRefused("Another user has this userName.", status=409, kind="uniqueness") from None


def delete_user(tenant_id: UUID, user_id: UUID, *, by: Actor) -> None:
    """Take a user out of the directory: the person loses this organisation at once, and no other.

    Raises:
        ScimRefused: no such user (404), or an owner (403).
    """
    with db.transaction(tenant_id) as session:
        user = _user(tenant_id, user_id)
        _set_active(user, False, by)
        user.deleted_at, user.attributes = clock.now(), {**user.attributes, "active": False}
        session.execute(delete(ScimGroupMember).where(ScimGroupMember.tenant_id == tenant_id, ScimGroupMember.user_id == user_id))
        audit.record(tenant_id, by, "scim_user.deleted", user_id)


def _user(tenant_id: UUID, user_id: UUID) -> ScimUser:
    user = queries.get_user(tenant_id, user_id, lock=True)
    if user is None:
        raise ScimRefused("There is no such user.", status=404)
    return user


def _set_active(user: ScimUser, active: bool, by: Actor) -> None:
    """Make a user a member, or end that in this transaction: sessions, connections and role go with the membership."""
    membership = queries.membership(user.tenant_id, user.person_id)
    if active and membership is None:
        _admit(user, by)
    elif not active and membership is not None:
        if membership.role == "owner":
            raise ScimRefused(OWNER_STAYS, status=403)
        _expel(user, membership, by)
    user.active = active
    db.session().flush()


def _admit(user: ScimUser, by: Actor) -> None:
    role = _granted(user.tenant_id, user.id)
    user.role_is_granted = role is not None
    user.role = role or (user.role if user.role in GROUP_ROLES else "member")
    identity.add_member(user.tenant_id, user.person_id, user.role, by=by)
    db.session().flush()
    bus.announce(events.MemberProvisioned(user.tenant_id, user.person_id, "scim"))


def _expel(user: ScimUser, membership: Membership, by: Actor) -> None:
    user.role = membership.role
    session = db.session()
    session.delete(membership)
    session.execute(text("delete from sessions where person_id = :person and tenant_id = :tenant"),
                    {"person": user.person_id, "tenant": user.tenant_id})  # fmt: skip
    session.flush()
    audit.record(user.tenant_id, by, "member.removed", user.person_id, role=user.role)
    bus.announce(events.MemberDeprovisioned(user.tenant_id, user.person_id, "scim"))


def _granted(tenant_id: UUID, user_id: UUID) -> str | None:
    roles = {group.role for group in queries.groups_of(tenant_id, [user_id])[user_id]}
    return next((role for role in GROUP_ROLES if role in roles), None)


def _give_roles(tenant_id: UUID, user_ids: Iterable[UUID], by: Actor) -> None:
    """Give each of these users the role of their groups; a role that no group gave stays as people made it."""
    wanted = list(user_ids)
    groups = queries.groups_of(tenant_id, wanted)
    for user_id in sorted(wanted):
        user = queries.get_user(tenant_id, user_id, lock=True)
        if user is None:
            continue
        roles = {group.role for group in groups[user_id]}
        role = next((each for each in GROUP_ROLES if each in roles), None)
        if role is None and not user.role_is_granted:
            continue
        user.role_is_granted, user.role = role is not None, role or "member"
        membership = queries.membership(tenant_id, user.person_id)
        if membership is not None and membership.role not in ("owner", user.role):
            before = membership.role
            membership.role = user.role
            audit.record(tenant_id, by, "member.role_changed", user.person_id, before=before, after=user.role)
    db.session().flush()


def add_group(tenant_id: UUID, document: Document, *, by: Actor) -> ScimGroup:
    """Add a group of the directory; it gives no role until somebody here says so.

    Raises:
        ScimRefused: a group of that name is there (409), or a member is no user.
    """
    try:
        with db.transaction(tenant_id) as session:
            group = ScimGroup(tenant_id=tenant_id)
            _write_group(group, document)
            session.add(group)
            session.flush()
            _set_members(group, document.get("members", []), by)
            audit.record(tenant_id, by, "scim_group.added", group.id)
            return group
    except IntegrityError:
        raise ScimRefused("A group of that name is there already.", status=409, kind="uniqueness") from None


def _write_group(group: ScimGroup, document: Document) -> None:
    if not document.get("displayName"):
        raise ScimRefused("displayName is missing.", kind="invalidValue")
    group.name, group.external_id = document["displayName"], document.get("externalId")
    group.name_key = identity.email_key(group.name)


def _set_members(group: ScimGroup, members: list[str], by: Actor) -> None:
    session, wanted = db.session(), {UUID(each) for each in members}
    before = set(queries.members_of(group.tenant_id, [group.id])[group.id])
    if wanted - queries.known_users(group.tenant_id, wanted):
        raise ScimRefused("A member is not a user of this directory.", kind="invalidValue")
    if gone := before - wanted:
        rows = delete(ScimGroupMember).where(ScimGroupMember.tenant_id == group.tenant_id, ScimGroupMember.group_id == group.id)
        session.execute(rows.where(ScimGroupMember.user_id.in_(gone)))
    session.add_all(ScimGroupMember(tenant_id=group.tenant_id, group_id=group.id, user_id=each) for each in wanted - before)
    session.flush()
    _give_roles(group.tenant_id, before ^ wanted, by)


def change_group(tenant_id: UUID, group_id: UUID, body: Any, *, is_whole: bool, by: Actor) -> ScimGroup:
    """Change a group by a PATCH, or write it whole.

    Raises:
        ScimRefused: no such group (404), or the change is not right.
    """
    try:
        with db.transaction(tenant_id) as session:
            group = queries.get_group(tenant_id, group_id, lock=True)
            if group is None:
                raise ScimRefused("There is no such group.", status=404)
            members = [str(each) for each in queries.members_of(tenant_id, [group_id])[group_id]]
            now: Document = {"displayName": group.name, "externalId": group.external_id, "members": members}
            document = patching.read_group(body) if is_whole else patching.patch(now, body, GROUP_ATTRIBUTES)
            _write_group(group, document)
            session.flush()
            _set_members(group, document.get("members", []), by)
            audit.record(tenant_id, by, "scim_group.changed", group_id)
            return group
    except IntegrityError:
        raise ScimRefused("A group of that name is there already.", status=409, kind="uniqueness") from None


def delete_group(tenant_id: UUID, group_id: UUID, *, by: Actor) -> None:
    """Delete a group; the role that it gave goes with it.

    Raises:
        ScimRefused: no such group (404).
    """
    with db.transaction(tenant_id) as session:
        group = queries.get_group(tenant_id, group_id, lock=True)
        if group is None:
            raise ScimRefused("There is no such group.", status=404)
        members = queries.members_of(tenant_id, [group_id])[group_id]
        session.delete(group)
        session.flush()
        _give_roles(tenant_id, members, by)
        audit.record(tenant_id, by, "scim_group.deleted", group_id)
