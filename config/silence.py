"""How long a connection may be silent before it counts as lost, at both of its ends.

A machine that is cut off says no goodbye. Without these, PostgreSQL would keep a cut-off worker's
session, and the locks that the session holds, for two hours; and the worker would wait as long.
"""

import socket
from typing import Any

SECONDS = 25
CONNECT_SECONDS = 10
PROBES = 3
# How soon PostgreSQL leaves off a statement whose client has died.
STATEMENT_SECONDS = 2

REDIS_OPTIONS = {"socket_timeout": CONNECT_SECONDS, "socket_connect_timeout": CONNECT_SECONDS}


def database_options(seconds: int = SECONDS) -> dict[str, Any]:
    """For libpq; the server's end is set by `options`. Sockets of one machine take no notice."""
    idle, interval = _probing(seconds)
    server = {
        "tcp_keepalives_idle": idle,
        "tcp_keepalives_interval": interval,
        "tcp_keepalives_count": PROBES,
        "tcp_user_timeout": seconds * 1000,
        "client_connection_check_interval": STATEMENT_SECONDS * 1000,
    }
    return {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": idle,
        "keepalives_interval": interval,
        "keepalives_count": PROBES,
        "tcp_user_timeout": seconds * 1000,
        "options": " ".join(f"-c {name}={value}" for name, value in server.items()),
    }


def broker_options(seconds: int = SECONDS) -> dict[str, Any]:
    """For kombu's Redis."""
    idle, interval = _probing(seconds)
    wanted = {
        "TCP_KEEPIDLE": idle,
        "TCP_KEEPINTVL": interval,
        "TCP_KEEPCNT": PROBES,
        "TCP_USER_TIMEOUT": seconds * 1000,
    }
    known = {name: getattr(socket, name, None) for name in wanted}
    return {
        **REDIS_OPTIONS,
        "socket_keepalive": True,
        "socket_keepalive_options": {
            number: wanted[name] for name, number in known.items() if number is not None
        },
    }


def _probing(seconds: int) -> tuple[int, int]:
    """Seconds until the first probe, and between probes."""
    interval = max(1, seconds // 5)
    return seconds - PROBES * interval, interval
