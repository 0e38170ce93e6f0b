"""The addresses that a directory calls: JSON as RFC 7643 and 7644 write it, proven by a bearer token."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from portal.core.access import Actor, for_programs
from portal.core.config import current_settings
from portal.identity import service as identity
from portal.identity.scim import patching, queries, service
from portal.identity.scim.errors import ScimRefused
from portal.identity.scim.models import ScimGroup, ScimUser
from portal.identity.scim.patching import ENTERPRISE, GROUP, USER, Filter
from portal.identity.scim.schemas import RESOURCE_TYPES, SCHEMAS, SERVICE

View = TypeVar("View", bound=Callable[..., Any])
bp = Blueprint("scim", __name__, url_prefix="/scim/v2")
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MOST_ROWS, USUAL_ROWS = 200, 100


def for_directory(view: View) -> View:
    """Let the directory of an organisation in, by its token; `g.directory` is (tenant, actor)."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        scheme, _blank, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise ScimRefused("A bearer token is needed.", status=401)
        g.directory = service.enter(token.strip())
        return view(*args, **kwargs)

    return for_programs("proven by the bearer token of the organisation's directory")(guarded)  # type: ignore[return-value]  # wraps() keeps it


def _tenant() -> UUID:
    tenant_id: UUID = g.directory[0]
    return tenant_id


def _by() -> Actor:
    actor: Actor = g.directory[1]
    return actor


@bp.errorhandler(ScimRefused)
def refuse(refused: ScimRefused) -> Response:
    body: dict[str, Any] = {"schemas": [ERROR], "status": str(refused.http_status), "detail": refused.message}
    if refused.kind:
        body["scimType"] = refused.kind
    answer = _answer(body, status=refused.http_status)
    if refused.http_status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="scim"'
    return answer


@bp.errorhandler(HTTPException)
def refuse_http(refused: HTTPException) -> Response:
    return refuse(ScimRefused(refused.description or refused.name, status=refused.code or 500))


def _answer(body: Any, *, status: int = 200, location: str = "") -> Response:
    answer = Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/scim+json")
    answer.headers["Cache-Control"] = "no-store"
    if location:
        answer.headers["Location"] = location
    return answer


def _body() -> Any:
    if request.mimetype not in ("application/scim+json", "application/json"):
        raise ScimRefused("The body must be application/scim+json.", status=415)
    try:
        return json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise ScimRefused("The body is not JSON.", kind="invalidSyntax") from None


def _page() -> tuple[int, int]:
    """Return how many rows to leave out, and how many to give."""
    found = []
    for name, usual in (("startIndex", 1), ("count", USUAL_ROWS)):
        written = request.args.get(name, str(usual))
        try:
            found.append(int(written[:12]))
        except ValueError:
            raise ScimRefused(f"{name} must be a whole number.", kind="invalidValue") from None
    return min(max(found[0] - 1, 0), 1_000_000), min(max(found[1], 0), MOST_ROWS)


def _list(rows: list[Any], total: int, start: int) -> Response:
    body = {"schemas": [LIST], "totalResults": total, "startIndex": start + 1, "itemsPerPage": len(rows), "Resources": rows}
    return _answer(body)


def _address(kind: str, row_id: UUID) -> str:
    return f"{current_settings().public_url.rstrip('/')}/scim/v2/{kind}/{row_id}"


def _meta(kind: str, row: ScimUser | ScimGroup) -> dict[str, str]:
    times = {"created": row.created_at.isoformat(), "lastModified": row.updated_at.isoformat()}
    return {"resourceType": kind, **times, "location": _address(f"{kind}s", row.id)}


def _users(rows: list[ScimUser]) -> list[dict[str, Any]]:
    groups = queries.groups_of(_tenant(), [row.id for row in rows])
    return [_user(row, groups[row.id]) for row in rows]


def _user(row: ScimUser, groups: list[ScimGroup]) -> dict[str, Any]:
    schemas = [USER, ENTERPRISE] if ENTERPRISE in row.attributes else [USER]
    listed = [{"value": str(each.id), "display": each.name, "$ref": _address("Groups", each.id)} for each in groups]
    return {"schemas": schemas, "id": str(row.id), **row.attributes, "active": row.active, "groups": listed, "meta": _meta("User", row)}


def _groups(rows: list[ScimGroup]) -> list[dict[str, Any]]:
    # Entra ID asks without the members, which may be thousands.
    is_short = "members" in request.args.get("excludedAttributes", "")
    members = {} if is_short else queries.members_of(_tenant(), [row.id for row in rows])
    found = []
    for row in rows:
        group: dict[str, Any] = {"schemas": [GROUP], "id": str(row.id), "displayName": row.name, "meta": _meta("Group", row)}
        if row.external_id:
            group["externalId"] = row.external_id
        if not is_short:
            group["members"] = [{"value": str(each), "$ref": _address("Users", each)} for each in members[row.id]]
        found.append(group)
    return found


