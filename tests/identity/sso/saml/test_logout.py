"""The provider's word that somebody signed out there ends what it names, once, and only when it is signed."""

from __future__ import annotations

import base64
import re
import urllib.parse
import urllib.request
import zlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml import etree

from portal.identity.sso.saml import certificates
from portal.identity.sso.saml.documents import name, parse
from portal.identity.sso.saml.requests import RSA_SHA256
from tests.identity.sso.conftest import _open, rows
from tests.identity.sso.saml.conftest import came, form_of, is_in, local
from tests.identity.sso.saml.forge import later

POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@pytest.fixture
def setup(tenant, set_up_saml, saml):
    made = set_up_saml(tenant)
    saml.hire("out-1", email=f"out@{made.domain}", name="Out")
    return made


def test_signing_out_there_ends_the_session_here_and_the_provider_hears_of_it(setup, saml_traveller, saml, as_role):
    own = rows(setup.house.id, "select endpoints->>'own_certificate' as it from identity_providers")[0].it
    setup.save(signs_requests="1")
    saml.register(setup.addresses, cert=own)  # it looks at our signatures
    person, elsewhere, owner = came(setup, saml_traveller), came(setup, saml_traveller), as_role("owner")

    there = _open(urllib.request.Request(f"{saml.base}/logout"), person.jar).headers["Location"]
    assert there.startswith(setup.addresses["slo"]) and "Signature=" in there
    answer = saml_traveller().browser.get(local(there))  # browsers may leave our cookie out: it is not needed

    assert answer.status_code == 303 and answer.headers["Location"].startswith(f"{saml.base}/logout?SAMLResponse=")
    assert not is_in(person)
    # The provider named one session: the other browser goes on, and so does everybody else.
    assert is_in(elsewhere) and owner.get("/runs").status_code == 200
    # The provider takes our word only when it is signed: here its own circle ends.
    ended = _open(urllib.request.Request(answer.headers["Location"]), person.jar)
    assert ended.status == 200, ended.read()
    book = rows(setup.house.id, "select details->>'sessions' as it from audit_entries where action = 'session.ended_by_provider'")
    assert [row.it for row in book] == ["1"]


def test_the_other_binding(setup, saml_traveller, saml):
    saml.register(setup.addresses, binding=POST)
    person = came(setup, saml_traveller)
    action, fields = form_of(_open(urllib.request.Request(f"{saml.base}/logout"), person.jar).read().decode())
    assert action == setup.addresses["slo"]
    stranger = saml_traveller()

    changed = base64.b64encode(base64.b64decode(fields["SAMLRequest"]).replace(b">out-1<", b">out-2<")).decode()
    assert stranger.browser.post(setup.start + "/slo", data={**fields, "SAMLRequest": changed}).status_code == 400
    assert is_in(person)
    answer = stranger.browser.post(setup.start + "/slo", data=fields)

    assert answer.status_code == 303 and not is_in(person)
    assert "Set-Cookie" not in answer.headers
    again = came(setup, saml_traveller)
    assert stranger.browser.post(setup.start + "/slo", data=fields).status_code == 400
    assert is_in(again), "a request counts once"


