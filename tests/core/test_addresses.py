"""The rules of outgoing addresses, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.addresses import EgressRefused, Policy, Target, check_address, check_url, read_policy

CLOSED = Policy()

FORBIDDEN = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1",
          "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2a00:1450:4001::1", "3ffe::1"]  # fmt: skip


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_inner_address_is_refused(address):
    with pytest.raises(EgressRefused):
        check_address(address, 443, policy=CLOSED)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address):
    assert str(check_address(address, 443, policy=CLOSED)) == address


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("//example.com/", "scheme"),
        ("example.com", "scheme"),
        ("", "scheme"),
        ("https://", "scheme"),
        ("https:///path", "scheme"),
        ("https://example.com:22/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:80/", "port"),
        ("https://example.com:99999/", "url"),
        ("https://example.com:x/", "url"),
        ("https://sara@example.com/", "user"),
        ("https://sara:secret@example.com/", "user"),
        ("https://@example.com/", "user"),
        ("https://example.com@127.0.0.1/", "user"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com/#", "fragment"),
        ("https://example.com/a b", "url"),
        ("https://example.com\\@127.0.0.1/", "url"),
        ("https://example.com/\r\nX: y", "url"),
        ("https://example.com/\t", "url"),
        ("https://exam\u200bple.com/", "url"),
        ("https://example.com/\u202e", "url"),
        ("https://example.com/" + "a" * 2_048, "url"),
        ("https://example.com/" + "م" * 1_020, "url"),
        ("https://[::1", "url"),
        ("https://127.0.0.1/", "host"),
        ("https://8.8.8.8/", "host"),
        ("https://[::1]/", "host"),
        ("https://[2606:4700::1111]/", "host"),
        ("https://[fe80::1%25eth0]/", "host"),
        ("https://127.1/", "host"),
        ("https://127.0.1/", "host"),
        ("https://2130706433/", "host"),
        ("https://0x7f000001/", "host"),
        ("https://0x7f.1/", "host"),
        ("https://0X7F.0x1/", "host"),
        ("https://0177.0.0.1/", "host"),
        ("https://1.2.3.4.5/", "host"),
        ("https://example.0x/", "host"),
        ("https://127.0.0.1./", "host"),
        ("https://１２７.０.０.１/", "host"),
        ("https://127。0。0。1/", "host"),
        ("https://127｡0｡0｡1/", "host"),
        ("https://١٢٧.٠.٠.١/", "host"),
        ("https://①②⑦.0.0.1/", "host"),
        ("https://ⓛocalhost.example/", "host"),
        ("https://localhost/", "host"),
        ("https://LOCALHOST./", "host"),
        ("https://printer/", "host"),
        ("https://com/", "host"),
        ("https://printer.local/", "host"),
        ("https://a.b.localhost/", "host"),
        ("https://metadata.google.internal/", "host"),
        ("https://router.home.arpa/", "host"),
        ("https://hidden.onion/", "host"),
        ("https://example..com/", "host"),
        ("https://.example.com/", "host"),
        ("https://example.com../", "host"),
        ("https://-example.com/", "host"),
        ("https://exam_ple.com/", "host"),
        ("https://xn--a.example/", "host"),
        ("https://ex%61mple.com/", "host"),
        ("https://" + "a" * 64 + ".com/", "host"),
        ("https://example.com%00.evil.com/", "host"),
    ],
)
def test_a_tricky_url_is_refused(url, code):
    with pytest.raises(EgressRefused) as refused:
        check_url(url, policy=CLOSED)
    assert refused.value.code == code
    assert str(refused.value.message).endswith(".")


def test_a_url_is_split_once_into_what_is_called():
    target = check_url("https://API.Example.com./طلبات/1?q=أ b".replace(" ", "%20"), policy=CLOSED)

    assert target == Target("https", "api.example.com", 443, "/%D8%B7%D9%84%D8%A8%D8%A7%D8%AA/1?q=%D8%A3%20b")
    assert target.host_header == "api.example.com"
    assert check_url("https://example.com:8443", policy=CLOSED).host_header == "example.com:8443"
    assert check_url("https://example.com?a=1", policy=CLOSED).path == "/?a=1"


def test_an_arabic_name_is_called_by_its_a_label():
    assert check_url("https://موقع.السعودية/", policy=CLOSED).host == "xn--4gbrim.xn--mgberp4a5d4ar"


def test_our_own_name_is_refused():
    with pytest.raises(EgressRefused):
        check_url("https://Nasij.example.org/", policy=Policy(own_names=frozenset({"nasij.example.org"})))


OPENED = read_policy(["127.0.0.1:8026", "[::1]:8026"], http=False, production=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8026/x", "http://localhost:8026/", "https://127.0.0.1:8026/", "http://[::1]:8026/"])
def test_an_opened_pair_is_reached_by_its_number_or_as_localhost(url):
    assert check_url(url, policy=OPENED).address is not None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8027/", "http://127.0.0.2:8026/", "http://localhost/", "http://example.com:8026/", "http://127.1:8026/"]
)
def test_nothing_beside_the_pair_is_opened(url):
    with pytest.raises(EgressRefused):
        check_url(url, policy=OPENED)


def test_a_name_may_use_an_opened_port_only_for_the_opened_address():
    assert str(check_address("127.0.0.1", 8026, policy=OPENED)) == "127.0.0.1"
    with pytest.raises(EgressRefused):
        check_address("8.8.8.8", 8026, policy=OPENED)


def test_a_private_network_is_opened_without_its_metadata_and_our_own_address():
    policy = read_policy(["10.1.0.0/16", "fd00::/8"], http=False, production=True, own_addresses=["10.1.0.7"])

    assert str(check_address("10.1.2.3", 443, policy=policy)) == "10.1.2.3"
    assert str(check_address("fd12::1", 443, policy=policy)) == "fd12::1"
    for inner in ("10.2.0.1", "10.1.0.7", "fd00:ec2::254", "fd20:ce::254", "127.0.0.1", "169.254.169.254"):
        with pytest.raises(EgressRefused):
            check_address(inner, 443, policy=policy)


@pytest.mark.parametrize(
    "opening",
    ["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0", "8.8.8.0/24", "10.0.0.0/7", "::/0", "fe80::/10", "10.0.0.1/8", "what", "127.0.0.1:0",
     "127.0.0.1:x", "169.254.169.254:80", "0.0.0.0:80", "localhost:80", "fe80::1:80"],
)  # fmt: skip
def test_an_opening_that_is_never_allowed_stops_the_start(opening):
    with pytest.raises(ValueError, match=r".*"):
        read_policy([opening], http=False, production=False)


def test_production_opens_neither_single_addresses_nor_plain_http():
    with pytest.raises(ValueError, match="for development"):
        read_policy(["127.0.0.1:8026"], http=False, production=True)
    assert read_policy([], http=True, production=True).http is False


@given(st.text(max_size=60) | st.from_regex(r"https?://[\w.:@\[\]%-]{0,30}(/.*)?", fullmatch=True))
def test_any_text_is_either_split_or_refused(text):
    try:
        target = check_url(text, policy=CLOSED)
    except EgressRefused:
        return
    assert target.scheme == "https" and target.port in (443, 8443) and "." in target.host
    assert target.host.isascii() and target.path.isascii() and target.path.startswith("/")
