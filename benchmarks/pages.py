"""Every page of a large workspace under 20 people at once: `python -m benchmarks.pages [SECONDS]`.

1,000,000 profiles, 200 segments, 100 exports, 10,000 runs; gunicorn as in production. Each person
opens some page, reads it for one to three seconds, and opens another; after a minute that warms
them, they are timed. For each page: how long it takes, by how many queries, and how many bytes a
browser is sent that has nothing of it yet. Ends with status 1 when one takes more than 150 ms (95th
percentile), 15 queries or 150 kB.
"""

import json
import os
import random
import re
import statistics
import sys
import threading
import time
from collections import defaultdict
from typing import Any

import requests

from benchmarks.whole import system, told_by, unlimited, web

PROFILES = int(os.environ.get("BENCH_PROFILES", "1000000"))
SEGMENTS, EXPORTS, RUNS, USERS = 200, 100, 10_000, 20
THINKS = (1.0, 3.0)
# Until each process, and each of its connections to the database, has met most pages.
WARMS_SECONDS = 60
MILLISECONDS, QUERIES, KILOBYTES = 150, 15, 150
# What a browser loads for a page: named by it, or by its styles and always needed.
LOADED = re.compile(r'(?:href|src)="(/static/[^"#]+\.(?:css|js|svg|woff2))')