def asked(setup, saml, *, sids=(), subject="out-1", key="", sig_alg=RSA_SHA256, unsigned=False, relay="", **attributes):
    """Return the address of a logout request as the provider's key signs it."""
    given = {"ID": f"_{subject}{later(0)}{len(attributes)}", "Version": "2.0", "IssueInstant": later(0), "Destination": setup.addresses["slo"], **attributes}  # fmt: skip
    request = etree.Element(name("samlp", "LogoutRequest"), {key: value for key, value in given.items() if value})
    etree.SubElement(request, name("saml", "Issuer")).text = saml.issuer
    etree.SubElement(request, name("saml", "NameID"), Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent").text = subject
    for sid in sids:
        etree.SubElement(request, name("samlp", "SessionIndex")).text = sid
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(etree.tostring(request)) + packer.flush()
    query = {"SAMLRequest": base64.b64encode(packed).decode()}
    if relay:
        query["RelayState"] = relay
    if not unsigned:
        query["SigAlg"] = sig_alg
        made = certificates.load_key(key or saml.key).sign(urllib.parse.urlencode(query).encode(), PKCS1v15(), hashes.SHA256())
        query["Signature"] = base64.b64encode(made).decode()
    return f"{setup.start}/slo?{urllib.parse.urlencode(query)}"


def test_without_a_session_named_all_of_the_person_end(setup, saml_traveller, saml, visitor):
    saml.hire("stay-1", email=f"stay@{setup.domain}", name="Stay")
    first, second, other = came(setup, saml_traveller), came(setup, saml_traveller), came(setup, saml_traveller, "stay-1")

    answer = visitor.get(asked(setup, saml, relay="r&=é"))

    assert not is_in(first) and not is_in(second) and is_in(other)
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query))
    response = parse(zlib.decompress(base64.b64decode(query["SAMLResponse"]), -15))
    assert query["RelayState"] == "r&=é" and response.get("InResponseTo").startswith("_out-1")
    assert response.find(f".//{name('samlp', 'StatusCode')}").get("Value").endswith(":Success")


FORGED = {
    "unsigned": {"unsigned": True}, "sha1": {"sig_alg": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"},
    "another destination": {"Destination": "https://other.example/slo"}, "no destination": {"Destination": ""},
    "old": {"IssueInstant": later(-7_200)}, "ended": {"NotOnOrAfter": later(-61)}, "of tomorrow": {"IssueInstant": later(86_400)},
    "no id": {"ID": ""}, "version 1": {"Version": "1.1"},
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_end_of_sessions_ends_nothing(setup, saml_traveller, saml, visitor, forged):
    person = came(setup, saml_traveller)
    assert visitor.get(asked(setup, saml, **forged)).status_code == 400
    assert is_in(person)
    assert visitor.get(asked(setup, saml)).status_code == 303 and not is_in(person)


def test_more_forged_ends(setup, saml_traveller, saml, visitor):
    person = came(setup, saml_traveller)
    key, _certificate = certificates.make_pair("x")
    good = asked(setup, saml)
    bomb = base64.b64encode(_deflated(b"<a>" + b"x" * 5_000_000 + b"</a>")).decode()
    for url in (
        asked(setup, saml, key=key),
        f"{good}&RelayState=x",
        f"{good}&SAMLRequest=x",
        good.replace("Signature=", "Signature=AA"),
        re.sub("SigAlg=[^&]+&", "", good),
        f"{setup.start}/slo?" + urllib.parse.urlencode({"SAMLRequest": bomb, "SigAlg": RSA_SHA256, "Signature": "AAAA"}),
        f"{setup.start}/slo?SAMLRequest=%ff",
    ):
        assert visitor.get(url).status_code == 400, url
    assert visitor.get(f"{setup.start}/slo").status_code == 404
    assert visitor.post(f"{setup.start}/slo", data={"SAMLRequest": "x"}).status_code == 400
    assert is_in(person)


def _deflated(raw):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(raw) + packer.flush()


def test_a_request_of_one_organisation_ends_nothing_in_another(tenant, other_tenant, set_up_saml, saml_traveller, saml, visitor):
    mine, theirs = set_up_saml(tenant), set_up_saml(other_tenant)
    saml.hire("out-1", email=f"out@{mine.domain}", name="Out")
    person = came(mine, saml_traveller)
    assert visitor.get(asked(theirs, saml)).status_code == 303  # nobody of that name is there
    assert visitor.get(asked(theirs, saml).replace(theirs.id, mine.id)).status_code == 400
    assert is_in(person)


def test_a_provider_that_wants_no_answer_gets_none(tenant, set_up_saml, saml_traveller, saml, visitor):
    setup = set_up_saml(tenant, slo_url="")
    saml.hire("out-1", email=f"out@{setup.domain}", name="Out")
    person = came(setup, saml_traveller)
    answer = visitor.get(asked(setup, saml))
    assert answer.status_code == 200 and "signed out" in answer.text and not is_in(person)
