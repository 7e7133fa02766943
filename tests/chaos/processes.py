"""What is killed: real workers as `manage.py up` starts them, the scheduler, PostgreSQL, Redis."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import psutil
import redis

from config.embedded import EmbeddedServices, database_url, redis_url
from config.parts import parts
from config.supervision import prepare_child
from sandbox.process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = "tests.chaos.settings"
POOL = 2
RATE_PER_SECOND = 12
RATE_PER_DAY = 1_000_000
SANDBOX = {
    "latency": 0.12,
    "activity_latency": 0.5,
    "rate_per_second": RATE_PER_SECOND,
    "rate_per_day": RATE_PER_DAY,
}


def environment(data: Path, sandbox: SandboxProcess) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "DATABASE_URL": database_url(data),
        "REDIS_URL": redis_url(data),
        "SEGUE_DATA_DIR": str(data),
        "UPLOAD_DIR": str(data / "uploads"),
        "SECRET_KEY": "only-for-chaos-" * 5,
        "TOKEN_ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        "BASE_URL": "http://localhost",
        "CONSTANT_CONTACT_CLIENT_ID": sandbox.client_id,
        "CONSTANT_CONTACT_CLIENT_SECRET": sandbox.client_secret,
        "CONSTANT_CONTACT_AUTH_URL": sandbox.auth_url,
        "CONSTANT_CONTACT_API_URL": sandbox.api_url,
        "CONSTANT_CONTACT_RATE_PER_SECOND": str(RATE_PER_SECOND),
        "CONSTANT_CONTACT_RATE_PER_DAY": str(RATE_PER_DAY),
        "LOG_LEVEL": "WARNING",
    }


class Kept:
    """A process that is started again as soon as it is seen to be dead."""

    def __init__(self, name: str, command: list[str], data: Path, environment: dict[str, str]):
        self.name = name
        self.command = command
        self.log = data / f"{name}.log"
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    def mend(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=prepare_child,
            )

    def children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.process.pid).children() if self.process else []
        except psutil.NoSuchProcess:
            return []

    @property
    def is_at_work(self) -> bool:
        """A worker is, once it has a pool; one that only starts has nothing to lose."""
        alive = self.process is not None and self.process.poll() is None
        return alive and len(self.children()) >= POOL

    def kill_all(self) -> None:
        """It and its pool at once, as a machine that loses its power."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_parent(self) -> None:
        """It alone: what its pool is at goes on, with nobody to tell."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def kill_child(self, random: Random) -> None:
        """One of its pool, as when memory runs out."""
        with suppress(psutil.NoSuchProcess):
            random.choice(self.children()).kill()

    def freeze(self, *, on: bool) -> None:
        """All of it stands still, as a machine that is suspended; or goes on."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGSTOP if on else signal.SIGCONT)

    def cry(self) -> None:
        """Has Celery write down what each of its threads is at."""
        if self.is_at_work and self.process is not None:
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(1)

    def last_words(self, lines: int = 60) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(f"  {self.name}: {line}" for line in text.splitlines()[-lines:])


class System:
    """Two workers and the scheduler on a PostgreSQL and a Redis of their own."""

    def __init__(self, data: Path, services: EmbeddedServices, sandbox: SandboxProcess) -> None:
        self.data = data
        self.services = services
        self.sandbox = sandbox
        surroundings = environment(data, sandbox)
        usual = {part.name: part.command for part in parts(port=0, sandbox_port=None, data=data)}
        self.workers = [
            Kept(name, [*usual["runs"][:-1], f"{name}@%h"], data, surroundings)
            for name in ("one", "two")
        ]
        self.beat = Kept("beat", list(usual["beat"]), data, surroundings)
        self.frozen: list[tuple[float, Kept]] = []

    def mend(self) -> None:
        for kept in (*self.workers, self.beat):
            kept.mend()
        for until, worker in self.frozen[:]:
            if time.monotonic() > until:
                worker.freeze(on=False)
                self.frozen.remove((until, worker))

    def at_work(self) -> list[Kept]:
        """Workers that can be killed now and have something to lose."""
        standing = [worker for _, worker in self.frozen]
        return [one for one in self.workers if one.is_at_work and one not in standing]

    def kill_one(self, random: Random) -> str | None:
        """Kills a worker or a part of it; says how, None when none was at work."""
        chosen, way = random.random(), random.choices(["all", "child", "parent"], [45, 35, 20])[0]
        living = self.at_work()
        if not living:
            return None
        worker = living[int(chosen * len(living))]
        if way == "all":
            worker.kill_all()
        elif way == "child":
            worker.kill_child(random)
        else:
            worker.kill_parent()
        return way

    def freeze_one(self, random: Random) -> None:
        seconds = random.uniform(3, 5)
        living = self.at_work()
        if living:
            worker = living[0]
            worker.freeze(on=True)
            self.frozen.append((time.monotonic() + seconds, worker))

    def restart_redis(self) -> None:
        """Killed: what it has answered is in its file."""
        client = redis.Redis(unix_socket_path=str(self.services.sockets / "redis.sock"))
        pid = int(client.info("server")["process_id"])
        client.close()
        self._kill_and_start(pid, signal.SIGKILL)

    def restart_postgres(self) -> None:
        """Shut down at once: it recovers as from a crash."""
        pid = int((self.services.data / "postgres" / "postmaster.pid").read_text().split()[0])
        self._kill_and_start(pid, signal.SIGQUIT)

    def _kill_and_start(self, pid: int, number: signal.Signals) -> None:
        os.kill(pid, number)
        process = psutil.Process(pid)
        deadline = time.monotonic() + 30
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, f"process {pid} outlived signal {number}"
            time.sleep(0.02)
        with suppress(ChildProcessError):
            os.waitpid(pid, 0)
        self.services.revive()

    def end(self) -> None:
        for kept in (*self.workers, self.beat):
            if kept.process is not None:
                kept.kill_all()

    def last_words(self) -> str:
        for worker in self.workers:
            worker.cry()
        return "\n".join(kept.last_words() for kept in (*self.workers, self.beat))


@contextmanager
def running(
    kind: type[EmbeddedServices] = EmbeddedServices, **of_sandbox: object
) -> Iterator[System]:
    """A system of its own, from here on Django's too; nothing of it is left afterwards."""
    data = Path(tempfile.mkdtemp(prefix="segue-chaos-"))
    services = kind(data)
    try:
        with services.using(), SandboxProcess(**SANDBOX, **of_sandbox) as sandbox:
            os.environ |= environment(data, sandbox)
            import django

            django.setup()
            from django.db import connections

            system = System(data, services, sandbox)
            try:
                yield system
            finally:
                system.end()
                connections.close_all()
    finally:
        shutil.rmtree(data, ignore_errors=True)
