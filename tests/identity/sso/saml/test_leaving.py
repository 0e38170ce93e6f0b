"""Signing out here tells the SAML provider, which may answer, refuse or be silent: here the person is out in any case."""

from __future__ import annotations

import base64
import html
import re
import urllib.parse
import urllib.request
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml import etree

from portal.core import clock
from portal.identity.sso.saml import certificates, metadata
from portal.identity.sso.saml.documents import name, parse
from portal.identity.sso.saml.requests import RSA_SHA256, SUCCESS
from tests.identity.sso.conftest import _open, rows
from tests.identity.sso.saml.conftest import came, form_of, is_in, local
from tests.identity.sso.saml.forge import later

POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@pytest.fixture
def setup(tenant, set_up_saml, saml):
    made = set_up_saml(tenant)
    own = rows(made.house.id, "select endpoints->>'own_certificate' as it from identity_providers")[0].it
    made.save(signs_requests="1")
    saml.register(made.addresses, cert=own)  # it looks at our signatures
    saml.hire("out-1", email=f"out@{made.domain}", name="Out")
    return made


def sign_out(setup, person):
    """Sign out here; return the address of the provider to which the page leads by itself, and by its link."""
    answer = person.browser.post("/sign-out")
    assert answer.status_code == 303 and answer.headers["Location"].startswith(f"{setup.start}/leave?"), answer.headers["Location"]
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert not is_in(person), "before the provider hears of it"
    page = person.browser.get(answer.headers["Location"])
    assert page.status_code == 200 and page.headers["Cache-Control"] == "no-store"
    led = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.text)
    assert led and f'href="{led[1]}"' in page.text
    return html.unescape(led[1])


def message_in(url, kind="SAMLRequest"):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    return parse(zlib.decompress(base64.b64decode(query[kind]), -15))


def test_signing_out_here_ends_the_session_there_and_its_answer_is_taken(setup, saml_traveller, saml):
    person, elsewhere = came(setup, saml_traveller), came(setup, saml_traveller)
    url = sign_out(setup, person)

    request = message_in(url)
    assert url.startswith(f"{saml.base}/logout?") and request.get("Destination") == f"{saml.base}/logout"
    assert request.findtext(name("saml", "NameID")) == "out-1" and request.findtext(name("samlp", "SessionIndex"))
    answer = _open(urllib.request.Request(url), person.jar)
    back = answer.headers["Location"]
    assert back.startswith(setup.addresses["slo"]), answer.read()
    last = person.browser.get(local(back))
    assert last.status_code == 303
    assert "Here, and at \u2068Corporate\u2069." in person.browser.get(last.headers["Location"]).text
    # There nobody is signed in any more: the provider asks who it is. The other browser goes on.
    assert b"<label>Person" in _open(urllib.request.Request(person.leave(setup.start)), person.jar).read()
    assert is_in(elsewhere)


def test_a_provider_that_does_not_believe_us_says_so_itself(setup, saml_traveller, saml):
    person = came(setup, saml_traveller)
    _key, other = certificates.make_pair("x")
    saml.sps[setup.addresses["entity_id"]]["cert"] = other
    saml.stop()
    saml.start()
    url = sign_out(setup, person)
    assert _open(urllib.request.Request(url), person.jar).status == 400 and not is_in(person)


def test_the_answer_may_come_as_a_form_and_touches_no_session(setup, saml_traveller, saml):
    own = saml.sps[setup.addresses["entity_id"]]["cert"]
    saml.register(setup.addresses, cert=own, binding=POST)
    person = came(setup, saml_traveller)
    action, fields = form_of(_open(urllib.request.Request(sign_out(setup, person)), person.jar).read().decode())
    assert action == setup.addresses["slo"]
    again = came(setup, saml_traveller)  # in the meantime somebody came in with this browser

    answer = again.deliver(fields, acs=f"{setup.start}/slo")

    assert "Here, and at" in answer.text and is_in(again)
    changed = base64.b64decode(fields["SAMLResponse"]).replace(b"status:Success", b"status:Requester")
    assert again.deliver({**fields, "SAMLResponse": base64.b64encode(changed).decode()}, acs=f"{setup.start}/slo").status_code == 400


def test_a_provider_that_could_not_end_everything_is_not_believed_to_have(setup, saml_traveller, saml):
    own = saml.sps[setup.addresses["entity_id"]]["cert"]
    saml.register(setup.addresses, cert=own, forgetful=True)
    person = came(setup, saml_traveller)
    back = _open(urllib.request.Request(sign_out(setup, person)), person.jar).headers["Location"]
    page = person.browser.get(person.browser.get(local(back)).headers["Location"])
    assert "not everything has ended there" in page.text and "and at" not in page.text


def test_a_silent_provider_keeps_nobody_in(setup, saml_traveller, saml):
    person = came(setup, saml_traveller)
    saml.stop()
    try:
        sign_out(setup, person)
        assert not is_in(person)
        assert rows(setup.house.id, "select 1 from sso_sessions where subject = 'out-1'") == []
        assert person.browser.get("/sign-in").status_code == 200
    finally:
        saml.start()


