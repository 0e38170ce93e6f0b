"""A real identity provider, a real DNS server, and people with browsers that go between them and us."""

from __future__ import annotations

import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest
from werkzeug.serving import make_server

from portal.core import db
from portal.core.config import current_settings
from portal.devkit.children import die_with_parent, free_port
from portal.identity.sso import keys
from tests.conftest import Browser, House

HERE = Path(__file__).parent
NODE = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


class Zone:
    """Names and texts that a DNS server of this process tells."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.is_silent = False
        zone = self

        class Answer(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if zone.is_silent:
                    return
                asked = dns.message.from_wire(self.request[0])
                answer = dns.message.make_response(asked)
                question = asked.question[0]
                texts = zone.texts.get(question.name.to_text(omit_final_dot=True).lower())
                if texts is None:
                    answer.set_rcode(3)
                elif texts:
                    answer.answer.append(dns.rrset.from_text(question.name, 1, "IN", "TXT", *[f'"{each}"' for each in texts]))
                self.request[1].sendto(answer.to_wire(), self.client_address)

        self.server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


class Idp:
    """The certified `oidc-provider` in a process of its own, with people who have an account there."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.issuer = f"http://localhost:{port}"
        self.people: dict[str, dict[str, Any]] = {}
        self.clients: list[dict[str, Any]] = []  # what it forgets when it dies
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        given = {"issuer": self.issuer, "port": self.port, "clients": self.clients, "people": list(self.people.values())}
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

    def hire(self, sub: str, **claims: Any) -> None:
        """Give somebody an account, or change what it says."""
        self.people[sub] = {"sub": sub, **claims}
        _open(urllib.request.Request(f"{self.issuer}/test/people", json.dumps(self.people[sub]).encode(), method="POST"))

    def register(self, redirect_uri: str, logout_uri: str = "") -> tuple[str, str]:
        """Make an application there, as an admin would; return its id and secret."""
        wanted: dict[str, Any] = {"redirect_uris": [redirect_uri]}
        if logout_uri:
            wanted |= {"backchannel_logout_uri": logout_uri, "backchannel_logout_session_required": True}
        request = urllib.request.Request(f"{self.issuer}/reg", json.dumps(wanted).encode(), {"content-type": "application/json"})
        made = json.loads(_open(request).read())
        self.clients.append({"client_id": made["client_id"], "client_secret": made["client_secret"], **wanted})
        return made["client_id"], made["client_secret"]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def _open(request: urllib.request.Request, jar: CookieJar | None = None) -> Any:
    opener = urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(jar if jar is not None else CookieJar()))
    try:
        return opener.open(request, timeout=10)
    except urllib.error.HTTPError as answer:
        return answer


@dataclass
class Traveller:
    """One browser: our pages through the test client, the provider's over the network."""

    browser: Browser
    jar: CookieJar = field(default_factory=CookieJar)

    def at_provider(self, url: str, who: str | None) -> str:
        """Follow the provider from its first address until it sends the browser back; return that address."""
        for _step in range(12):
            request = urllib.request.Request(url, headers={"x-person": who} if who else {})
            answer = _open(request, self.jar)
            where = answer.headers.get("Location")
            assert where, (answer.status, answer.read()[:600])
            url = urllib.parse.urljoin(url, where)
            if urllib.parse.urlsplit(url).path.startswith("/sign-in/"):
                return url
        raise AssertionError("the provider never came to an end")

    def leave(self, start: str) -> str:
        """Begin at one of our addresses and return where we send the browser."""
        answer = self.browser.get(start)
        assert answer.status_code == 303, answer.text[:2000]
        return str(answer.headers["Location"])

    def come(self, start: str, who: str | None) -> Any:
        """Go all the way: from us, through the provider, and back."""
        return self.back(self.at_provider(self.leave(start), who))

    def back(self, url: str) -> Any:
        parts = urllib.parse.urlsplit(url)
        return self.browser.get(f"{parts.path}?{parts.query}")

    def sign_out_there(self, idp: Idp) -> None:
        """Sign out at the provider, which tells everybody."""
        text = _open(urllib.request.Request(f"{idp.issuer}/session/end"), self.jar).read().decode()
        xsrf = re.search(r'name="xsrf" value="([^"]+)"', text)
        assert xsrf, text[:500]
        form = urllib.parse.urlencode({"xsrf": xsrf[1], "logout": "yes"}).encode()
        _open(urllib.request.Request(f"{idp.issuer}/session/end/confirm", form), self.jar)


