"""Whom nobody may call, as the operator lists it (HTTPClient.DenyList)."""

import ipaddress
import threading

import pytest

from iam.addresses import INNER, Denied, is_public
from iam.outgoing import ForbiddenError, Outgoing
from iam.settings.sources import BadValue, read
from iam.settings.tree import Config

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"]
INSIDE = [
    "127.0.0.1",
    "::1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd00::1",
    "169.254.169.254",
    "fe80::1",
]
NOBODY = ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255", "203.0.113.1", "2001:db8::1"]


def allowed(entries, addresses):
    denied = Denied.of(entries)
    return [one for one in addresses if denied.allows(ipaddress.ip_address(one))]


def test_s01_without_a_word_of_the_operator_only_public_addresses_are_called():
    assert allowed(INNER, PUBLIC) == PUBLIC and allowed(INNER, [*INSIDE, *NOBODY]) == []
    assert Config().HTTPClient.DenyList == INNER
    for address in map(ipaddress.ip_address, [*PUBLIC, *INSIDE, *NOBODY]):
        assert Denied.of(INNER).allows(address) == is_public(address)


def test_s01_a_network_that_is_taken_from_the_list_may_be_called_and_no_other():
    shorter = [one for one in INNER if one != "10.0.0.0/8"]
    assert allowed(shorter, [*PUBLIC, *INSIDE, *NOBODY]) == [*PUBLIC, "10.1.2.3"]
    assert allowed([], [*INSIDE, *NOBODY]) == INSIDE, "what is no address of a machine is never called"


@pytest.mark.parametrize("address", ["::ffff:10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::1"])
def test_s01_an_address_inside_another_counts_as_what_it_is(address):
    assert allowed(INNER, [address]) == [] and allowed([], [address]) == [address]


def test_s01_public_networks_and_names_may_be_listed_as_well():
    entries = ["93.184.216.0/24", "Hooks.Example.com"]
    assert allowed(entries, PUBLIC) == ["2606:2800:220:1::1"]
    denied = Denied.of(entries)
    assert denied.names("hooks.example.com.") and not denied.names("example.com")
    client = Outgoing(resolve=lambda host: [ipaddress.ip_address("8.8.8.8")], refuses=denied.names)
    assert client.leads_inside("HOOKS.example.com") and not client.leads_inside("other.example.com")
    with pytest.raises(ForbiddenError):
        client.checked_address("hooks.example.com")


def test_s01_a_name_that_is_not_found_leads_nowhere_yet_and_one_that_takes_too_long_as_well():
    def not_found(host):
        raise OSError(-2, "Name or service not known")

    assert not Outgoing(resolve=not_found).leads_inside("a.example")
    never = threading.Event()
    assert not Outgoing(resolve=lambda host: never.wait(5) or [], seconds=0.05).leads_inside("a.example")
    with pytest.raises(TimeoutError):
        Outgoing(resolve=lambda host: never.wait(5) or [], seconds=0.05).checked_address("a.example")
    never.set()


def test_the_list_is_written_as_text_or_as_a_list(tmp_path):
    (tmp_path / "c.yaml").write_text("HTTPClient:\n  DenyList:\n  - localhost\n  - 10.0.0.0/8\n  Timeout: 5s\n")
    config, warnings = read(["--config", str(tmp_path / "c.yaml")], {})
    assert (config.HTTPClient.DenyList, warnings) == (("localhost", "10.0.0.0/8"), [])
    config, _ = read([], {"ZITADEL_HTTPCLIENT_DENYLIST": "localhost, 10.0.0.0/8"})
    assert config.HTTPClient.DenyList == ("localhost", "10.0.0.0/8")
    with pytest.raises(BadValue, match="Timeout"):
        read([], {"ZITADEL_HTTPCLIENT_TIMEOUT": "10m"})
