"""What a directory may ask about us before it begins: our abilities, kinds and attributes (RFC 7643, 5 to 7)."""

from __future__ import annotations

from typing import Any

from portal.identity.scim.patching import ENTERPRISE, GROUP, USER

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
NO = {"supported": False}
SERVICE: dict[str, Any] = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": 200},
    "changePassword": NO,
    "sort": NO,
    "etag": NO,
    "authenticationSchemes": [
        {"type": "oauthbearertoken", "name": "Bearer token", "description": "A token that an admin makes in the settings.", "primary": True}
    ],
    "meta": {"resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig"},
}


def _kind(name: str, schema: str, description: str, extensions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": name,
        "name": name,
        "endpoint": f"/{name}s",
        "description": description,
        "schema": schema,
        "schemaExtensions": extensions,
        "meta": {"resourceType": "ResourceType", "location": f"/scim/v2/ResourceTypes/{name}"},
    }


RESOURCE_TYPES = [
    _kind("User", USER, "A member of the organisation", [{"schema": ENTERPRISE, "required": False}]),
    _kind("Group", GROUP, "A group, which may give its members a role", []),
]


def _attribute(name: str, kind: str = "string", *, parts: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": name, "type": kind, "multiValued": False, "description": name, "required": False, "caseExact": False,
        "mutability": "readWrite", "returned": "default", "uniqueness": "none",
    }  # fmt: skip
    if parts is not None:
        plain["subAttributes"] = parts
    return {**plain, **more}


def _values(name: str) -> dict[str, Any]:
    parts = [_attribute("value"), _attribute("type"), _attribute("display"), _attribute("primary", "boolean")]
    return _attribute(name, "complex", parts=parts, multiValued=True)


def _schema(urn: str, name: str, attributes: list[dict[str, Any]]) -> dict[str, Any]:
    meta = {"resourceType": "Schema", "location": f"/scim/v2/Schemas/{urn}"}
    return {"schemas": [SCHEMA], "id": urn, "name": name, "description": name, "attributes": attributes, "meta": meta}


_REFERENCE = [
    _attribute("value", mutability="immutable"),
    _attribute("$ref", "reference", referenceTypes=["User", "Group"]),
    _attribute("display"),
]
SCHEMAS = [
    _schema(
        USER,
        "User",
        [
            _attribute("userName", required=True, uniqueness="server"),
            _attribute("name", "complex", parts=[_attribute(each) for each in ("formatted", "familyName", "givenName")]),
            *(_attribute(each) for each in ("displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone", "profileUrl")),
            _attribute("active", "boolean"),
            *(_values(each) for each in ("emails", "phoneNumbers", "addresses", "roles")),
            _attribute("groups", "complex", parts=_REFERENCE, multiValued=True, mutability="readOnly"),
        ],
    ),
    _schema(
        GROUP,
        "Group",
        [
            _attribute("displayName", required=True, uniqueness="server"),
            _attribute("members", "complex", parts=_REFERENCE, multiValued=True),
        ],
    ),
    _schema(
        ENTERPRISE,
        "EnterpriseUser",
        [_attribute(each) for each in ("employeeNumber", "costCenter", "organization", "division", "department", "manager")],
    ),
]  # fmt: skip
