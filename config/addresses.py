"""Which addresses this system connects to for whoever typed a host: public ones, and those of a
private network where the operator allows it. Nobody is to reach what only this system can reach."""

import ipaddress
import socket

# Public or private by their numbers, and yet the cloud's own: they answer with secrets of the
# machine. Of Azure, Oracle, Alibaba, and by IPv6 of Amazon and Google.
OF_THE_CLOUD = {
    ipaddress.ip_address(one)
    for one in (
        "168.63.129.16",
        "192.0.0.192",
        "100.100.100.200",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
}
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NoSuchHost(Exception):
    """The DNS knows no address of the host."""


class NotAllowed(Exception):
    """The host has an address that is not to be connected to."""


def resolved(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of the host, all of them allowed. Raises `NoSuchHost` and `NotAllowed`.

    Connect to one of these, never to the name: the DNS may answer differently a moment later.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoSuchHost(host) from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not all(is_allowed(one, allow_private=allow_private) for one in addresses):
        raise NotAllowed(host)
    return addresses


def is_allowed(text: str, *, allow_private: bool) -> bool:
    """Link-local addresses and others where nobody's service can be are never allowed."""
    address: Address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        address = _inside(address)
    if (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address in OF_THE_CLOUD
    ):
        return False
    is_public = address.is_global and not address.is_reserved
    if isinstance(address, ipaddress.IPv6Address):
        is_public = is_public and not address.is_site_local
    return is_public or allow_private


def _inside(address: ipaddress.IPv6Address) -> Address:
    """The IPv4 address that the network makes of it, if it is one of those that stand for one."""
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