def build() -> dict[str, Any]:
    """In a process of its own: on what `benchmarks.scale` builds, and as much more as is said."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, setup_test_environment
    from django_scopes import scope

    from benchmarks import scale
    from benchmarks.people import members, session_of
    from config.database_roles import as_owner
    from tests.test_every_page_for_everyone import pages
    from workspaces.models import Workspace

    setup_test_environment()
    scale.build()
    workspace = Workspace.objects.get()
    people = members(workspace, USERS)
    with scope(workspace=workspace):
        ids = _fill(workspace, people[0])
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    sessions = [session_of(person) for person in people]
    # Administrators see every page; the first of the people is one.
    client = Client(SERVER_NAME="localhost")
    client.cookies["sessionid"] = sessions[0]
    with scope(workspace=workspace):
        found = list(pages(client, workspace.slug, ids))
    queries = {}
    for path in found:
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        queries[path] = len(captured)
    administrators = [key for number, key in enumerate(sessions) if number % 3 == 0]
    return {"queries": queries, "sessions": administrators}


def _fill(workspace: Any, person: Any) -> dict[str, int]:
    """The rows that there are many of; returns ids by which URLs are filled in."""
    from datetime import timedelta

    from django.db import connection
    from django.utils import timezone

    from exports.models import Batch, Destination, DestinationSegment, Rejection, Run
    from segments.models import Attribute, Import, Profile, Segment, SegmentRefresh, Source
    from workspaces import audit
    from workspaces.models import Membership, Refresh, RefreshStep
    from workspaces.notices import endpoints, telling

    here, now = {"workspace": workspace}, timezone.now()
    rules = Segment.objects.get(name="Three rules").rules
    made = Segment.objects.bulk_create(
        Segment(
            **here,
            name=f"Segment {number:03}",
            rules=rules,
            tags=["Shop"] if number % 3 else [],
            member_count=2_000,
            refresh_state="succeeded",
            refreshed_at=now,
        )
        for number in range(SEGMENTS - Segment.objects.count())
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)"
            " SELECT p.workspace_id, s.id, p.id FROM unnest(%s::bigint[]) s (id), LATERAL ("
            "  SELECT workspace_id, id FROM segments_profile"
            "  WHERE workspace_id = %s AND id %% %s = s.id %% %s LIMIT 2000) p",
            [[one.pk for one in made], workspace.pk, PROFILES // 2_000, PROFILES // 2_000],
        )
    segments = list(Segment.objects.order_by("pk"))
    SegmentRefresh.objects.bulk_create(
        SegmentRefresh(
            **here, segment=segment, count=1_900 + day, joined=9, left=4, at=now - timedelta(day)
        )
        for segment in segments
        for day in range(1, 90)
    )
    first = Destination.objects.get()
    destinations = Destination.objects.bulk_create(
        Destination(
            **here,
            name=f"Export {number:03}",
            connection=first.connection,
            list_id=first.list_id,
            list_name=f"List {number}",
            matching=first.matching,
        )
        for number in range(EXPORTS - 1)
    )
    DestinationSegment.objects.bulk_create(
        DestinationSegment(**here, destination=one, segment=segments[(7 * number + more) % 200])
        for number, one in enumerate(destinations)
        for more in range(2)
    )
    account = {"in_segments": 2_000, "added": 1_500, "changed": 300, "invalid": 200}
    runs = Run.objects.bulk_create(
        [
            Run(
                **here,
                destination=destinations[number % len(destinations)],
                state="failed" if number % 50 == 1 else "succeeded",
                trigger="schedule",
                created_at=at,
                started_at=at,
                planned_at=at,
                sent_at=at + timedelta(seconds=20),
                finished_at=at + timedelta(seconds=50),
                requests=7,
                **account,
            )
            for number in range(RUNS)
            for at in [now - timedelta(minutes=12 * number + 60)]
        ],
        batch_size=1_000,
    )
    Batch.objects.bulk_create(
        [
            Batch(**here, run=run, number=1, state="confirmed", contacts=1_800, sent_at=now)
            for run in runs
        ],
        batch_size=1_000,
    )
    Rejection.objects.bulk_create(
        Rejection(
            **here,
            run=run,
            profile_id=number,
            profile_key=f"k{number}",
            address=f"p{number}",
            kind="invalid",
            reason="invalid_email",
        )
        for run in runs[:100]
        for number in range(200)
    )
    running = Run.objects.create(
        **here, destination=first, state="sending", trigger="member", planned_at=now, **account
    )
    Batch.objects.create(**here, run=running, number=1, contacts=1_800)
    source = Source.objects.get()
    load = Import.objects.get()
    Import.objects.bulk_create(
        Import(**here, source=source, file_name=f"{day}.csv", state="succeeded", read=1_000)
        for day in range(500)
    )
    refreshes = Refresh.objects.bulk_create(
        Refresh(**here, trigger="schedule", state="succeeded", created_at=now - timedelta(day))
        for day in range(90)
    )
    RefreshStep.objects.bulk_create(
        RefreshStep(
            **here,
            refresh=refresh,
            position=place,
            kind="segment",
            object_id=segment.pk,
            name=segment.name,
            state="succeeded",
        )
        for refresh in refreshes
        for place, segment in enumerate(segments)
    )
    endpoint, _secret = endpoints.create(
        workspace,
        name="Shop",
        form="json",
        url="https://example.com/",
        events=["run.finished"],
        by=person,
    )
    for number in range(300):
        telling.begins(workspace, "run_failed", str(number), "The last run failed.", "/")
    for number in range(3_000):
        audit.record(workspace, "run.started", actor=person, target=first, run=number)
    return {
        "workspaces:member_": Membership.objects.order_by("-pk")[0].pk,
        "workspaces:refresh_": refreshes[0].pk,
        "workspaces:endpoint": endpoint.pk,
        "segments:source_": source.pk,
        "segments:import_": load.pk,
        "segments:attribute_": Attribute.objects.get(name="email").pk,
        "segments:profile_": Profile.objects.order_by("pk")[0].pk,
        "segments:segment_": Segment.objects.get(name="Three rules").pk,
        "exports:destination_": destinations[0].pk,
        "exports:run_": runs[0].pk,
        "connections:": first.connection_id,
    }


class Person(threading.Thread):
    """Opens pages at random and reads them."""

    def __init__(self, address: str, paths: list[str], session: str, seconds: float) -> None:
        super().__init__(daemon=True)
        self.address, self.paths, self.seconds = address, paths, seconds
        self.session = signed_in(session)
        self.took: list[tuple[str, float]] = []

    def run(self) -> None:
        counts = time.monotonic() + WARMS_SECONDS
        ends = counts + self.seconds
        while time.monotonic() < ends:
            time.sleep(random.uniform(*THINKS))
            path = random.choice(self.paths)
            started = time.perf_counter()
            self.session.get(self.address + path, timeout=60).raise_for_status()
            if time.monotonic() > counts:
                self.took.append((path, (time.perf_counter() - started) * 1000))


def signed_in(key: str) -> requests.Session:
    session = requests.Session()
    session.cookies.set("sessionid", key)
    session.headers["Accept-Encoding"] = "br, gzip"
    return session


def kilobytes(session: requests.Session, address: str, path: str, kept: dict[str, float]) -> float:
    """What a browser that has nothing yet is sent for a page."""

    def sent(what: str) -> tuple[float, requests.Response]:
        answer = session.get(address + what, stream=True, timeout=60)
        raw = answer.raw.read(decode_content=False)
        return len(raw) / 1000, answer

    whole, _answer = sent(path)
    text = session.get(address + path, timeout=60).text
    for what in {*LOADED.findall(text), *re.findall(r'<use href="([^"#]+)', text)}:
        if what not in kept:
            kept[what], _answer = sent(what)
        whole += kept[what]
    return whole


def measure(seconds: float) -> bool:
    """Prints the table; whether every page is within its bounds."""
    with system(unlimited()) as bench:
        file = bench.data / "profiles.csv"
        bench.step("write_csv", file, PROFILES)
        bench.step("import_csv", file)
        file.unlink()
        world = told_by(bench, "benchmarks.pages", "build")
        with web(bench) as address:
            return _asked(address, world["queries"], world["sessions"], seconds)


def _asked(address: str, queries: dict[str, int], sessions: list[str], seconds: float) -> bool:
    kept: dict[str, float] = {}
    one = signed_in(sessions[0])
    sizes = {path: kilobytes(one, address, path, kept) for path in queries}
    people = [
        Person(address, list(queries), sessions[number % len(sessions)], seconds)
        for number in range(USERS)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    took = defaultdict(list)
    for person in people:
        for path, milliseconds in person.took:
            took[path].append(milliseconds)
    everything = sorted(value for values in took.values() for value in values)
    print(f"{len(everything)} pages in {seconds:.0f} s; {_percentiles(everything)}")
    print(f"{'page':58} {'times':>5} {'50 %':>7} {'95 %':>7} {'queries':>7} {'kB':>6}")
    is_well = True
    for path in sorted(queries, key=lambda path: -_of(took[path], 95)):
        slow, much = _of(took[path], 95), sizes[path]
        over = slow > MILLISECONDS or queries[path] > QUERIES or much > KILOBYTES
        is_well &= not over
        print(
            f"{path[-58:]:58} {len(took[path]):5} {_of(took[path], 50):7.0f} {slow:7.0f}"
            f" {queries[path]:7} {much:6.0f}{'  over' if over else ''}"
        )
    return is_well


def _of(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else 0.0


def _percentiles(values: list[float]) -> str:
    return (
        f"{_of(values, 50):.0f} ms in the middle, {_of(values, 95):.0f} ms at the 95th percentile"
    )


def main() -> None:
    if sys.argv[1:2] == ["build"]:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        print(json.dumps(build()))
        return
    sys.exit(not measure(float(sys.argv[1] if sys.argv[1:] else 180)))


if __name__ == "__main__":
    main()
