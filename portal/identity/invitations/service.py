"""The verbs of invitations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import Access, Actor, Permission
from portal.core.errors import Conflict, Invalid
from portal.core.secrets import new_token, token_hash
from portal.i18n import formats
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext
from portal.identity import blocklist, mailbox, naming, queries, standing
from portal.identity import service as identity
from portal.identity.invitations import queries as invitations
from portal.identity.invitations.errors import AccountThere, InvitationSpent, WrongPerson
from portal.identity.invitations.models import Invitation
from portal.identity.members import service as members
from portal.identity.models import Person
from portal.identity.passwords import hash_password
from portal.mail import service as mail
from portal.tenants import service as tenants

VALID_FOR = timedelta(days=7)
MOST_AT_ONCE = 50
MOST_A_DAY = 200
RESENDS_A_DAY = 3
SHOWN_ADDRESSES = 5


def invite(here: Access, addresses: str, role_key: str, locale: str) -> list[UUID]:
    """Ask people into the organisation, all of the addresses or none; return the invitations.

    Args:
        addresses: as they were pasted: parted by blanks, commas or lines.
        role_key: a built-in role, or the id of the organisation's own.
        locale: the language of the mail.

    Raises:
        Invalid: `.problems` says which addresses cannot be asked, and what is wrong with the role.
        Forbidden: who asks may not do it any more.
    """
    wanted = mailbox.listed(addresses)
    problems = _wrong_addresses(wanted)
    with db.transaction(here.tenant_id):
        giver = standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        by_key = {} if problems else {identity.email_key(mailbox.plain_address(each) or each): each for each in wanted}
        problems = problems or _known_addresses(here.tenant_id, by_key)
        try:
            role = standing.given(giver, here.tenant_id, role_key)
        except Invalid as refused:
            problems |= refused.problems
        if problems:
            raise Invalid(problems)
        old = invitations.open_ones(here.tenant_id, by_key)
        for invitation in old.values():  # too old: `_known_addresses` has refused the others
            invitation.revoked_at = db.session().scalar(func.clock_timestamp())
        db.session().flush()
        return [_send(here, mailbox.plain_address(each) or each, key, role, locale) for key, each in by_key.items()]


def _wrong_addresses(wanted: list[str]) -> dict[str, str]:
    if not wanted:
        return {"addresses": _("Enter an e-mail address.")}
    if len(wanted) > MOST_AT_ONCE:
        return {"addresses": _("Enter at most %(number)s addresses at once.", number=formats.number(MOST_AT_ONCE))}
    wrong = [each for each in wanted if mailbox.plain_address(each) is None]
    if wrong:
        said = ngettext("This is not an e-mail address: %(addresses)s", "These are not e-mail addresses: %(addresses)s", len(wrong),
                        addresses=_shown(wrong))  # fmt: skip
        return {"addresses": said}
    return {}


def _known_addresses(tenant_id: UUID, by_key: dict[str, str]) -> dict[str, str]:
    there = invitations.members_among(tenant_id, by_key)
    if there:
        return {"addresses": _("Already a member: %(addresses)s", addresses=_shown([by_key[key] for key in by_key if key in there]))}
    asked = [key for key, each in invitations.open_ones(tenant_id, by_key).items() if each.expires_at > clock.now()]
    if asked:
        said = _("Already invited: %(addresses)s. The list below sends the mail again.", addresses=_shown([by_key[key] for key in asked]))
        return {"addresses": said}
    if invitations.sent_today(tenant_id) + len(by_key) > MOST_A_DAY:
        return {"addresses": _("At most %(number)s invitations are sent in a day. Try again tomorrow.", number=formats.number(MOST_A_DAY))}
    return {}


def _shown(addresses: list[str]) -> str:
    listed = ["".join(mark for mark in each if mark.isprintable())[:100] for each in addresses[:SHOWN_ADDRESSES]]
    return formats.listed_plain(listed) + (" …" if len(addresses) > SHOWN_ADDRESSES else "")


def _send(here: Access, email: str, key: str, role: standing.Standing, locale: str) -> UUID:
    session, token = db.session(), new_token()
    invitation = Invitation(
        tenant_id=here.tenant_id, token_hash=token_hash(token), email=email, email_key=key, role=role.role, role_id=role.role_id,
        locale=locale, invited_by=here.person_id, expires_at=_end(),
    )  # fmt: skip
    session.add(invitation)
    session.flush()
    _post(invitation, here, token)
    audit.record(here.tenant_id, here.actor, "member.invited", invitation.id, email=email, role=role.role, role_id=str(role.role_id or ""))
    bus.announce(events.PersonInvited(here.tenant_id, invitation.id, here.person_id))
    return invitation.id


def _end() -> datetime:
    return db.session().execute(select(func.clock_timestamp() + VALID_FOR)).scalar_one()


def _post(invitation: Invitation, here: Access, token: str) -> None:
    mail.post(
        invitation.email, "invitation", locale=invitation.locale, tenant_id=here.tenant_id, organisation=here.tenant_name,
        organisation_ar=here.tenant_name_ar, sender=here.person_name, sender_ar=here.person_name_ar, days=VALID_FOR.days,
        link=f"/invitation?in={here.tenant_id.hex}&token={token}",
    )  # fmt: skip


def resend(here: Access, invitation_id: UUID) -> None:
    """Mail an invitation again, with a new link for another seven days; the old link is dead.

    Raises:
        NotFound: no such invitation waits.
        Conflict: it was sent again three times in 24 hours, or the role is above one's own; the sentence says which.
    """
    with db.transaction(here.tenant_id):
        giver = standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        invitation = invitations.get(here.tenant_id, invitation_id, lock=True)
        role = standing.of_key(here.tenant_id, str(invitation.role_id) if invitation.role_id else invitation.role)
        if role is None or not giver.may_give(role):
            raise Conflict(_("This role may do more than your own. Choose another."))
        a_day_ago = (clock.now() - timedelta(days=1)).isoformat()
        lately = [at for at in invitation.resent if at > a_day_ago]
        if len(lately) >= RESENDS_A_DAY or invitations.sent_today(here.tenant_id) >= MOST_A_DAY:
            raise Conflict(_("This was sent again three times today. Try again tomorrow."))
        token = new_token()
        invitation.token_hash, invitation.expires_at, invitation.invited_by = token_hash(token), _end(), here.person_id
        invitation.resent = [*lately, clock.now().isoformat()]
        _post(invitation, here, token)
        audit.record(here.tenant_id, here.actor, "invitation.resent", invitation_id)


def revoke(here: Access, invitation_id: UUID) -> None:
    """Withdraw an invitation: its link is dead.

    Raises:
        NotFound: no such invitation waits.
    """
    with db.transaction(here.tenant_id) as session:
        standing.acting(here.tenant_id, here.person_id, Permission.MEMBER_EDIT)
        invitation = invitations.get(here.tenant_id, invitation_id, lock=True)
        invitation.revoked_at = session.scalar(func.clock_timestamp())
        audit.record(here.tenant_id, here.actor, "invitation.revoked", invitation_id)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page of an invitation shows: who asks whom into which organisation, and whether the address has an account."""

    tenant_id: UUID
    email: str
    email_key: str
    organisation: Any
    sender: Any
    has_account: bool


