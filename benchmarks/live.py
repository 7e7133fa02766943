"""What open pages of a running run cost: `python -m benchmarks.live [PAGES] [SECONDS]`.

Gunicorn as in production; each page is another member's. The run asks something of the provider
every second, and with every fourth of these requests a batch is sent or confirmed: what pages show
changes each second. Processor seconds of web, PostgreSQL and Redis, with no page open (what the
run's own writing costs) and with all of them: once as browsers follow it, once as they ask again
and again where an answer can't be kept open.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from typing import Any

import psutil
import redis
import requests

from benchmarks.bench import Bench
from benchmarks.whole import system, told_by, web
from config.embedded import redis_url
from sandbox.process import SandboxProcess

MOVES_EVERY, MOVES_A_BATCH = 1.0, 4
BATCHES, CONTACTS = 25, 40_000
STREAM = "application/x-segue-lines"
ASKS_AGAIN = re.compile(r'id="run"[^>]*hx-get="([^"]+)"[^>]*hx-trigger="every (\d+)s"')
SAID = re.compile(r'id="run-requests">([\d,]+)<')


def build(pages: int) -> dict[str, Any]:
    """In a process of its own: as many members, signed in, and a run that is sending."""
    from django.utils import timezone
    from django_scopes import scope

    from benchmarks.people import members, session_of
    from exports.models import Batch, Destination, Run
    from workspaces.models import User
    from workspaces.services import create_workspace

    owner = User.objects.create(email="owner@example.com")
    workspace = create_workspace("Watched", administrator=owner, time_zone="UTC")
    people = members(workspace, pages)
    with scope(workspace=workspace):
        destination = Destination.objects.create(workspace=workspace, name="Newsletter")
        now = timezone.now()
        run = Run.objects.create(
            workspace=workspace,
            destination=destination,
            state=Run.State.SENDING,
            trigger=Run.Trigger.MEMBER,
            started_at=now,
            planned_at=now,
            in_segments=BATCHES * CONTACTS,
            added=BATCHES * CONTACTS,
        )
        Batch.objects.bulk_create(
            Batch(
                workspace=workspace,
                run=run,
                number=number,
                contacts=CONTACTS,
                body_bytes=3_900_000,
            )
            for number in range(1, BATCHES + 1)
        )
    return {"run": run.pk, "slug": workspace.slug, "sessions": [session_of(one) for one in people]}


def move(run_pk: int, slug: str) -> None:
    """A request every second, now and then a batch further by it, as a worker writes it.

    Prints when, and how many requests.
    """
    from django.db.models import F
    from django.utils import timezone
    from django_scopes import scope

    from exports.models import Batch, Run
    from workspaces.models import Workspace

    with scope(workspace=Workspace.objects.get(slug=slug)):
        now = timezone.now()
        Run.objects.filter(pk=run_pk).update(started_at=now, planned_at=now, requests=0)
        Batch.objects.filter(run=run_pk).update(state=Batch.State.PLANNED)
        requests_used = sent = confirmed = 0
        while sent < BATCHES:
            time.sleep(MOVES_EVERY)
            now = timezone.now()
            requests_used += 1
            if requests_used % MOVES_A_BATCH == 0:
                if sent - confirmed < 4:
                    sent += 1
                    moved = {"number": sent, "state": Batch.State.SENT, "sent_at": now}
                else:
                    confirmed += 1
                    moved = {"number": confirmed, "state": Batch.State.CONFIRMED, "ended_at": now}
                Batch.objects.filter(run=run_pk, number=moved.pop("number")).update(**moved)
            Run.objects.filter(pk=run_pk).update(requests=F("requests") + 1, heartbeat_at=now)
            print(json.dumps([time.time(), requests_used]), flush=True)


class Page(threading.Thread):
    """An open page: follows the run as a browser does, and notes when it showed what."""

    def __init__(self, address: str, path: str, session: str, *, streams: bool) -> None:
        super().__init__(daemon=True)
        self.address, self.path, self.streams = address, path, streams
        self.session = requests.Session()
        self.session.cookies.set("sessionid", session)
        self.ended = threading.Event()
        self.shown: dict[int, float] = {}
        self.asked = 0

    def run(self) -> None:
        while not self.ended.is_set():
            every = 1.0
            headers = {"HX-Request": "true", "Accept": STREAM if self.streams else "text/html"}
            try:
                answer = self.session.get(
                    self.address + self.path, headers=headers, stream=True, timeout=60
                )
                self.asked += 1
                if answer.headers["Content-Type"].startswith(STREAM):
                    rest = b""
                    while not self.ended.is_set() and (block := answer.raw.read1()):
                        *lines, rest = (rest + block).split(b"\n")
                        for line in filter(None, lines):
                            every = self._follow(json.loads(line))
                    answer.close()
                else:
                    every = self._show(answer.text)
            except requests.RequestException:
                pass
            self.ended.wait(every)

    def _follow(self, line: dict[str, Any]) -> float:
        if "html" in line:
            return self._show(line["html"])
        if moved := line["pieces"].get("run-requests"):
            self._note(moved)
        return 1.0

    def _show(self, html: str) -> float:
        if said := SAID.search(html):
            self._note(said[1])
        again = ASKS_AGAIN.search(html)
        if again is None:
            return 1.0
        self.path = again[1].replace("&amp;", "&")
        return float(again[2])

    def _note(self, requests_used: str) -> None:
        self.shown.setdefault(int(requests_used.replace(",", "")), time.time())


def _processors(bench: Bench, gunicorn: int) -> dict[str, float]:
    """Seconds of the processor so far, those of children that ended among them."""
    postmaster = int((bench.data / "postgres" / "postmaster.pid").read_text().split()[0])
    server = redis.Redis.from_url(redis_url(bench.data)).info("server")
    found = {}
    for name, pid in (
        ("web", gunicorn),
        ("PostgreSQL", postmaster),
        ("Redis", int(server["process_id"])),
    ):
        whole = psutil.Process(pid)
        times = [whole.cpu_times(), *(one.cpu_times() for one in whole.children(recursive=True))]
        ended = times[0].children_user + times[0].children_system
        found[name] = sum(one.user + one.system for one in times) + ended
    return found


def _gunicorn(port_owner: str) -> int:
    here = psutil.Process()
    return next(one.pid for one in here.children() if port_owner in " ".join(one.cmdline()))


def watched(
    bench: Bench, world: dict[str, Any], address: str, pages: int, seconds: float, *, streams: bool
) -> dict[str, Any]:
    mover = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.live", "move", str(world["run"]), world["slug"]],
        env=bench.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert mover.stdout is not None
    mover.stdout.readline()
    path = f"/w/{world['slug']}/data/exports/runs/{world['run']}/progress/?seen=sending"
    open_pages = [
        Page(address, path, session, streams=streams) for session in world["sessions"][:pages]
    ]
    for page in open_pages:
        page.start()
        time.sleep(0.1)
    time.sleep(3)
    gunicorn = _gunicorn("config.wsgi")
    asked = sum(page.asked for page in open_pages)
    before, began = _processors(bench, gunicorn), time.monotonic()
    time.sleep(seconds)
    after, took = _processors(bench, gunicorn), time.monotonic() - began
    since, until = time.time() - took, time.time() - 2 * MOVES_EVERY
    for page in open_pages:
        page.ended.set()
    mover.terminate()
    moves = [json.loads(line) for line in mover.stdout.read().splitlines()]
    mover.wait()
    # What was overtaken by the next before it was seen was shown when that was.
    late = [
        min(at for seen, at in page.shown.items() if seen >= requests_used) - moved_at
        for moved_at, requests_used in moves
        for page in open_pages
        if since <= moved_at < until and max(page.shown) >= requests_used
    ]
    return {
        "share": {name: (after[name] - before[name]) / took * 100 for name in before},
        "requests": (sum(page.asked for page in open_pages) - asked) / took,
        "late": statistics.quantiles(late, n=20)[-1] if len(late) > 1 else None,
    }


def measure(pages: int, seconds: int) -> None:
    with system(SandboxProcess()) as bench:
        world = told_by(bench, "benchmarks.live", "build", str(pages))
        with web(bench) as address:
            none = watched(bench, world, address, 0, seconds, streams=False)
            print(_line("no page", none), flush=True)
            for name, streams in (("pages that follow", True), ("pages that ask", False)):
                found = watched(bench, world, address, pages, seconds, streams=streams)
                print(_line(f"{pages} {name}", found), flush=True)
                more = sum(found["share"].values()) - sum(none["share"].values())
                print(f"  that is {more:.2f} % of a core more than no page", flush=True)


def _line(name: str, found: dict[str, Any]) -> str:
    share = ", ".join(f"{part} {value:.2f}" for part, value in found["share"].items())
    late = "" if found["late"] is None else f"; shown after {found['late']:.1f} s at most (95 %)"
    total = sum(found["share"].values())
    return f"{name:22} {total:6.2f} % of a core ({share}); {found['requests']:.1f} requests/s{late}"


def main() -> None:
    if sys.argv[1:2] in (["build"], ["move"]):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        if sys.argv[1] == "build":
            print(json.dumps(build(int(sys.argv[2]))))
        else:
            move(int(sys.argv[2]), sys.argv[3])
        return
    pages, seconds = map(int, (*sys.argv[1:], *(50, 60)[len(sys.argv) - 1 :]))
    measure(pages, seconds)


if __name__ == "__main__":
    main()
