"""The pages of roles: the list, the form of one's own, and the matrix of permissions."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, current_app, request, url_for

from portal.core.access import Permission, access, confirmed, requires
from portal.core.errors import Conflict, Invalid
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity import permissions, standing
from portal.identity.custom_roles import matrix, queries, service
from portal.identity.custom_roles.forms import RoleForm
from portal.identity.members import queries as members
from portal.identity.members.errors import AboveOwn
from portal.identity.models import Role
from portal.identity.naming import written

bp = Blueprint("custom_roles", __name__)


@bp.get("/settings/roles")
@requires(Permission.MEMBER_READ)
def listing() -> Response:
    here = access()
    return render("roles/list.html", roles=standing.every(here.tenant_id), uses=members.roles_in_use(here.tenant_id))


@bp.get("/settings/roles/matrix")
@requires(Permission.MEMBER_READ)
def show_matrix() -> Response:
    by_permission, everybody, outside = matrix.read(current_app)
    return render(
        "roles/matrix.html", roles=standing.every(access().tenant_id), areas=permissions.areas(), said=permissions.said,
        guarded=by_permission, everybody=everybody, outside=outside,
    )  # fmt: skip


@bp.get("/settings/roles/new")
@requires(Permission.ROLE_EDIT)
@confirmed
def new() -> Response:
    return _form(RoleForm(), set())


@bp.post("/settings/roles/new")
@requires(Permission.ROLE_EDIT)
@confirmed
def create() -> Response:
    form, chosen = RoleForm(), set(request.form.getlist("permission"))
    if not form.validate():
        return _form(form, chosen, problems=form.problems(), status=422)
    try:
        service.add_role(access(), form.draft())
    except Invalid as refused:
        return _form(form, chosen, problems=refused.problems, status=422)
    except Conflict as refused:
        return _form(form, chosen, problems={"": refused.message}, status=refused.status)
    toast(_("The role is there. Give it to members on their page."))
    return see_other(url_for("custom_roles.listing"))


@bp.get("/settings/roles/<uuid:role_id>")
@requires(Permission.ROLE_EDIT)
@confirmed
def edit(role_id: UUID) -> Response:
    role = queries.get(access().tenant_id, role_id)
    return _form(RoleForm(data={**written(role), "description": role.description}), set(role.permissions), role=role)


@bp.post("/settings/roles/<uuid:role_id>")
@requires(Permission.ROLE_EDIT)
@confirmed
def save(role_id: UUID) -> Response:
    here = access()
    role = queries.get(here.tenant_id, role_id)
    form, chosen = RoleForm(), set(request.form.getlist("permission"))
    if not form.validate():
        return _form(form, chosen, role=role, problems=form.problems(), status=422)
    try:
        service.change_role(here, role_id, form.draft())
    except Invalid as refused:
        return _form(form, chosen, role=role, problems=refused.problems, status=422)
    except AboveOwn as refused:
        return _form(form, chosen, role=role, problems={"": _above_own()}, status=refused.status)
    toast(_("The role is changed; it holds for its members from their next click on."))
    return see_other(url_for("custom_roles.listing"))


@bp.post("/settings/roles/<uuid:role_id>/delete")
@requires(Permission.ROLE_EDIT)
@confirmed
def delete(role_id: UUID) -> Response:
    here = access()
    role = queries.get(here.tenant_id, role_id)
    data = RoleForm(formdata=None, data={**written(role), "description": role.description})
    try:
        service.delete_role(here, role_id, move_to=request.form.get("role"))
    except Invalid as refused:
        return _form(data, set(role.permissions), role=role, problems=refused.problems, status=422)
    except AboveOwn as refused:
        return _form(data, set(role.permissions), role=role, problems={"": _above_own()}, status=refused.status)
    toast(_("The role is deleted."))
    return see_other(url_for("custom_roles.listing"))


def _form(
    form: RoleForm, chosen: set[str], *, role: Role | None = None, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    here = access()
    mine = standing.of_person(here.tenant_id, here.person_id)
    others = [
        each for each in standing.every(here.tenant_id) if mine and mine.may_give(each) and each.role_id != (role.id if role else None)
    ]
    return render(
        "roles/form.html", status=status, form=form, chosen=chosen, role=role, problems=problems or {}, areas=permissions.areas(),
        said=permissions.said, uses=queries.count_uses(here.tenant_id, role.id) if role else 0, others=others,
        is_above=role is not None and not set(role.permissions) <= here.permissions,
    )  # fmt: skip


def _above_own() -> str:
    return _("This role may do more than your own, so only somebody above you changes it.")
