"""PostgreSQL, Redshift and MySQL: connected to where it was checked, in sessions that only read."""

import importlib
import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pymysql

from config import silence
from segments.databases import addresses
from segments.databases.engines import over
from segments.databases.target import Encryption, Target

# Dates as PostgreSQL writes them: some of its years are none of Python's.
MOMENTS = psycopg2.extensions.new_type(
    (1082, 1083, 1114, 1184, 1266), "MOMENT", lambda text, _: text
)
MOMENT_LISTS = psycopg2.extensions.new_array_type((1182, 1115, 1185), "MOMENT[]", MOMENTS)
SSL_MODES = {
    Encryption.VERIFY: "verify-full",
    Encryption.REQUIRE: "require",
    Encryption.OFF: "disable",
}


def _authorities() -> str:
    """Whom to believe about certificates; the variable SSL_CERT_FILE names others."""
    return ssl.get_default_verify_paths().cafile or str(
        Path(importlib.import_module("certifi").where())
    )


def postgresql(target: Target, seconds: float, driver: str = "postgresql+psycopg2") -> Any:
    def connect() -> Any:
        found = addresses.checked(target.host, target.port)
        options: dict[str, Any] = silence.database_options()
        # The server's end of it is not everywhere to be set, as with a pooler in between.
        options.pop("options")
        if target.encryption == Encryption.VERIFY:
            options["sslrootcert"] = _authorities()
        connection = psycopg2.connect(
            host=",".join([target.host] * len(found)),
            hostaddr=",".join(found),
            port=target.port,
            dbname=target.database,
            user=target.username,
            password=target.password,
            passfile=os.devnull,
            sslmode=SSL_MODES[Encryption(target.encryption)],
            gssencmode="disable",
            **options,
        )
        connection.set_session(readonly=True)
        psycopg2.extensions.register_type(MOMENTS, connection)
        psycopg2.extensions.register_type(MOMENT_LISTS, connection)
        return connection

    return over(driver, connect)


def redshift(target: Target, seconds: float) -> Any:
    return postgresql(target, seconds, "redshift+psycopg2")


def begin_postgresql(connection: Any, seconds: float, rows: int) -> list[str]:
    return [
        f"SET LOCAL statement_timeout = {int(seconds * 1000)}",
        "SET LOCAL TimeZone = 'UTC'",
        "SET LOCAL DateStyle = 'ISO'",
        "SET LOCAL client_encoding = 'UTF8'",
    ]


def hang_up(connection: Any) -> None:
    """Ends the conversation, whatever the other end does or leaves undone."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def mysql(target: Target, seconds: float) -> Any:
    def connect() -> Any:
        encryption: dict[str, Any] = {"ssl_disabled": True}
        if target.encryption != Encryption.OFF:
            encryption = {"ssl": _encrypted(target)}
        connection = pymysql.connect(
            host=target.host,
            port=target.port,
            user=target.username,
            password=target.password.encode(),
            database=target.database or None,
            charset="utf8mb4",
            read_timeout=seconds,
            write_timeout=addresses.CONNECT_SECONDS,
            local_infile=False,
            defer_connect=True,
            **encryption,
        )
        line = addresses.connect(target.host, target.port)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.connect(line)
        return connection

    return over("mysql+pymysql", connect)


def _encrypted(target: Target) -> ssl.SSLContext:
    if target.encryption == Encryption.VERIFY:
        return ssl.create_default_context()
    # Reading whom to believe would take longer than all the rest of connecting.
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return trusting


def forget_rows(connection: Any) -> None:
    """The driver would have them sent, all of them, before it closes."""
    if connection._result is not None:
        connection._result.unbuffered_active = False


def begin_mysql(connection: Any, seconds: float, rows: int) -> list[str]:
    limit = (
        f"SET SESSION max_statement_time = {seconds}"
        if connection.dialect.is_mariadb
        else f"SET SESSION max_execution_time = {int(seconds * 1000)}"
    )
    return [
        limit,
        "SET SESSION time_zone = '+00:00'",
        # Whoever stops reading in the middle has to be sent the rest first.
        *([f"SET SESSION sql_select_limit = {rows}"] if rows else []),
        # The session as well: a statement that ends the transaction begins another.
        "SET SESSION TRANSACTION READ ONLY",
        "START TRANSACTION READ ONLY",
    ]


def begin_redshift(connection: Any, seconds: float, rows: int) -> list[str]:
    return [f"SET statement_timeout TO {int(seconds * 1000)}"]
