"""Which addresses are of the public Internet, against the IANA registries for special purposes."""

from ipaddress import ip_network

import pytest

from iam.addresses import INNER, Denied, is_public

NOT_REACHABLE = [
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.88.99.2/32",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::1/128",
    "::/128",
    "::/96",
    "::ffff:0:0/104",
    "::ffff:127.0.0.0/104",
    "64:ff9b:1::/48",
    "64:ff9b::7f00:0/104",
    "64:ff9b::a9fe:0/112",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/32",
    "2001:2::/48",
    "2001:10::/28",
    "2001:db8::/32",
    "2002::/16",
    "2002:7f00::/24",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "4000::/3",
    "1000::/4",
]
"""Networks that the registries do not call globally reachable, and what nobody was given."""
REACHABLE = [
    "1.1.1.1/32",
    "8.8.8.0/24",
    "100.128.0.0/16",
    "172.32.0.0/16",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.1.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.175.48.0/24",
    "198.20.0.0/16",
    "223.255.255.0/24",
    "2606:4700::/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:1::3/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
    "2001:200::/32",
    "2620:4f:8000::/48",
    "::ffff:1.1.1.0/120",
    "64:ff9b::101:101/128",
]
HARD = (
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b:1::7f00:1",
    "fec0::1",
    "192.0.0.8",
    "2002:7f00:1::",
    "2001:0:808:808::",
)


@pytest.mark.parametrize("network", NOT_REACHABLE)
def test_s01_special_addresses_are_not_public(network):
    network = ip_network(network)
    assert not is_public(network[0]) and not is_public(network[-1])


@pytest.mark.parametrize("network", REACHABLE)
def test_s01_the_public_internet_is_public(network):
    network = ip_network(network)
    assert is_public(network[0]) and is_public(network[-1])


@pytest.mark.parametrize("address", HARD)
def test_s01_other_spellings_of_inner_addresses_are_never_called(address):
    assert not Denied.of(INNER).allows(ip_network(address)[0])
