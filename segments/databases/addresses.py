"""Which addresses databases may have: public ones, and those of a private network where the
operator allows it. Whoever types a host here must not reach what only this system can reach."""

import ipaddress
import socket

from django.conf import settings

from segments.databases.problems import DatabaseProblem
from workspaces.sentences import gettext as _

CONNECT_SECONDS = 10
# Public by their numbers, and yet the cloud's own: they answer with secrets of the machine.
OF_THE_CLOUD = {ipaddress.ip_address(one) for one in ("168.63.129.16", "192.0.0.192")}
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def checked(host: str, port: int) -> list[str]:
    """The addresses of the host, all of them allowed. Raises `DatabaseProblem`.

    Connect to one of these, never to the name: the DNS may answer differently a moment later.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise DatabaseProblem(
            _("There is no host called “%(host)s”. Check its name.") % {"host": host}, "host"
        ) from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not all(map(is_allowed, addresses)):
        raise DatabaseProblem(
            _(
                "“%(host)s” is an address inside a private network, which this system does not"
                " connect to. Use the database's public address, or ask your operator to allow"
                " private ones."
            )
            % {"host": host},
            "host",
        )
    return addresses


def connect(host: str, port: int) -> socket.socket:
    """A socket to the first of the host's checked addresses that answers.

    Raises `DatabaseProblem`, and `OSError` when none does.
    """
    failure: OSError | None = None
    for address in checked(host, port):
        try:
            return socket.create_connection((address, port), CONNECT_SECONDS)
        except OSError as problem:
            failure = problem
    raise failure or OSError


def is_allowed(text: str) -> bool:
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
    return is_public or settings.SQL_SOURCES_ALLOW_PRIVATE


def _inside(address: ipaddress.IPv6Address) -> Address:
    """The IPv4 address that the network makes of it, if it is one of those that stand for one."""
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
