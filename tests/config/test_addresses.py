"""Which addresses are connected to for whoever typed a host."""

import pytest

from config import addresses

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fec0::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "240.0.0.1",
]
NEVER = [
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "fe80::1",
    "0.0.0.0",  # noqa: S104 - not bound to
    "::",
    "224.0.0.1",
    "ff02::1",
    "168.63.129.16",
    "192.0.0.192",
    "100.100.100.200",
    "fd00:ec2::254",
    "fd20:ce::254",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_the_operators_to_allow(address: str) -> None:
    assert not addresses.is_allowed(address, allow_private=False)
    assert addresses.is_allowed(address, allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_addresses_where_no_service_can_be_are_never_allowed(address: str) -> None:
    assert not addresses.is_allowed(address, allow_private=True)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert addresses.is_allowed(address, allow_private=False)
