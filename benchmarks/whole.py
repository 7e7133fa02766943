"""A whole system for a benchmark: services, tables and files of its own, and gunicorn."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.bench import Bench
from config.embedded import EmbeddedServices
from config.parts import parts
from sandbox.process import SandboxProcess

PORT = 8199


def unlimited() -> SandboxProcess:
    """A provider that makes nobody wait."""
    return SandboxProcess(rate_per_second=10_000, rate_per_day=1_000_000, token_rate=10_000)


@contextmanager
def system(box: SandboxProcess) -> Iterator[Bench]:
    """Migrated, with its static files, beside the sandbox; gone afterwards."""
    data = Path(tempfile.mkdtemp(prefix="segue-bench-"))
    try:
        with EmbeddedServices(data).using(), box:
            bench = Bench(data, box)
            for command in ("migrate", "collectstatic"):
                manage = [sys.executable, "manage.py", command, "--noinput", "--verbosity=0"]
                subprocess.run(manage, env=bench.environment, check=True)
            yield bench
    finally:
        shutil.rmtree(data, ignore_errors=True)


def told_by(bench: Bench, module: str, *arguments: str) -> Any:
    """What a module prints as JSON in its last line, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=bench.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def web(bench: Bench) -> Iterator[str]:
    """Gunicorn as in production; its address."""
    (part,) = (
        one
        for one in parts(port=PORT, sandbox_port=None, data=str(bench.data))
        if one.name == "web"
    )
    address = f"http://localhost:{PORT}"
    environment = bench.environment | {"BASE_URL": address, "ALLOWED_HOSTS": "localhost"}
    process = subprocess.Popen(part.command, env=environment)
    try:
        while True:
            try:
                requests.get(f"{address}/healthz", timeout=60)
                break
            except requests.ConnectionError:
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()
