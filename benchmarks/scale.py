"""How the cost grows with the workspace: `python -m benchmarks.scale 1000000 10000000`.

For each size, alone on services of its own: a CSV imported, three rules refreshed and counted as
while they are edited, an export of a tenth of everybody planned, and every page asked for.
"""

import json
import os
import re
import statistics
import sys
import time
from typing import Any

import requests

from benchmarks.steps import IMPORTER, PASSWORD, RULES
from benchmarks.whole import system, told_by, unlimited, web

ASKED = 100
A_TENTH = {
    "match": "all",
    "rules": [{"attribute": "last", "operator": "ends_with", "value": "7"}],
}
PAGES = (
    "",
    "data/sources/",
    "data/attributes/",
    "data/profiles/",
    "data/profiles/?q=p77777%40example.com",
    "data/profiles/PROFILE/",
    "data/suppressions/",
    "data/segments/",
    "data/segments/SEGMENT/",
    "data/segments/SEGMENT/edit/",
    "data/exports/",
    "data/exports/add/",
    "data/exports/DESTINATION/",
    "admin/connections/",
    "admin/schedule/",
    "admin/audit/",
)


def build() -> dict[str, Any]:
    """In a process of its own: segments over what was imported, and an export to the sandbox."""
    from allauth.account.models import EmailAddress
    from django.db import connection
    from django_scopes import scope

    from benchmarks.steps import connect, list_id, refresh
    from config.database_roles import as_owner
    from exports.engine.drive import drive_to_end
    from exports.models import Destination, DestinationSegment, Run
    from exports.runs import run_account, start_run
    from segments import preview
    from segments.membership import refresh_segment
    from segments.models import Profile, Segment
    from workspaces.models import Membership, Workspace

    workspace = Workspace.objects.get()
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with scope(workspace=workspace), connection.cursor() as cursor:
        user = Membership.objects.get().user
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        refreshed = refresh(workspace.pk)
        glances = [_seconds(preview.glance, workspace, RULES) for _ in range(5)]
        tenth = Segment.objects.create(workspace=workspace, name="A tenth", rules=A_TENTH)
        refresh_segment(tenth)
        destination = Destination.objects.create(
            workspace=workspace,
            name="Newsletter",
            connection=connect(workspace, user),
            list_id=list_id(),
            list_name="Newsletter",
            matching={"email": "email", "first_name": "first", "last_name": "last"},
        )
        DestinationSegment.objects.create(
            workspace=workspace, destination=destination, segment=tenth
        )
        run = start_run(destination, trigger=Run.Trigger.COMMAND, dry_run=True, enqueue=False)
        planned = _seconds(drive_to_end, run)
        cursor.execute("SELECT pg_total_relation_size('segments_profile') / 1e6")
        (megabytes,) = cursor.fetchone()
        return {
            "profiles' table, MB": float(megabytes),
            "bare count of three rules": refreshed["bare_seconds"],
            "refresh of three rules": refreshed["seconds"],
            "count while editing, worst of five": max(glances),
            "plan of an export": planned,
            "of so many": run_account(run)["in_segments"],
            "ids": {
                "PROFILE": Profile.objects.values_list("pk", flat=True)[:1][0],
                "SEGMENT": Segment.objects.get(name="Three rules").pk,
                "DESTINATION": destination.pk,
            },
        }


def _seconds(work: Any, *values: Any) -> float:
    started = time.perf_counter()
    work(*values)
    return time.perf_counter() - started


def sign_in(address: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{address}/accounts/login/", timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    who = {"login": IMPORTER, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    answer = session.post(page.url, data=who, headers={"Referer": page.url}, timeout=30)
    assert "/w/imported/" in answer.url, f"not signed in: {answer.url}"
    return session


def pages(
    session: requests.Session, base: str, ids: dict[str, int]
) -> dict[str, tuple[float, float]]:
    """Each page's 95th percentile and its slowest, in milliseconds, asked for one by one."""
    found = {}
    for page in PAGES:
        path = page
        for name, pk in ids.items():
            path = path.replace(name, str(pk))
        times = []
        for _ in range(ASKED):
            started = time.perf_counter()
            session.get(f"{base}{path}", timeout=60).raise_for_status()
            times.append((time.perf_counter() - started) * 1000)
        found[page or "home"] = statistics.quantiles(times, n=20)[-1], max(times)
    return found


def measure(count: int) -> dict[str, Any]:
    with system(unlimited()) as bench:
        file = bench.data / "profiles.csv"
        bench.step("write_csv", file, count)
        plain = bench.step("copy_in", file)
        imported = bench.step("import_csv", file)
        file.unlink()
        found = told_by(bench, "benchmarks.scale", "build")
        with web(bench) as address:
            slow = pages(sign_in(address), f"{address}/w/imported/", found.pop("ids"))
        seconds = {"COPY of the file": plain["seconds"], "import": imported["seconds"]}
        return {**seconds, **found, "pages": slow}


def main() -> None:
    if sys.argv[1] == "build":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        print(json.dumps(build()))
        return
    for count in map(int, sys.argv[1:]):
        found = measure(count)
        print(f"\n{count:,} profiles")
        for name, value in found.items():
            if name == "pages":
                for page, (usual, slowest) in sorted(value.items(), key=lambda one: -one[1][0]):
                    print(f"  {page:40} {usual:8.0f} ms, the slowest {slowest:.0f} ms")
            else:
                print(f"{name:42} {value:10.2f}")


if __name__ == "__main__":
    main()