@bp.get("/ServiceProviderConfig")
@for_directory
def service_provider_config() -> Response:
    return _answer(SERVICE)


@bp.get("/Schemas")
@for_directory
def schemas() -> Response:
    return _list(SCHEMAS, len(SCHEMAS), 0)


@bp.get("/Schemas/<urn>")
@for_directory
def schema(urn: str) -> Response:
    return _one(SCHEMAS, urn)


@bp.get("/ResourceTypes")
@for_directory
def resource_types() -> Response:
    return _list(RESOURCE_TYPES, len(RESOURCE_TYPES), 0)


@bp.get("/ResourceTypes/<urn>")
@for_directory
def resource_type(urn: str) -> Response:
    return _one(RESOURCE_TYPES, urn)


def _one(things: list[dict[str, Any]], name: str) -> Response:
    found = next((each for each in things if each["id"] == name), None)
    if found is None:
        raise ScimRefused("There is no such thing.", status=404)
    return _answer(found)


@bp.get("/Users")
@for_directory
def list_users() -> Response:
    wanted = patching.read_filter(request.args.get("filter"), ("userName", "externalId"))
    start, count = _page()
    chosen: dict[str, Any] = {"attribute": wanted.attribute, "value": _folded(wanted)} if wanted else {}
    rows = queries.list_users(_tenant(), **chosen, start=start, count=count)
    return _list(_users(rows), queries.count_users(_tenant(), **chosen), start)


def _folded(wanted: Filter) -> str:
    return identity.email_key(wanted.value) if wanted.attribute in ("userName", "displayName") else wanted.value


@bp.post("/Users")
@for_directory
def add_user() -> Response:
    row = service.add_user(_tenant(), patching.read_user(_body()), by=_by())
    return _answer(_users([row])[0], status=201, location=_address("Users", row.id))


@bp.get("/Users/<uuid:user_id>")
@for_directory
def get_user(user_id: UUID) -> Response:
    row = queries.get_user(_tenant(), user_id)
    if row is None:
        raise ScimRefused("There is no such user.", status=404)
    return _answer(_users([row])[0])


@bp.put("/Users/<uuid:user_id>")
@for_directory
def write_user(user_id: UUID) -> Response:
    return _answer(_users([service.change_user(_tenant(), user_id, _body(), is_whole=True, by=_by())])[0])


@bp.patch("/Users/<uuid:user_id>")
@for_directory
def patch_user(user_id: UUID) -> Response:
    return _answer(_users([service.change_user(_tenant(), user_id, _body(), is_whole=False, by=_by())])[0])


@bp.delete("/Users/<uuid:user_id>")
@for_directory
def delete_user(user_id: UUID) -> Response:
    service.delete_user(_tenant(), user_id, by=_by())
    return Response(status=204)


@bp.get("/Groups")
@for_directory
def list_groups() -> Response:
    wanted = patching.read_filter(request.args.get("filter"), ("displayName", "externalId"))
    start, count = _page()
    if wanted is None:
        rows = queries.list_groups(_tenant(), start=start, count=count)
        return _list(_groups(rows), queries.count_groups(_tenant()), start)
    value = _folded(wanted)
    is_name = wanted.attribute == "displayName"
    rows = queries.list_groups(_tenant(), name_key=value if is_name else None, external_id=None if is_name else value)
    return _list(_groups(rows[start : start + count]), len(rows), start)


@bp.post("/Groups")
@for_directory
def add_group() -> Response:
    row = service.add_group(_tenant(), patching.read_group(_body()), by=_by())
    return _answer(_groups([row])[0], status=201, location=_address("Groups", row.id))


@bp.get("/Groups/<uuid:group_id>")
@for_directory
def get_group(group_id: UUID) -> Response:
    row = queries.get_group(_tenant(), group_id)
    if row is None:
        raise ScimRefused("There is no such group.", status=404)
    return _answer(_groups([row])[0])


@bp.put("/Groups/<uuid:group_id>")
@for_directory
def write_group(group_id: UUID) -> Response:
    return _answer(_groups([service.change_group(_tenant(), group_id, _body(), is_whole=True, by=_by())])[0])


@bp.patch("/Groups/<uuid:group_id>")
@for_directory
def patch_group(group_id: UUID) -> Response:
    return _answer(_groups([service.change_group(_tenant(), group_id, _body(), is_whole=False, by=_by())])[0])


@bp.delete("/Groups/<uuid:group_id>")
@for_directory
def delete_group(group_id: UUID) -> Response:
    service.delete_group(_tenant(), group_id, by=_by())
    return Response(status=204)