@pytest.fixture(scope="session")
def idp_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def zone() -> Zone:
    return Zone()


@contextmanager
def reaching(port: int, zone: Zone, *, public_url: str = "") -> Iterator[None]:
    """Let this process call a provider on a port and ask the DNS server, for one test: the settings are everybody's.

    Args:
        public_url: where a browser finds us, if one is there.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EGRESS_ALLOW", f"127.0.0.1:{port}")
        patch.setenv("DNS_RESOLVER", zone.address)
        if public_url:
            patch.setenv("PUBLIC_URL", public_url)
        current_settings.cache_clear()
        yield
    current_settings.cache_clear()


@pytest.fixture
def outside(app: Any, idp_port: int, zone: Zone) -> Iterator[None]:
    with reaching(idp_port, zone):
        yield


@pytest.fixture(scope="session")
def running_idp(idp_port: int) -> Iterator[Idp]:
    idp = Idp(idp_port)
    idp.start()
    yield idp
    idp.stop()


@pytest.fixture
def idp(running_idp: Idp, outside: None) -> Idp:
    keys.forget()
    return running_idp


@pytest.fixture(scope="session")
def live(app: Any) -> Iterator[str]:
    """Our own server on a port: the provider calls it."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@dataclass
class Setup:
    """A provider of a tenant, set up through the pages of the settings."""

    idp: Idp
    house: House
    domain: str
    id: str
    client_id: str
    client_secret: str

    @property
    def start(self) -> str:
        return f"/sign-in/sso/{self.id}"

    @property
    def page(self) -> str:
        return f"/settings/sso/{self.id}"


def prove_domain(owner: Browser, zone: Zone, domain: str) -> None:
    assert owner.post("/settings/sso/domains", data={"domain": domain}).status_code == 303
    page = owner.get("/settings/sso").text
    text = re.search(r"nasij-domain=[\w-]+", page[page.index(domain) :])
    assert text
    zone.texts[f"_nasij.{domain}"] = ["v=spf1 -all", text[0]]
    check = re.search(r"/settings/sso/domains/[0-9a-f-]+/check", page[page.index(f">{domain}<") :])
    assert check
    owner.post(check[0])


@pytest.fixture
def set_up(app: Any, idp: Idp, zone: Zone, live: str, sign_in: Callable[..., Browser]) -> Callable[..., Setup]:
    """Set a provider up as an owner would: settings, domain, application there, test, on."""

    def make(house: House, *, is_proven: bool = True, is_on: bool = True, **choices: str) -> Setup:
        owner = sign_in(house, "owner")
        fields = {"name": "Corporate", "name_ar": "حساب الشركة", "issuer": idp.issuer, "client_id": "later", "client_secret": "",
                  "default_role": "member", "admits_newcomers": "1", "allows_passwords": "1", **choices}  # fmt: skip
        made = owner.post("/settings/sso/new", data=fields)
        assert made.status_code == 303, made.text_of(".error-summary")
        page = made.headers["Location"]
        provider_id = page.rpartition("/")[2]
        callback = f"http://localhost/sign-in/sso/{provider_id}/callback"
        assert callback in owner.get(page).text
        fields["client_id"], fields["client_secret"] = idp.register(callback, f"{live}/sign-in/sso/{provider_id}/logout")
        assert owner.post(page, data=fields).status_code == 303
        domain = f"{house.id.hex[-12:]}.example"
        if is_proven:
            prove_domain(owner, zone, domain)
        setup = Setup(idp, house, domain, provider_id, fields["client_id"], fields["client_secret"])
        if is_on:
            idp.hire("tester", email="tester@elsewhere.example", email_verified=True, name="Tester")
            tested = Traveller(owner).come(f"{page}/test", "tester")
            assert tested.status_code == 303, tested.text[:1500]
            assert owner.post(f"{page}/enable").status_code == 303
        return setup

    return make


@pytest.fixture
def traveller(app: Any) -> Callable[[], Traveller]:
    def make() -> Traveller:
        client = app.test_client()
        client.set_cookie("locale", "en")
        return Traveller(Browser(client))

    return make


def rows(tenant_id: Any, statement: str, **values: Any) -> list[Any]:
    from sqlalchemy import text

    with db.transaction(tenant_id) as session:
        return list(session.execute(text(statement), values))