def look_up(tenant_id: UUID | None, token: str) -> Opened:
    """Return what a link opens; asking uses nothing up.

    Raises:
        InvitationSpent: it opens nothing.
    """
    if tenant_id is None:
        raise InvitationSpent
    # Of its own: nobody may be signed in, and whoever is works in another tenant.
    with db.unit_of_work(tenant_id) as session:
        invitation = _valid(tenant_id, token)
        return Opened(
            tenant_id, invitation.email, invitation.email_key, tenants.get(tenant_id), session.get_one(Person, invitation.invited_by),
            queries.find_person(invitation.email_key) is not None,
        )  # fmt: skip


def _valid(tenant_id: UUID, token: str, *, lock: bool = False) -> Invitation:
    """Return the invitation of a link, if the organisation is active and who sent it may still give its role."""
    invitation = invitations.of_token(tenant_id, token_hash(token), lock=lock)
    if invitation is None or tenants.get(tenant_id).status != "active":
        raise InvitationSpent
    giver = standing.of_person(tenant_id, invitation.invited_by)
    role = standing.of_key(tenant_id, str(invitation.role_id) if invitation.role_id else invitation.role)
    if giver is None or role is None or Permission.MEMBER_EDIT not in giver.permissions or not giver.may_give(role):
        raise InvitationSpent
    return invitation


def join(tenant_id: UUID, token: str, person_id: UUID) -> None:
    """Make a signed-in person a member, as the invitation says.

    Raises:
        InvitationSpent: it opens nothing.
        WrongPerson: it is for another address.
    """
    with db.unit_of_work(tenant_id), db.transaction() as session:
        tenants.locked(tenant_id)
        invitation = _valid(tenant_id, token, lock=True)
        person = session.get_one(Person, person_id)
        if person.email_key != invitation.email_key:
            raise WrongPerson
        _accept(invitation, person)


def join_new(tenant_id: UUID, token: str, *, name: str, name_ar: str | None, password: str, locale: str) -> UUID:
    """Make an account for the address of the invitation, and its owner a member; return the person. The link proves the address.

    Raises:
        InvitationSpent: it opens nothing.
        AccountThere: the address has an account.
        Invalid: the password may not be used; the link still stands.
    """
    opened = look_up(tenant_id, token)
    if opened.has_account:
        raise AccountThere
    words = [name, name_ar, opened.email, opened.organisation.name, opened.organisation.name_ar]
    if problems := blocklist.problems_of(password, words=[word for word in words if word]):
        raise Invalid({"password": problems[0]})
    hashed = hash_password(password)
    try:
        with db.unit_of_work(tenant_id), db.transaction() as session:
            tenants.locked(tenant_id)
            invitation = _valid(tenant_id, token, lock=True)
            kept, kept_ar = naming.pair(name, name_ar)
            person = Person(
                email=invitation.email, email_key=invitation.email_key, name=kept, name_ar=kept_ar, password_hash=hashed, locale=locale,
                password_changed_at=session.scalar(func.clock_timestamp()),
            )  # fmt: skip
            session.add(person)
            session.flush()
            _accept(invitation, person)
            bus.announce(events.SignedIn(person.id, tenant_id))
            return person.id
    except IntegrityError:
        raise AccountThere from None  # made a moment ago, by a registration or another invitation


def _accept(invitation: Invitation, person: Person) -> None:
    """Use the invitation up. Who is a member already stays what they are."""
    invitation.accepted_at = db.session().scalar(func.clock_timestamp())
    members.enrol(
        invitation.tenant_id,
        person.id,
        invitation.role,
        invitation.role_id,
        by=Actor("person", person.id),
        invited_by=invitation.invited_by,
    )
