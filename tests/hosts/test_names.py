"""The one form of a host's name, the origin made of it, and the header of proxies; without a database."""

import pytest
from django.conf import settings

from iam.access.forwarded import elements_of, node_of
from iam.access.hosts import host_asked, origin_of, public_host
from iam.kernel.errors import InvalidInput
from iam.kernel.hosts import host_name
from tests.hosts.forms import KNOWN, MALFORMED, NAME, ORIGINS, UNKNOWN

PROXY, INNER, CLIENT = "10.0.0.7", "10.0.0.8", "198.51.100.4"


@pytest.fixture(autouse=True)
def proxies(monkeypatch):
    monkeypatch.setattr(settings.CONFIG, "TrustedProxies", "10.0.0.0/8,2001:db8::/32")


@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_h01_every_spelling_of_a_host_has_one_name(form, name):
    assert host_name(form) == name


@pytest.mark.parametrize("form", MALFORMED)
def test_h01_what_is_no_host_has_no_name(form):
    with pytest.raises(ValueError):
        host_name(form)
    with pytest.raises(InvalidInput):
        host_asked({"host": form}, CLIENT)


@pytest.mark.parametrize("form", UNKNOWN)
def test_h01_hosts_that_nobody_knows_are_names_all_the_same(form):
    assert host_name(form) == host_name(host_name(form))


def test_h01_addresses_have_one_spelling():
    assert {host_name(one) for one in ("[::1]", "[0:0:0:0:0:0:0:1]:443", "[::0001]:")} == {"[::1]"}
    assert host_name("[2001:DB8::A]") == "[2001:db8::a]"


@pytest.mark.parametrize(("secure", "port", "behind"), ORIGINS.values(), ids=ORIGINS)
@pytest.mark.parametrize(("form", "name"), KNOWN)
def test_h01_scheme_and_port_are_the_configurations(monkeypatch, secure, port, behind, form, name):
    monkeypatch.setattr(settings.CONFIG, "ExternalSecure", secure)
    monkeypatch.setattr(settings.CONFIG, "ExternalPort", port)
    assert origin_of(form) == f"{'https' if secure else 'http'}://{name}{behind}"


INSIDE = {"host": "gatehouse.internal:8080"}
TOLD = {
    "X-Forwarded-Host": ({"x-forwarded-host": NAME}, NAME),
    "with a port and in capitals": ({"x-forwarded-host": f"{NAME.upper()}:6666"}, NAME),
    "x-zitadel-instance-host": ({"x-zitadel-instance-host": NAME}, NAME),
    "before the others": ({"x-zitadel-instance-host": NAME, "x-forwarded-host": "b.example"}, NAME),
    "Forwarded": ({"forwarded": f"for={CLIENT};host={NAME};proto=https"}, NAME),
    "Forwarded before X-Forwarded-Host": ({"forwarded": f"host={NAME}", "x-forwarded-host": "b.example"}, NAME),
    "Forwarded without a host": ({"forwarded": f"for={CLIENT}", "x-forwarded-host": NAME}, NAME),
    "quoted": ({"forwarded": f'For="{CLIENT}:4711" ; HOST="{NAME}:443"'}, NAME),
    "quoted with escapes": ({"forwarded": 'host="login\\.example.com"'}, NAME),
    "a separator in quotes": ({"forwarded": f'by="a;b,c";host={NAME}'}, NAME),
    "an element of the client's own": ({"forwarded": f"host=evil.example, for={CLIENT};host={NAME}"}, NAME),
    "said to come from a proxy": ({"forwarded": f"for={INNER};host=evil.example, for={CLIENT};host={NAME}"}, NAME),
    "through two proxies": ({"forwarded": f"for={CLIENT};host={NAME}, for={INNER};host=inner.example"}, NAME),
    "through two, the inner one silent": ({"forwarded": f"for={CLIENT};host={NAME}, for={INNER}"}, NAME),
    "through two of IPv6": ({"forwarded": f'for={CLIENT};host={NAME}, for="[2001:db8::7]:1";host=inner.example'}, NAME),
    "hidden": ({"forwarded": f"host=evil.example, for=_hidden;host={NAME}"}, NAME),
    "unknown": ({"forwarded": f"host=evil.example, for=unknown;host={NAME}"}, NAME),
    "a list through one proxy": ({"x-forwarded-host": f"evil.example, {NAME}", "x-forwarded-for": CLIENT}, NAME),
    "a list through two proxies": (
        {"x-forwarded-host": f"{NAME}, inner.example", "x-forwarded-for": f"{CLIENT}, {INNER}"},
        NAME,
    ),
    "one name through two proxies": ({"x-forwarded-host": NAME, "x-forwarded-for": f"{CLIENT}, {INNER}"}, NAME),
    "more names than proxies": (
        {"x-forwarded-host": f"evil.example, {NAME}, inner.example", "x-forwarded-for": f"{INNER}, {CLIENT}, {INNER}"},
        NAME,
    ),
    "nothing": ({}, "gatehouse.internal"),
    "empty": ({"x-forwarded-host": " ", "forwarded": "", "x-zitadel-instance-host": ""}, "gatehouse.internal"),
}


@pytest.mark.parametrize(("headers", "name"), TOLD.values(), ids=TOLD)
def test_h01_h02_a_trusted_proxy_tells_the_host(headers, name):
    assert host_asked(INSIDE | headers, PROXY) == name


@pytest.mark.parametrize("headers", [headers for headers, _ in TOLD.values()], ids=TOLD)
@pytest.mark.parametrize("peer", [CLIENT, "", "127.0.0.1", "::1", "not an address"])
def test_h01_h02_nobody_else_does(headers, peer):
    assert host_asked(INSIDE | headers, peer) == "gatehouse.internal"


@pytest.mark.parametrize(
    "header",
    [
        f'for="x, for={CLIENT};host={NAME}',
        f'host=evil.example;for="x, for={CLIENT};host="{NAME}"',
        f"host={NAME};host=evil.example",
        f"host={NAME} evil",
        "host",
        "=x",
        f'host="{NAME}"x',
        'host="a\\"',
        f"host=evil@{NAME}",
        ",".join(["for=a"] * 21),
    ],
)
def test_h02_a_malformed_forwarded_is_refused_whole(header):
    with pytest.raises(InvalidInput):
        host_asked(INSIDE | {"forwarded": header}, PROXY)


@pytest.mark.parametrize("form", [one for one in MALFORMED if one.strip()])
def test_h02_a_proxy_cannot_tell_what_is_no_host(form):
    for name in ("x-zitadel-instance-host", *(() if "," in form else ("x-forwarded-host",))):
        with pytest.raises(InvalidInput):
            host_asked(INSIDE | {name: form}, PROXY)


def test_h02_only_a_trusted_proxy_names_the_host_of_links():
    headers = {"x-zitadel-public-host": f"{NAME.upper()}:6666"}
    assert public_host(headers, PROXY) == NAME
    assert public_host(headers, CLIENT) == public_host({}, PROXY) == ""


def test_h02_nodes_of_forwarded():
    told = elements_of('for=192.0.2.43:47011, for="[2001:db8::1]:4711", for=_gazonk, for=unknown, by=x')
    assert [node_of(one) for one in told] == ["192.0.2.43", "2001:db8::1", "_gazonk", "unknown", ""]
