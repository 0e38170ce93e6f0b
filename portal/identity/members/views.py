"""The pages of members: the list with its invitations, and one member."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import paging
from portal.core.access import Permission, access, confirmed, requires
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.render import render, see_other, toast
from portal.i18n import names
from portal.i18n.search import fold
from portal.i18n.words import gettext as _
from portal.identity import lockout, standing
from portal.identity.groups import queries as groups
from portal.identity.invitations import queries as invitations
from portal.identity.members import queries, service
from portal.identity.members.errors import AboveOwn, LastOwner
from portal.identity.members.queries import MemberFilter

bp = Blueprint("members", __name__)
LONGEST_WORDS = 100


@bp.get("/settings/members")
@requires(Permission.MEMBER_READ)
def listing() -> Response:
    here = access()
    words = str(names.tidy(request.args.get("q", "")))[:LONGEST_WORDS]
    roles = standing.every(here.tenant_id)
    role = request.args.get("role", "")
    wanted = MemberFilter(fold(words), role if role in {each.key for each in roles} else "")
    place = paging.read_place(request.args.get("after"), queries.BY_NAME.kind)
    listing = queries.page(here.tenant_id, wanted=wanted, place=place)
    listing = paging.counted(listing, lambda limit: queries.count(here.tenant_id, wanted=wanted, limit=limit))
    return render(
        "members/list.html", listing=listing, words=words, wanted=wanted, roles=roles, place=place,
        waiting=invitations.waiting(here.tenant_id) if here.can(Permission.MEMBER_EDIT) and place is None and wanted == MemberFilter() else [],
    )  # fmt: skip


@bp.get("/settings/members/<uuid:person_id>")
@requires(Permission.MEMBER_READ)
def show(person_id: UUID) -> Response:
    return _member(person_id)


@bp.post("/settings/members/<uuid:person_id>/role")
@requires(Permission.MEMBER_EDIT)
@confirmed
def change_role(person_id: UUID) -> Response:
    here = access()
    queries.get(here.tenant_id, person_id)
    try:
        service.change_role(here, person_id, request.form.get("role", ""))
    except Invalid as refused:
        return _member(person_id, refused.problems, refused.status)
    except (AboveOwn, LastOwner) as refused:
        return _member(person_id, {"role": _why(refused)}, refused.status)
    toast(_("The role is changed; it holds from the member's next click on."))
    return see_other(url_for("members.show", person_id=person_id))


@bp.post("/settings/members/<uuid:person_id>/transfer")
@requires(Permission.MEMBER_EDIT)
@confirmed
def transfer(person_id: UUID) -> Response:
    here = access()
    queries.get(here.tenant_id, person_id)
    try:
        service.transfer(here, person_id)
    except Conflict as refused:
        return _member(person_id, {"": refused.message}, refused.status)
    toast(_("The organisation has another owner; you are an admin now."))
    return see_other(url_for("members.show", person_id=person_id))


@bp.post("/settings/members/<uuid:person_id>/remove")
@requires(Permission.MEMBER_EDIT)
@confirmed
def remove(person_id: UUID) -> Response:
    here = access()
    queries.get(here.tenant_id, person_id)
    try:
        service.remove(here, person_id)
    except Invalid as refused:
        return _member(person_id, refused.problems, refused.status)
    except (AboveOwn, LastOwner) as refused:
        return _member(person_id, {"": _why(refused)}, refused.status)
    toast(_("The member is removed, and signed out of this organisation everywhere."))
    return see_other(url_for("members.listing"))


@bp.post("/settings/members/<uuid:person_id>/sign-out")
@requires(Permission.MEMBER_EDIT)
@confirmed
def sign_out(person_id: UUID) -> Response:
    here = access()
    queries.get(here.tenant_id, person_id)
    try:
        service.sign_out(here, person_id)
    except AboveOwn as refused:
        return _member(person_id, {"": _why(refused)}, refused.status)
    toast(_("The member is signed out of this organisation everywhere."))
    return see_other(url_for("members.show", person_id=person_id))


@bp.post("/settings/members/<uuid:person_id>/unlock")
@requires(Permission.MEMBER_EDIT)
@confirmed
def unlock(person_id: UUID) -> Response:
    lockout.unlock(access(), person_id)
    toast(_("The password counts again."))
    return see_other(url_for("members.show", person_id=person_id))


def _member(person_id: UUID, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    here = access()
    member = queries.get(here.tenant_id, person_id)
    mine = standing.of_person(here.tenant_id, here.person_id)
    if mine is None:
        raise Forbidden
    roles = standing.every(here.tenant_id)
    key = str(member.role_id or member.role)
    # A role that no page gives, such as the house's own, is nobody's to change here.
    theirs = next((each for each in roles if each.key == key), None)
    is_within_reach = theirs is not None and here.can(Permission.MEMBER_EDIT) and mine.may_give(theirs)
    return render(
        "members/show.html", status=status, member=member, theirs=key, problems=problems or {}, is_within_reach=is_within_reach,
        may_have=[each for each in roles if mine.may_give(each)], is_me=person_id == here.person_id,
        can_transfer=mine.role == "owner" and member.role != "owner" and member.is_active,
        groups=groups.of_person(here.tenant_id, person_id),
        lock=lockout.lock_of(here.tenant_id, person_id) if here.can(Permission.MEMBER_EDIT) else None,
    )  # fmt: skip


def _why(refused: AboveOwn | LastOwner) -> str:
    if isinstance(refused, LastOwner):
        return _("An organisation needs an owner. Make somebody else an owner first.")
    return _("This member's role may do more than yours, so only somebody above you changes it.")
