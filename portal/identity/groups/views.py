"""The pages of groups: the list, and one group with its members."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.checks import checkable
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.ids import as_uuid
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity.groups import queries, service
from portal.identity.groups.forms import GroupForm
from portal.identity.members import queries as members
from portal.identity.naming import pair, written

bp = Blueprint("groups", __name__)


@bp.get("/settings/groups")
@requires(Permission.MEMBER_READ)
def listing() -> Response:
    return _list(GroupForm(formdata=None))


@bp.post("/settings/groups")
@requires(Permission.GROUP_EDIT)
@checkable
def create() -> Response:
    here, form = access(), GroupForm()
    if not form.validate():
        return _list(form, form.problems(), 422)
    name, name_ar = pair(form.name.data, form.name_ar.data)
    try:
        group_id = service.add_group(here.tenant_id, name=name, name_ar=name_ar, by=here.actor)
    except Invalid as refused:
        return _list(form, refused.problems, 422)
    except Conflict as refused:
        return _list(form, {"": refused.message}, refused.status)
    return see_other(url_for("groups.show", group_id=group_id))


def _list(form: GroupForm, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    return render("groups/list.html", status=status, groups=queries.every(access().tenant_id), form=form, problems=problems or {})


@bp.get("/settings/groups/<uuid:group_id>")
@requires(Permission.MEMBER_READ)
def show(group_id: UUID) -> Response:
    return _group(group_id)


@bp.post("/settings/groups/<uuid:group_id>")
@requires(Permission.GROUP_EDIT)
@checkable
def rename(group_id: UUID) -> Response:
    here, form = access(), GroupForm()
    queries.get(here.tenant_id, group_id)
    if not form.validate():
        return _group(group_id, form, form.problems(), 422)
    name, name_ar = pair(form.name.data, form.name_ar.data)
    try:
        service.rename_group(here.tenant_id, group_id, name=name, name_ar=name_ar, by=here.actor)
    except Invalid as refused:
        return _group(group_id, form, refused.problems, 422)
    toast(_("The group is renamed."))
    return see_other(url_for("groups.show", group_id=group_id))


@bp.post("/settings/groups/<uuid:group_id>/add")
@requires(Permission.GROUP_EDIT)
def add(group_id: UUID) -> Response:
    here = access()
    queries.get(here.tenant_id, group_id)
    person_id = as_uuid(request.form.get("person"))
    if person_id is None:
        return _group(group_id, None, {"person": _("Choose a member.")}, 422)
    service.add_to_group(here.tenant_id, group_id, person_id, by=here.actor)
    return see_other(url_for("groups.show", group_id=group_id))


@bp.post("/settings/groups/<uuid:group_id>/take")
@requires(Permission.GROUP_EDIT)
def take(group_id: UUID) -> Response:
    here = access()
    person_id = as_uuid(request.form.get("person"))
    if person_id is None:
        raise NotFound
    service.take_from_group(here.tenant_id, group_id, person_id, by=here.actor)
    return see_other(url_for("groups.show", group_id=group_id))


@bp.post("/settings/groups/<uuid:group_id>/delete")
@requires(Permission.GROUP_EDIT)
def delete(group_id: UUID) -> Response:
    here = access()
    service.delete_group(here.tenant_id, group_id, by=here.actor)
    toast(_("The group is deleted; its members stay in the organisation."))
    return see_other(url_for("groups.listing"))


def _group(group_id: UUID, form: GroupForm | None = None, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    here = access()
    group = queries.get(here.tenant_id, group_id)
    inside = queries.members(here.tenant_id, group_id)
    return render(
        "groups/show.html", status=status, group=group, members=inside, problems=problems or {},
        form=form or GroupForm(formdata=None, data=written(group)),
        others=members.choices(here.tenant_id, but=[row.id for row in inside]),
    )  # fmt: skip
