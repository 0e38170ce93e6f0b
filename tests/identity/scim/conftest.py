"""A directory that calls us: its token comes from the settings, its requests over the test client."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from portal.core import clock, db
from portal.identity.sso.models import TenantDomain
from tests.conftest import Browser, House


@dataclass
class Directory:
    """One organisation's directory."""

    client: Any
    token: str
    domain: str
    house: House

    def call(self, method: str, path: str, body: Any = None, *, kind: str = "application/scim+json", **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        head = {"Authorization": f"Bearer {self.token}", **headers}
        answer = self.client.open(f"/scim/v2{path}", method=method, data=raw, headers=head, content_type=kind if raw is not None else None)
        answer.scim = json.loads(answer.data) if answer.data else None
        assert answer.status_code < 500, answer.data
        if answer.status_code != 204:
            assert answer.mimetype == "application/scim+json", (answer.status_code, answer.mimetype, answer.data[:200])
        if answer.status_code >= 400:
            assert answer.scim["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
            assert answer.scim["status"] == str(answer.status_code) and answer.scim["detail"]
        return answer

    def add(self, handle: str, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", "/Users", user(f"{handle}@{self.domain}", **more))
        assert answer.status_code == 201, answer.scim
        return dict(answer.scim)

    def patch(self, path: str, *operations: Any) -> Any:
        return self.call("PATCH", path, {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)})


def user(address: str, **more: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": address, "displayName": "Some Body",
        "emails": [{"value": address, "type": "work", "primary": True}], "active": True, **more,
    }  # fmt: skip


@pytest.fixture
def directory_of(app: Any, sign_in: Callable[..., Browser]) -> Callable[[House], Directory]:
    def make(house: House) -> Directory:
        domain = f"{house.id.hex[-12:]}.example"
        with db.transaction(house.id) as session:
            session.add(TenantDomain(tenant_id=house.id, domain=domain, challenge="x", verified_at=clock.now(), checked_at=clock.now()))
        page = sign_in(house, "owner").post("/settings/provisioning/tokens")
        token = re.search(r"nasij_scim_[\w-]+", page.text)
        assert token and page.headers["Cache-Control"] == "no-store"
        return Directory(app.test_client(), token[0], domain, house)

    return make


@pytest.fixture
def directory(directory_of: Any, tenant: House) -> Directory:
    made: Directory = directory_of(tenant)
    return made
