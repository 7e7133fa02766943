"""`manage.py up` as a person runs it: its own data, its own ports, its lines as they come."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

ROOT = Path(__file__).resolve().parents[2]
NOT_INHERITED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SEGUE_",
    "CONSTANT_CONTACT_",
    "BASE_URL",
    "UPLOAD_",
    "DJANGO_ALLOW_ASYNC",
)


def environment(data: Path) -> dict[str, str]:
    """A person's on their own machine: nothing set but where the data is."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    for secret in ("SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"):
        kept.pop(secret, None)
    return kept | {"SEGUE_DATA_DIR": str(data)}


def manage(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(data) | more,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.port, self.sandbox_port = free_port(), free_port()
        self.log = data.parent / f"up-{self.port}.log"
        command = [sys.executable, "manage.py", "up", f"--port={self.port}"]
        command += [f"--sandbox-port={self.sandbox_port}", *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment(data), stdout=log, stderr=subprocess.STDOUT
            )

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def lines(self) -> str:
        return self.log.read_text()

    def wait_for_line(self, text: str, seconds: float = 300) -> None:
        """Long, for a machine that runs browsers and other tests beside it."""
        until(lambda: text in self.lines() or self.process.poll() is not None, seconds, self.lines)
        assert text in self.lines(), self.lines()

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def pid_of(self, part: str) -> int:
        """The process number that `up` told last for the part."""
        return int(re.findall(rf"{part} started \(pid=(\d+)\)", self.lines())[-1])

    def family(self) -> list[psutil.Process]:
        """The parts' processes; the services, which others may use too, are not among them."""
        return [
            process
            for process in psutil.Process(self.process.pid).children(recursive=True)
            if process.name() not in ("postgres", "redis-server")
        ]

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def running(data: Path, *options: str) -> Iterator[Running]:
    started = Running(data, *options)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.stop()


def until(condition: Callable[[], Any], seconds: float, tell: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s\n{tell()}"
        time.sleep(0.5)
