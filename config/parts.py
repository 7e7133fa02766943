"""The processes that make up a running system on one machine."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A process of the system; `address` is where a person finds it, if anywhere."""

    name: str
    command: tuple[str, ...]
    address: str = ""
    port: int | None = None


def parts(*, port: int, sandbox_port: int | None, data: str) -> list[Part]:
    python = sys.executable
    celery = (python, "-m", "celery", "-q", "-A", "config.celery")
    worker = (*celery, "worker", "--loglevel=WARNING", "--without-gossip", "--without-mingle")
    found = [
        Part(
            "web",
            (
                python,
                "-m",
                "gunicorn",
                "config.wsgi",
                "--config=python:config.serving",
                f"--bind=127.0.0.1:{port}",
                # Who supervises it waits no longer; browsers keep lines open that nothing comes by.
                "--graceful-timeout=2",
                "--log-level=warning",
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
