"""The processes that make up a running system, and the keeper that restarts one that dies.

`python -m config.parts NAME COMMAND…` is the keeper.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from types import FrameType

QUICK_SECONDS = 10
LONGEST_PAUSE_SECONDS = 30


@dataclass(frozen=True)
class Part:
    """A process of the system; `address` is where a person finds it, if anywhere."""

    name: str
    command: tuple[str, ...]
    address: str = ""
    port: int | None = None


def parts(*, port: int, sandbox_port: int | None, data: str) -> list[Part]:
    python = sys.executable
    celery = (python, "-m", "celery", "-A", "config.celery")
    worker = (*celery, "worker", "--loglevel=WARNING", "--without-gossip", "--without-mingle")
    found = [
        Part(
            "web",
            (
                python,
                "-m",
                "gunicorn",
                "config.wsgi",
                f"--bind=127.0.0.1:{port}",
                "--workers=2",
                "--threads=4",
                "--timeout=120",
                "--log-level=warning",
                "--worker-tmp-dir=/dev/shm" if os.path.isdir("/dev/shm") else "--preload",  # noqa: S108
            ),
            f"http://localhost:{port}/",
            port,
        ),
        Part("worker", (*worker, "-Q", "default,data", "--concurrency=2", "-n", "work@%h")),
        Part("runs", (*worker, "-Q", "runs", "--concurrency=2", "-n", "runs@%h")),
        Part("beat", (*celery, "beat", "--loglevel=WARNING", f"--schedule={data}/beat-schedule")),
    ]
    if sandbox_port is not None:
        found.append(
            Part(
                "sandbox",
                (
                    python,
                    "-m",
                    "sandbox",
                    f"--port={sandbox_port}",
                    f"--data={data}/sandbox.state",
                ),
                f"http://localhost:{sandbox_port}/",
                sandbox_port,
            )
        )
    return found


def keep(name: str, command: list[str]) -> None:
    """Runs the command for ever; starts it again when it ends, more slowly if it ends at once."""
    process: subprocess.Popen[bytes] | None = None

    def stop(number: int, frame: FrameType | None) -> None:
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    pause = 1.0
    while True:
        started = time.monotonic()
        process = subprocess.Popen(command)  # noqa: S603 - our own programs
        status = process.wait()
        if time.monotonic() - started > QUICK_SECONDS:
            pause = 1.0
        print(  # noqa: T201 - this is its log
            f"{name} ended with status {status}; starting it again in {pause:.0f} s", flush=True
        )
        time.sleep(pause)
        pause = min(LONGEST_PAUSE_SECONDS, pause * 2)


if __name__ == "__main__":
    keep(sys.argv[1], sys.argv[2:])
