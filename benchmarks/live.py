"""What open pages of runs that go on cost: `python -m benchmarks.live 50 20 1`.

The numbers are of pages, seconds and workspaces.

Gunicorn as in production; each page is another member's. A run asks something of the provider every
second, and with every fourth of these requests a batch is sent or confirmed: what pages show
changes each second. So it does in each of the workspaces, among which the pages are divided.
Processor seconds of web, PostgreSQL and Redis, with no page open (what the runs' own writing costs)
and with all of them: as browsers follow it; in one workspace, as they ask again and again where an
answer can't be kept open; and as pages follow that show nothing that moves.
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
# Each is made once more when it is first looked at, after its opening.
UNTIL_ALL_ARE_KNOWN = 25.0
STREAM = "application/x-segue-lines"
ASKS_AGAIN = re.compile(r'id="run"[^>]*hx-get="([^"]+)"[^>]*hx-trigger="every (\d+)s"')
SAID = re.compile(r'id="run-requests">([\d,]+)<')


def build(pages: int, workspaces: int) -> list[dict[str, Any]]:
    """In a process of its own: members, signed in, and in each workspace a run that sends."""
    return [_workspace(number, pages // workspaces) for number in range(workspaces)]


def _workspace(number: int, pages: int) -> dict[str, Any]:
    from django.utils import timezone
    from django_scopes import scope

    from benchmarks.people import members, session_of
    from exports.models import Batch, Destination, Run
    from workspaces.models import User
    from workspaces.services import create_workspace

    owner = User.objects.create(email=f"owner{number}@example.com")
    workspace = create_workspace(f"Watched {number}", administrator=owner, time_zone="UTC")
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
    return {
        "run": run.pk,
        "workspace": workspace.pk,
        "slug": workspace.slug,
        "sessions": [session_of(one) for one in people],
    }


def move(runs: list[tuple[int, int]]) -> None:
    """A request of each run every second, now and then a batch further by it, as workers write it.

    Prints when, and how many requests.
    """
    from django.db.models import F
    from django.utils import timezone
    from django_scopes import scope

    from exports.models import Batch, Run

    for workspace, run in runs:
        with scope(workspace=workspace):
            now = timezone.now()
            Run.objects.filter(pk=run).update(started_at=now, planned_at=now, requests=0)
            Batch.objects.filter(run=run).update(state=Batch.State.PLANNED)
    requests_used = sent = confirmed = 0
    due = time.monotonic()
    while sent < BATCHES:
        due += MOVES_EVERY
        time.sleep(max(0, due - time.monotonic()))
        now = timezone.now()
        requests_used += 1
        moved: dict[str, Any] = {}
        if requests_used % MOVES_A_BATCH == 0:
            if sent - confirmed < 4:
                sent += 1
                moved = {"number": sent, "state": Batch.State.SENT, "sent_at": now}
            else:
                confirmed += 1
                moved = {"number": confirmed, "state": Batch.State.CONFIRMED, "ended_at": now}
        number = moved.pop("number", None)
        for workspace, run in runs:
            with scope(workspace=workspace):
                if moved:
                    Batch.objects.filter(run=run, number=number).update(**moved)
                Run.objects.filter(pk=run).update(requests=F("requests") + 1, heartbeat_at=now)
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
    bench: Bench,
    worlds: list[dict[str, Any]],
    address: str,
    seconds: float,
    *,
    streams: bool = True,
    shows: str = "data/exports/runs/{run}/progress/?seen=sending",
) -> dict[str, Any]:
    """`shows` is what the pages follow; without it none is open."""
    runs = [(world["workspace"], world["run"]) for world in worlds]
    mover = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.live", "move", json.dumps(runs)],
        env=bench.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert mover.stdout is not None
    mover.stdout.readline()
    open_pages = [
        Page(address, f"/w/{world['slug']}/" + shows.format(**world), session, streams=streams)
        for world in worlds
        for session in world["sessions"]
        if shows
    ]
    for page in open_pages:
        page.start()
        time.sleep(0.1)
    if open_pages:
        time.sleep(UNTIL_ALL_ARE_KNOWN)
    gunicorn = _gunicorn("config.wsgi")
    asked = sum(page.asked for page in open_pages)
    before, began = _processors(bench, gunicorn), time.monotonic()
    time.sleep(seconds)
    after, took = _processors(bench, gunicorn), time.monotonic() - began
    ended_at = time.time()
    since, until = ended_at - took, ended_at - 2 * MOVES_EVERY
    for page in open_pages:
        page.ended.set()
    mover.terminate()
    moves = [json.loads(line) for line in mover.stdout.read().splitlines()]
    mover.wait()
    # What was overtaken by the next before it was seen was shown when that was; what never was is
    # as late at least as the end.
    late = [
        min((at for seen, at in page.shown.items() if seen >= requests_used), default=ended_at)
        - moved_at
        for moved_at, requests_used in moves
        for page in open_pages
        if since <= moved_at < until
    ]
    return {
        "share": {name: (after[name] - before[name]) / took * 100 for name in before},
        "requests": (sum(page.asked for page in open_pages) - asked) / took,
        "late": statistics.quantiles(late, n=20)[-1] if len(late) > 1 else None,
    }


def measure(pages: int, seconds: int, workspaces: int) -> None:
    with system(SandboxProcess()) as bench:
        worlds = told_by(bench, "benchmarks.live", "build", str(pages), str(workspaces))
        with web(bench) as address:
            none = watched(bench, worlds, address, seconds, shows="")
            print(_line("no page", none), flush=True)
            cases: dict[str, Any] = {"pages that follow": {}}
            if workspaces == 1:
                cases["pages that ask"] = {"streams": False}
            cases["pages that rest"] = {"shows": "going-on/"}
            for name, how in cases.items():
                found = watched(bench, worlds, address, seconds, **how)
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
            print(json.dumps(build(*map(int, sys.argv[2:]))))
        else:
            move(json.loads(sys.argv[2]))
        return
    defaults = (50, 60, 1)
    measure(*map(int, (*sys.argv[1:], *defaults[len(sys.argv) - 1 :])))


if __name__ == "__main__":
    main()
