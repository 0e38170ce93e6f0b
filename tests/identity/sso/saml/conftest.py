"""A real SAML provider, and people with browsers that go between it and us."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from portal.devkit.children import die_with_parent, free_port
from portal.identity.sso.saml import certificates
from tests.conftest import Browser, House
from tests.identity.sso.conftest import NODE, Traveller, _open, prove_domain, reaching

HERE = Path(__file__).parent
PAGE = "/settings/sso"
MAIL = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"


class SamlIdp:
    """`samlp` in a process of its own, with people who have an account there."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base = f"http://localhost:{port}"
        self.issuer = "urn:idp:corporate"
        self.key, self.certificate = certificates.make_pair("idp")
        self.people: dict[str, dict[str, Any]] = {}
        self.sps: dict[str, dict[str, Any]] = {}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        given = {"issuer": self.issuer, "base": self.base, "port": self.port, "key": self.key, "cert": certificates.as_pem(self.certificate),
                 "people": list(self.people.values()), "sps": list(self.sps.values())}  # fmt: skip
        assert NODE
        self._process = subprocess.Popen(
            [NODE, str(HERE / "provider.mjs"), json.dumps(given)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=die_with_parent(),
        )  # fmt: skip
        assert self._process.stdout
        assert self._process.stdout.readline().strip() == "ready"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hire(self, who: str, *, kind: str | None = None, **attributes: Any) -> None:
        """Give somebody an account, or change what it says."""
        self.people[who] = {"id": who, "attributes": attributes, **({"format": kind} if kind else {})}
        self._tell("people", self.people[who])

    def register(self, addresses: dict[str, str], *, cert: str = "", binding: str = "", **options: Any) -> None:
        """Make an application there, as an admin would, or change it."""
        sp = {"entityId": addresses["entity_id"], "acs": addresses["acs"], "slo": addresses["slo"], "options": options}
        self.sps[sp["entityId"]] = {**sp, **({"cert": cert} if cert else {}), **({"binding": binding} if binding else {})}
        self._tell("sps", self.sps[sp["entityId"]])

    def _tell(self, what: str, value: Any) -> None:
        _open(urllib.request.Request(f"{self.base}/test/{what}", json.dumps(value).encode(), method="POST"))


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """Return where a provider's page posts by itself, and what."""
    action = re.search(r'action="([^"]+)"', page)
    assert action, page[:600]
    fields = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
    return html.unescape(action[1]), {name: html.unescape(value) for name, value in fields}


@dataclass
class SamlTraveller(Traveller):
    """One browser between us and a SAML provider."""

    def answered(self, url: str, who: str | None) -> dict[str, str]:
        """Open the provider's address as somebody, and return the form that it would post to us."""
        answer = _open(urllib.request.Request(url, headers={"x-person": who} if who else {}), self.jar)
        text = answer.read().decode()
        assert answer.status == 200, text[:600]
        action, fields = form_of(text)
        self.acs = urllib.parse.urlsplit(action).path
        return fields

    def deliver(self, fields: dict[str, str], acs: str = "") -> Any:
        """Post what the provider made us post, as browsers do from another site: without our cookie; then go on with it."""
        before = self.browser.client.get_cookie("sid")
        self.browser.client.delete_cookie("sid")
        answer = self.browser.client.post(acs or self.acs, data=fields, headers={"Origin": "http://idp.example"})
        assert "Set-Cookie" not in answer.headers, "the answer would take the place of the session that the browser has"
        if before is not None:
            self.browser.client.set_cookie("sid", before.value)
        if answer.status_code != 303:
            return answer
        return self.browser.get(answer.headers["Location"])

    def come(self, start: str, who: str | None) -> Any:
        return self.deliver(self.answered(self.leave(start), who))


def xml_of(fields: dict[str, str]) -> str:
    return base64.b64decode(fields["SAMLResponse"]).decode()


def with_xml(fields: dict[str, str], text: str | bytes) -> dict[str, str]:
    raw = text if isinstance(text, bytes) else text.encode()
    return {**fields, "SAMLResponse": base64.b64encode(raw).decode()}


@pytest.fixture(scope="session")
def saml_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def running_saml(saml_port: int) -> Iterator[SamlIdp]:
    idp = SamlIdp(saml_port)
    idp.start()
    yield idp
    idp.stop()


@pytest.fixture
def saml(app: Any, running_saml: SamlIdp, zone: Any) -> Iterator[SamlIdp]:
    """The provider, and leave to call it for one test."""
    with reaching(running_saml.port, zone):
        yield running_saml


def is_in(person: Any) -> bool:
    """Say whether our pages know somebody."""
    return bool(person.browser.get("/runs").status_code == 200)


def came(setup: SamlSetup, traveller: Callable[..., Any], who: str = "out-1") -> Any:
    """Return somebody who has come in through the provider."""
    person = traveller()
    assert person.come(setup.start, who).status_code == 303 and is_in(person)
    return person


def local(url: str) -> str:
    """Return an address of ours without its host."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


@dataclass
class SamlSetup:
    """A SAML provider of a tenant, set up through the pages of the settings."""

    idp: SamlIdp
    house: House
    domain: str
    id: str
    owner: Browser
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def start(self) -> str:
        return f"/sign-in/sso/{self.id}"

    @property
    def page(self) -> str:
        return f"{PAGE}/{self.id}"

    @property
    def addresses(self) -> dict[str, str]:
        base = f"http://localhost/sign-in/sso/{self.id}"
        return {"entity_id": f"{base}/metadata", "acs": f"{base}/acs", "slo": f"{base}/slo"}

    def save(self, **changed: str) -> Any:
        self.fields |= changed
        return self.owner.post(f"{self.page}/saml", data={name: value for name, value in self.fields.items() if value})


def fields_of(idp: SamlIdp, **changed: str) -> dict[str, str]:
    known = {"name": "Corporate", "name_ar": "حساب الشركة", "issuer": idp.issuer, "sso_url": f"{idp.base}/sso", "slo_url": f"{idp.base}/logout",
             "certificates": certificates.as_pem(idp.certificate), "vouches": "1", "default_role": "member", "admits_newcomers": "1",
             "allows_passwords": "1", "signs_requests": ""}  # fmt: skip
    return {name: value for name, value in {**known, **changed}.items() if value}


@pytest.fixture
def set_up_saml(app: Any, saml: SamlIdp, zone: Any, sign_in: Callable[..., Browser]) -> Callable[..., SamlSetup]:
    """Set a provider up as an owner would: settings, domain, application there, test, on."""

    def make(
        house: House, *, is_proven: bool = True, is_on: bool = True, options: dict[str, Any] | None = None, **choices: str
    ) -> SamlSetup:
        owner = sign_in(house, "owner")
        fields = fields_of(saml, **choices)
        made = owner.post(f"{PAGE}/new/saml", data=fields)
        assert made.status_code == 303, made.text_of(".error-summary")
        setup = SamlSetup(saml, house, f"{house.id.hex[-12:]}.example", made.headers["Location"].rpartition("/")[2], owner, fields)
        saml.register(setup.addresses, **(options or {}))
        if is_proven:
            prove_domain(owner, zone, setup.domain)
        if is_on:
            saml.hire("tester", email="tester@elsewhere.example", name="Tester")
            tested = SamlTraveller(owner).come(f"{setup.page}/test", "tester")
            assert tested.headers.get("Location") == setup.page, tested.text[:1500]
            assert owner.post(f"{setup.page}/enable").status_code == 303
            assert "People can come in" in owner.get(setup.page).text
        return setup

    return make


@pytest.fixture
def saml_traveller(app: Any) -> Callable[[], SamlTraveller]:
    def make() -> SamlTraveller:
        client = app.test_client()
        client.set_cookie("locale", "en")
        return SamlTraveller(Browser(client))

    return make