def test_who_did_not_come_through_such_a_provider_is_sent_nowhere(setup, saml_traveller, as_role, visitor):
    for browser in (as_role("owner"), visitor):
        assert browser.post("/sign-out").headers["Location"] == "/sign-in"
    person = came(setup, saml_traveller)
    setup.save(slo_url="")
    assert person.browser.post("/sign-out").headers["Location"] == "/sign-in" and not is_in(person)


def answered(setup, saml, request, *, key="", unsigned=False, codes=(SUCCESS,), issuer="", **attributes):
    """Return the path of an answer as the provider's key signs it."""
    given = {
        "ID": "_1",
        "Version": "2.0",
        "IssueInstant": later(0),
        "Destination": setup.addresses["slo"],
        "InResponseTo": request,
        **attributes,
    }
    answer = etree.Element(name("samlp", "LogoutResponse"), {key: value for key, value in given.items() if value})
    etree.SubElement(answer, name("saml", "Issuer")).text = issuer or saml.issuer
    where = etree.SubElement(answer, name("samlp", "Status"))
    for each in codes:
        where = etree.SubElement(where, name("samlp", "StatusCode"), Value=each)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    query = {"SAMLResponse": base64.b64encode(packer.compress(etree.tostring(answer)) + packer.flush()).decode()}
    if not unsigned:
        query["SigAlg"] = RSA_SHA256
        made = certificates.load_key(key or saml.key).sign(urllib.parse.urlencode(query).encode(), PKCS1v15(), hashes.SHA256())
        query["Signature"] = base64.b64encode(made).decode()
    return f"{setup.start}/slo?{urllib.parse.urlencode(query)}"


def test_forged_answers_are_refused(setup, saml_traveller, saml, visitor, monkeypatch):
    request = message_in(sign_out(setup, came(setup, saml_traveller))).get("ID")
    other_key, _certificate = certificates.make_pair("x")
    partial = (SUCCESS, "urn:oasis:names:tc:SAML:2.0:status:PartialLogout")
    assert visitor.get(answered(setup, saml, request)).headers["Location"].endswith("all=1")
    assert visitor.get(answered(setup, saml, request, codes=partial)).headers["Location"].endswith("all=0")
    for forged in (
        {"key": other_key}, {"unsigned": True}, {"issuer": "urn:idp:other"}, {"Destination": "https://other.example/slo"}, {"Destination": ""},
        {"IssueInstant": later(-7_200)}, {"IssueInstant": later(86_400)}, {"ID": ""}, {"Version": "1.1"}, {"InResponseTo": ""},
        {"InResponseTo": "_x"}, {"InResponseTo": request[:-2] + "AA"}, {"InResponseTo": "_é" + request[2:]},
    ):  # fmt: skip
        assert visitor.get(answered(setup, saml, request, **forged)).status_code == 400, forged
    assert visitor.get(f"{setup.start}/slo?SAMLResponse=x").status_code == 400
    late = datetime.now(UTC) + timedelta(seconds=901)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert visitor.get(answered(setup, saml, request, IssueInstant=late.strftime("%Y-%m-%dT%H:%M:%SZ"))).status_code == 400


def test_an_answer_to_one_organisation_counts_in_no_other(setup, other_tenant, set_up_saml, saml_traveller, saml, visitor):
    theirs = set_up_saml(other_tenant)
    request = message_in(sign_out(setup, came(setup, saml_traveller))).get("ID")
    assert visitor.get(answered(theirs, saml, request)).status_code == 400


def test_the_way_on_counts_for_its_provider_and_two_minutes(setup, other_tenant, set_up_saml, saml_traveller, visitor, monkeypatch):
    theirs = set_up_saml(other_tenant)
    onward = came(setup, saml_traveller).browser.post("/sign-out").headers["Location"]
    assert visitor.get(onward).status_code == 200
    for path in (onward.replace(setup.id, theirs.id), onward.replace("sealed=", "sealed=A"), f"{setup.start}/leave"):
        assert visitor.get(path).headers["Location"] == "/sign-in"
    late = datetime.now(UTC) + timedelta(seconds=121)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert visitor.get(onward).headers["Location"] == "/sign-in"


@pytest.mark.parametrize(("attribute", "answers"), [("", ""), (' ResponseLocation="https://idp.example/back"', "https://idp.example/back")])
def test_metadata_may_name_another_address_for_answers(app, saml, attribute, answers):
    text = _open(urllib.request.Request(f"{saml.base}/metadata")).read().decode()
    given = re.sub(r"(<SingleLogoutService[^>]*HTTP-Redirect[^>]*?)\s*/?>", rf"\1{attribute}/>", text, count=1)
    with app.test_request_context():
        published = metadata.read(given.replace("</SingleLogoutService>", "").encode())
    assert (published.slo_url, published.slo_response_url) == (f"{saml.base}/logout", answers)
