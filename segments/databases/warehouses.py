"""Databases whose drivers an operator installs besides: each takes what its driver asks for.

None of them has a session that only reads, so that there the account's rights keep what is there.
"""

import json
import re
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPSConnection

from segments.databases import addresses, engines
from segments.databases.problems import DatabaseProblem
from segments.databases.target import Target
from workspaces.sentences import gettext as _

ACCOUNT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
GOOGLE = "https://oauth2.googleapis.com/token"


def snowflake(target: Target, seconds: float) -> Any:
    account = target.options["account"]
    if not ACCOUNT.fullmatch(account):
        raise DatabaseProblem(
            _("“%(account)s” is no account of Snowflake. It looks like ORGANISATION-ACCOUNT.")
            % {"account": account}
        )
    schema = target.options["schema"]
    address = {
        "username": target.username,
        "password": target.password,
        "host": account,
        "database": f"{target.database}/{schema}" if schema else target.database,
        "query": {
            name: target.options[name] for name in ("warehouse", "role") if target.options[name]
        },
    }
    limit = {"STATEMENT_TIMEOUT_IN_SECONDS": int(seconds)}
    return engines.at("snowflake", address, connect_args={"session_parameters": limit})


def bigquery(target: Target, seconds: float) -> Any:
    """The password is the key of a service account, as the JSON that Google gives."""
    try:
        key = json.loads(target.password)
        project = target.options["project"] or key["project_id"]
        is_key = key["type"] == "service_account"
    except (ValueError, TypeError, KeyError):
        is_key = False
    if not is_key:
        raise DatabaseProblem(
            _("This is not the key of a service account. Paste the whole JSON file from Google."),
            "password",
        )
    # The key may name any place to ask for a token, also one inside this network.
    key = {**key, "token_uri": GOOGLE, "universe_domain": "googleapis.com"}
    address = {"host": project, "database": target.options["dataset"]}
    return engines.at("bigquery", address, credentials_info=key)


class _CheckedConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return addresses.connect(self.host, self.port or 443)


class _CheckedPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedConnection


class _CheckedAdapter(HTTPAdapter):
    """Connects to addresses that were checked, wherever it is sent on to."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"https": _CheckedPool}


def trino(target: Target, seconds: float) -> Any:
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _CheckedAdapter())
    session.mount("http://", _CheckedAdapter())
    schema = target.options["schema"]
    catalog = target.database
    address = {
        "username": target.username,
        "password": target.password or None,
        "host": target.host,
        "port": target.port,
        "database": f"{catalog}/{schema}" if schema else catalog,
    }
    return engines.at(
        "trino",
        address,
        connect_args={
            "http_scheme": "https",
            "http_session": session,
            "verify": target.encryption == "verify",
            "session_properties": {"query_max_run_time": f"{int(seconds)}s"},
        },
    )


def hang_up(connection: Any) -> None:
    connection.close()
