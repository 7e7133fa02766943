"""Where databases may be: see `config.addresses`, and SQL_SOURCES_ALLOW_PRIVATE."""

import socket

from django.conf import settings

from config import addresses
from segments.databases.problems import DatabaseProblem
from workspaces.sentences import gettext as _

CONNECT_SECONDS = 10


def checked(host: str, port: int) -> list[str]:
    """The addresses of the host, all of them allowed, to connect to. Raises `DatabaseProblem`."""
    try:
        return addresses.resolved(host, port, allow_private=settings.SQL_SOURCES_ALLOW_PRIVATE)
    except addresses.NoSuchHost:
        raise DatabaseProblem(
            _("There is no host called “%(host)s”. Check its name.") % {"host": host}, "host"
        ) from None
    except addresses.NotAllowed:
        raise DatabaseProblem(
            _(
                "“%(host)s” is an address inside a private network, which this system does not"
                " connect to. Use the database’s public address, or ask your operator to allow"
                " private ones."
            )
            % {"host": host},
            "host",
        ) from None


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
