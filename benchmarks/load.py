"""People, uploads and runs together on the whole system: `python -m benchmarks.load [MINUTES]`.

Ends with status 1 when a request failed, a run or a load failed, or what waits for workers grew.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import requests

from benchmarks.bench import ROOT, Bench
from benchmarks.whole import system, told_by, unlimited
from config.embedded import redis_url
from config.parts import parts

PORT = 8198
WORKSPACES, PROFILES, USERS = 5, 5_000, 24
LOCUST = ROOT / ".venv-bench" / "bin" / "locust"
QUEUES = ("default", "data", "runs")
LOOK_SECONDS = 5.0


def build() -> list[dict[str, Any]]:
    """In a process of its own: workspaces with people, a source, a segment, an export, a token."""
    from allauth.account.models import EmailAddress
    from django_scopes import scope

    from api import tokens
    from api.models import Scope
    from benchmarks.steps import connect, list_id
    from exports.models import Destination, DestinationSegment
    from segments import drafts, imports, sources
    from segments.membership import refresh_segment
    from segments.models import Segment
    from workspaces.models import Role, User
    from workspaces.services import create_workspace

    rule = {"attribute": "points", "operator": "at_least", "value": "100"}
    rows = [f"k{n},p{n}@example.com,First{n},Last{n},{n % 999}" for n in range(PROFILES)]
    file = "\n".join(["key,email,first,last,points", *rows, ""]).encode()
    found = []
    for number in range(WORKSPACES):
        email, password = f"load{number}@example.com", "under a load"
        user = User.objects.create_user(email, password)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        workspace = create_workspace(f"Load {number}", administrator=user, time_zone="UTC")
        with scope(workspace=workspace):
            source = sources.create_source(workspace, "Shop")
            load = drafts.take_file(source, "shop.csv", [file])
            columns = drafts.chosen_columns(load)
            drafts.prepare(load, key="key", columns=columns, skip_refused=False, by=user)
            imports.run_import(load)
            segment = Segment.objects.create(
                workspace=workspace, name="Everyone", rules={"match": "all", "rules": [rule]}
            )
            refresh_segment(segment)
            destination = Destination.objects.create(
                workspace=workspace,
                name="Newsletter",
                connection=connect(workspace, user),
                list_id=list_id(),
                list_name="Newsletter",
                matching={"email": "email", "first_name": "first", "last_name": "last"},
            )
            DestinationSegment.objects.create(
                workspace=workspace, destination=destination, segment=segment
            )
            made = tokens.create(
                workspace,
                name="load",
                expires_at=None,
                role=Role.ADMINISTRATOR,
                scopes=list(Scope),
                by=user,
            )
        found.append(
            {
                "slug": workspace.slug,
                "login": email,
                "password": password,
                "token": made.text,
                "source": source.pk,
                "segment": segment.pk,
                "destination": destination.pk,
            }
        )
    return found


def count() -> dict[str, dict[str, int]]:
    """How many runs and loads there are, by state."""
    from config.row_security import across_workspaces
    from exports.models import Run
    from segments.models import Import

    with across_workspaces():
        return {
            "runs": dict(Counter(Run.objects.values_list("state", flat=True))),
            "loads": dict(Counter(Import.objects.values_list("state", flat=True))),
        }


def measure(minutes: float) -> list[str]:
    """Prints what was measured; returns what was not as it is to be."""
    address = f"http://localhost:{PORT}"
    with system(unlimited()) as bench:
        bench.environment |= {"BASE_URL": address, "ALLOWED_HOSTS": "localhost"}
        world = bench.data / "world.json"
        world.write_text(json.dumps(told_by(bench, "benchmarks.load", "build")))
        with _whole_system(bench):
            _wait_for(address)
            depths = _under_load(bench, world, address, minutes)
            drained = _drain(bench.data)
        rows = list(csv.DictReader((bench.data / "load_stats.csv").open()))
        states = told_by(bench, "benchmarks.load", "count")
        _print(rows, depths, drained, states)
        return _faults(rows, depths, drained, states)


@contextmanager
def _whole_system(bench: Bench) -> Iterator[None]:
    found = parts(port=PORT, sandbox_port=None, data=str(bench.data))
    processes = [subprocess.Popen(part.command, env=bench.environment) for part in found]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if requests.get(f"{address}/readyz", timeout=10).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        time.sleep(0.3)
    raise SystemExit("The system was not ready within a minute.")


def _under_load(bench: Bench, world: Path, address: str, minutes: float) -> list[int]:
    """How many tasks waited, looked at every few seconds."""
    command = [str(LOCUST), "-f", str(ROOT / "benchmarks" / "locustfile.py"), "--headless"]
    command += ["-u", str(USERS), "-r", "2", "-t", f"{int(minutes * 60)}s", "--host", address]
    command += ["--csv", str(bench.data / "load"), "--only-summary", "--loglevel", "ERROR"]
    environment = os.environ | {"LOAD_WORLD": str(world)}
    depths = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as locust:
        while locust.poll() is None:
            depths.append(_waiting(bench.data))
            time.sleep(LOOK_SECONDS)
    return depths


def _waiting(data: Path) -> int:
    server = redis.Redis.from_url(redis_url(data))
    return sum(int(server.llen(name)) for name in QUEUES)


def _drain(data: Path) -> float:
    """Seconds until nothing waits any more."""
    started = time.monotonic()
    while _waiting(data) and time.monotonic() - started < 120:
        time.sleep(0.5)
    time.sleep(10)
    return time.monotonic() - started - 10


def _print(
    rows: list[dict[str, str]],
    depths: list[int],
    drained: float,
    states: dict[str, dict[str, int]],
) -> None:
    print(f"{'request':24} {'count':>7} {'failed':>6} {'median':>8} {'95 %':>8}")
    for row in rows:
        name = f"{row['Name']}"[:24]
        numbers = row["Request Count"], row["Failure Count"]
        print(
            f"{name:24} {numbers[0]:>7} {numbers[1]:>6} {row['Median Response Time']:>5} ms"
            f" {row['95%']:>5} ms"
        )
    third = max(1, len(depths) // 3)
    print(f"tasks that waited: {statistics.mean(depths[:third]):.1f} in the first third of the")
    print(f"time, {statistics.mean(depths[-third:]):.1f} in the last, {max(depths)} at most;")
    print(f"none {drained:.0f} s after the end")
    print(json.dumps(states))


def _faults(
    rows: list[dict[str, str]],
    depths: list[int],
    drained: float,
    states: dict[str, dict[str, int]],
) -> list[str]:
    third = max(1, len(depths) // 3)
    first, last = statistics.mean(depths[:third]), statistics.mean(depths[-third:])
    failed = int(rows[-1]["Failure Count"])
    wrong = {kind: states[kind].get("failed", 0) for kind in states}
    found = [f"{failed} requests failed"] if failed else []
    found += [f"{number} {kind} failed" for kind, number in wrong.items() if number]
    if last > 2 * first + 5 or drained > 60:
        found.append("what waits for workers grew")
    return found


def main() -> None:
    step = sys.argv[1] if len(sys.argv) > 1 else "10"
    if step in ("build", "count"):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        print(json.dumps(build() if step == "build" else count()))
        return
    faults = measure(float(step))
    for fault in faults:
        print(fault)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
