"""Real databases for tests, reached over TCP with a password: a PostgreSQL, whose build knows no
encryption, and a MariaDB, which encrypts."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2
import pymysql
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config import embedded
from segments.databases.target import Target

PASSWORD = "s3cr3t’ % “of” the shop"
# Many may run at once on a machine whose asynchronous input and output is rationed.
SMALL = ["--innodb-use-native-aio=0", "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M"]
HAS_MARIADB = bool(shutil.which("mariadbd"))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for localhost that nobody but itself vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = directory / "server.crt", directory / "server.key"
    certificate_path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_path, key_path


class Server(ABC):
    """A running database server: the target of an account that reads, and statements as owner."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def having(self, **changes: object) -> Target:
        return replace(self.target, **changes)  # type: ignore[arg-type]

    @abstractmethod
    def run(self, *statements: str) -> None: ...

    @abstractmethod
    def value(self, statement: str) -> object: ...


class Postgres(Server):
    def __init__(self, target: Target, url: str) -> None:
        super().__init__(target)
        self.url = url

    def _ask(self, statements: tuple[str, ...]) -> list[tuple]:
        with contextlib.closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def run(self, *statements: str) -> None:
        self._ask(("SET ROLE reader", *statements))

    def value(self, statement: str) -> object:
        return self._ask((statement,))[0][0]


class MariaDB(Server):
    def __init__(self, target: Target, authority: Path, line: Path) -> None:
        super().__init__(target)
        self.authority = authority
        self.line = line

    def _ask(self, statements: tuple[str, ...]) -> list[tuple]:
        with contextlib.closing(
            pymysql.connect(
                unix_socket=str(self.line), user="root", database="shop", ssl_disabled=True
            )
        ) as connection:
            connection.autocommit(True)
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())

    def run(self, *statements: str) -> None:
        self._ask(statements)

    def value(self, statement: str) -> object:
        return self._ask((statement,))[0][0]


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="segue-db-", ignore_cleanup_errors=True) as made:
        directory = Path(made)
        directory.chmod(0o755)
        yield directory


def _own(*paths: Path) -> dict[str, object]:
    """Neither server likes to run as root."""
    if os.geteuid() == 0:
        for path in paths:
            shutil.chown(path, embedded.UNPRIVILEGED_USER)
    return embedded._as_unprivileged()


def _run(command: list[str], user: dict[str, object]) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        **user,  # type: ignore
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(command: list[str], user: dict[str, object], log: Path) -> Iterator[None]:
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            stdout=written,
            stderr=written,
            cwd="/",
            **user,  # type: ignore[call-overload]
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _until_it_answers(ask: object, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            ask()  # type: ignore[operator]
        except (psycopg2.OperationalError, pymysql.OperationalError):
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.1)
        else:
            return


@contextmanager
def postgres() -> Iterator[Postgres]:
    with _directory() as directory:
        data, port = directory / "data", free_port()
        data.mkdir(mode=0o700)
        user = _own(data, directory)
        program = embedded.postgres_program
        made = [str(program("initdb")), f"--pgdata={data}", "--username=owner", "--auth=trust"]
        made += ["--encoding=UTF8", "--locale=C", "--no-sync"]
        _run(made, user)
        (data / "pg_hba.conf").write_text("local all owner trust\nhost all all all scram-sha-256\n")
        command = [str(program("postgres")), "-D", str(data)]
        for setting in (
            "listen_addresses=127.0.0.1",
            f"port={port}",
            f"unix_socket_directories={directory}",
            "fsync=off",
        ):
            command += ["-c", setting]
        target = Target(
            "postgresql", "localhost", port, "postgres", "reader", PASSWORD, encryption="off"
        )
        log = directory / "log"
        with _running(command, user, log):
            server = Postgres(target, f"host={directory} port={port} user=owner dbname=postgres")
            _until_it_answers(lambda: server.value("SELECT 1"), log)
            server._ask(
                (
                    "CREATE ROLE reader LOGIN PASSWORD " + _quoted(PASSWORD),
                    "GRANT ALL ON SCHEMA public TO reader",
                )
            )
            yield server


@contextmanager
def mariadb() -> Iterator[MariaDB]:
    with _directory() as directory:
        data, port, line = directory / "data", free_port(), directory / "sock"
        data.mkdir(mode=0o700)
        authority, key = certificate(directory)
        user = _own(data, key, directory)
        made = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
        made += ["--auth-root-authentication-method=normal", *SMALL]
        _run(made, user)
        command = [shutil.which("mariadbd") or "", "--no-defaults", f"--datadir={data}"]
        command += [f"--socket={line}", f"--port={port}", "--bind-address=127.0.0.1"]
        command += ["--innodb-flush-log-at-trx-commit=0", *SMALL]
        command += [f"--ssl-cert={authority}", f"--ssl-key={key}", "--skip-name-resolve"]
        command += [f"--secure-file-priv={directory}", f"--pid-file={directory / 'pid'}"]
        target = Target("mysql", "localhost", port, "shop", "reader", PASSWORD)
        log = directory / "log"
        with _running(command, user, log):
            server = MariaDB(target, authority, line)
            _until_it_answers(
                lambda: pymysql.connect(unix_socket=str(line), user="root").close(), log
            )
            with (
                contextlib.closing(
                    pymysql.connect(unix_socket=str(line), user="root")
                ) as connection,
                connection.cursor() as cursor,
            ):
                cursor.execute("CREATE DATABASE shop CHARACTER SET utf8mb4")
                cursor.execute("CREATE USER reader@'%%' IDENTIFIED BY %s", [PASSWORD])
                cursor.execute("GRANT ALL ON *.* TO reader@'%'")
            yield server


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def a_word() -> str:
    return secrets.token_hex(4)
