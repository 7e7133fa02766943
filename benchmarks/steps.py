"""What is measured, each in a process of its own: `python -m benchmarks.steps STEP [VALUES…]`.

Prints one JSON object: `seconds` of the step alone, `peak_mb` of the process, and its counts.
"""

import csv
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

SLUG = "benchmark"
IMPORTER, PASSWORD = "importer@example.com", "a benchmark"
ROWS = "SELECT p.attributes ->> 'email' AS email, p.attributes ->> 'first' AS first_name,"
ROWS += " p.attributes ->> 'last' AS last_name FROM segments_profile p WHERE p.workspace_id ="
RULES = {
    "match": "all",
    "rules": [
        {"attribute": "points", "operator": "at_least", "value": "200"},
        {"attribute": "city", "operator": "is_any_of", "value": ["Girona", "Lleida", "Vic"]},
        {"attribute": "email", "operator": "is_not_empty"},
    ],
}


def prepare(count: int) -> dict[str, Any]:
    """A workspace with so many profiles, all in one segment, and an export to the sandbox."""
    from django.db import connection
    from django.utils import timezone
    from django_scopes import scope

    from config.database_roles import as_owner
    from exports.models import Destination, DestinationSegment
    from segments.models import Attribute, Segment
    from workspaces.models import User
    from workspaces.services import create_workspace

    user = User.objects.create_user(f"b{count}@example.com", "a benchmark")
    workspace = create_workspace(f"{SLUG} {count}", administrator=user, time_zone="UTC")
    with scope(workspace=workspace):
        for position, (name, kind) in enumerate(
            {
                "email": "text",
                "first": "text",
                "last": "text",
                "city": "text",
                "points": "number",
            }.items()
        ):
            Attribute.objects.create(
                workspace=workspace, name=name, label=name, type=kind, position=position
            )
        segment = Segment.objects.create(
            workspace=workspace,
            name="Everyone",
            member_count=count,
            refreshed_at=timezone.now(),
            refresh_state=Segment.RefreshState.SUCCEEDED,
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO segments_profile"
                " (workspace_id, key, attributes, created_at, updated_at)"
                " SELECT %s, 'k' || n, jsonb_build_object('email', 'person' || md5(n::text) ||"
                " '@example' || n %% 50 || '.com', 'first', 'First' || n %% 5000, 'last',"
                " 'Lastname' || n %% 9000, 'city', (ARRAY['Girona', 'Lleida', 'Vic', 'Reus'])"
                "[1 + n %% 4], 'points', n %% 1000), now(), now() FROM generate_series(1, %s) n",
                [workspace.pk, count],
            )
            cursor.execute(
                "INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)"
                " SELECT workspace_id, %s, id FROM segments_profile WHERE workspace_id = %s"
                " ORDER BY id",
                [segment.pk, workspace.pk],
            )
        link = connect(workspace, user)
        destination = Destination.objects.create(
            workspace=workspace,
            name="Newsletter",
            connection=link,
            list_id=list_id(),
            list_name="Newsletter",
            matching={"email": "email", "first_name": "first", "last_name": "last"},
        )
        DestinationSegment.objects.create(
            workspace=workspace, destination=destination, segment=segment
        )
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {"workspace": workspace.pk}


def connect(workspace: Any, user: Any) -> Any:
    import requests
    from django.conf import settings

    from connections import services
    from connections.authorisation import complete_with
    from connections.models import Connection

    made = services.create_connection(
        workspace, name="Account", sharing=Connection.Sharing.CONTRIBUTORS, by=user
    )
    base = settings.CONSTANT_CONTACT_API_URL.removesuffix("/v3")
    complete_with(made, requests.post(f"{base}/_control/tokens", timeout=30).json(), by=user)
    services.become_export_user(made, by=user)
    made.refresh_from_db()
    return made


def list_id() -> str:
    import requests
    from django.conf import settings

    base = settings.CONSTANT_CONTACT_API_URL.removesuffix("/v3")
    accounts = requests.post(f"{base}/_control/accounts", timeout=30).json()
    return str(accounts[0]["lists"]["Newsletter"])


def run(workspace_id: int) -> dict[str, Any]:
    """One run of the export, from the click to its end, by workers as `manage.py up` has them.

    `peak_mb` is the worst worker's.
    """
    from django_scopes import scope

    from config.parts import parts
    from exports.models import Destination, Run
    from exports.runs import run_account, start_run
    from workspaces.models import Workspace

    data = os.environ["SEGUE_DATA_DIR"]
    (part,) = (one for one in parts(port=0, sandbox_port=None, data=data) if one.name == "runs")
    with (
        subprocess.Popen(part.command) as worker,
        scope(workspace=Workspace.objects.get(pk=workspace_id)),
    ):
        pool = _pool_of(worker.pid)
        destination = Destination.objects.get()
        started = time.perf_counter()
        made = start_run(destination, trigger=Run.Trigger.COMMAND)
        while made.is_active:
            time.sleep(0.02)
            made.refresh_from_db(fields=["state"])
        seconds = time.perf_counter() - started
        peak = max(_peak_mb(pid) for pid in pool)
        worker.terminate()
        made.refresh_from_db()
        marks = (made.started_at, made.planned_at, made.sent_at, made.finished_at)
        stages = {
            name: round((end - begin).total_seconds(), 2)
            for name, begin, end in zip(
                ("plan", "send", "confirm and settle"), marks, marks[1:], strict=False
            )
            if begin and end
        }
        return {
            **run_account(made),
            "imports": made.batches.count(),
            "seconds": seconds,
            "stages": stages,
            "peak_mb": peak,
        }


def drive(workspace_id: int) -> dict[str, Any]:
    """One run of the export in this process, without what workers share among them."""
    from django_scopes import scope

    from exports.engine.drive import drive_to_end
    from exports.models import Destination, Run
    from exports.runs import run_account, start_run
    from workspaces.models import Workspace

    with scope(workspace=Workspace.objects.get(pk=workspace_id)):
        destination = Destination.objects.get()
        made = start_run(destination, trigger=Run.Trigger.COMMAND, enqueue=False)
        started = time.perf_counter()
        drive_to_end(made)
        seconds = time.perf_counter() - started
        made.refresh_from_db()
        return {**run_account(made), "seconds": seconds}


def _pool_of(pid: int) -> list[int]:
    """The processes that do a worker's tasks, as soon as it is ready for some."""
    from config.celery import app

    while not app.control.inspect(timeout=0.2).ping():
        pass
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


def _peak_mb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return round(int(found[1]) / 1024)


def change(workspace_id: int) -> dict[str, Any]:
    """Another first name for one profile in a hundred."""
    from django.db import connection
    from django_scopes import scope

    with scope(workspace=workspace_id), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE segments_profile SET attributes = attributes || jsonb_build_object('first',"
            " 'Changed'), updated_at = now() WHERE workspace_id = %s AND id %% 100 = 0",
            [workspace_id],
        )
        changed = cursor.rowcount
        cursor.execute("ANALYZE segments_profile")
    return {"changed": changed}


class _Count:
    def __init__(self) -> None:
        self.bytes = 0

    def write(self, block: bytes) -> int:
        self.bytes += len(block)
        return len(block)


def copy_out(workspace_id: int) -> dict[str, Any]:
    """`COPY (SELECT email, first, last) TO STDOUT` by psycopg2."""
    from django.db import connection
    from django_scopes import scope

    with scope(workspace=workspace_id), connection.cursor() as cursor:
        started = time.perf_counter()
        sink = _Count()
        cursor.copy_expert(f"COPY ({ROWS} {int(workspace_id)}) TO STDOUT", sink)
        return {"seconds": time.perf_counter() - started, "bytes": sink.bytes}


def plain_table(workspace_id: int) -> dict[str, Any]:
    """The three columns as a table of their own: dlt reads tables, not expressions."""
    from django.db import connection

    from config.database_roles import as_owner

    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_contact AS {ROWS} {int(workspace_id)}")
        cursor.execute("ANALYZE bench_contact")
    return {}


def write_csv(path: str, count: int) -> dict[str, Any]:
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "email", "first", "last", "city", "points"])
        for n in range(count):
            writer.writerow(
                [
                    f"k{n}",
                    f"p{n}@example.com",
                    f"First{n % 5000}",
                    f"Last{n % 9000}",
                    "Vic",
                    n % 997,
                ]
            )
    return {}


def copy_in(path: str) -> dict[str, Any]:
    """`COPY … FROM STDIN` of the file into a plain table."""
    from django.db import connection

    from config.database_roles import as_owner

    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE plain (key text, email text, first text, last text, city text,"
            " points bigint)"
        )
        started = time.perf_counter()
        with Path(path).open("rb") as file:
            cursor.copy_expert("COPY plain FROM STDIN (FORMAT csv, HEADER)", file)
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE plain")
    return {"seconds": seconds}


def import_csv(path: str) -> dict[str, Any]:
    from io import StringIO

    from django.core.management import call_command

    from workspaces.models import User
    from workspaces.services import create_workspace

    user = User.objects.create_user(IMPORTER, PASSWORD)
    workspace = create_workspace("Imported", administrator=user, time_zone="UTC")
    said = StringIO()
    started = time.perf_counter()
    call_command("import_profiles", workspace.slug, path, key="key", json=True, stdout=said)
    return {**json.loads(said.getvalue()), "seconds": time.perf_counter() - started}


def refresh(workspace_id: int) -> dict[str, Any]:
    """A segment of three rules: its first refresh, and the bare count of the same condition."""
    from django.db import connection
    from django.utils import timezone
    from django_scopes import scope

    from segments.membership import condition_of, refresh_segment
    from segments.models import Segment
    from workspaces.models import Workspace

    workspace = Workspace.objects.get(pk=workspace_id)
    with scope(workspace=workspace):
        condition, parameters = condition_of(workspace, RULES, timezone.now())
        bare = (
            "SELECT count(*) FROM segments_profile p"
            f" WHERE p.workspace_id = %(workspace)s AND {condition}"
        )
        with connection.cursor() as cursor:
            cursor.execute(bare, parameters)
            started = time.perf_counter()
            cursor.execute(bare, parameters)
            count = cursor.fetchone()[0]
            bare_seconds = time.perf_counter() - started
        segment = Segment.objects.create(workspace=workspace, name="Three rules", rules=RULES)
        started = time.perf_counter()
        refresh_segment(segment)
        seconds = time.perf_counter() - started
        segment.refresh_from_db()
        assert segment.member_count == count
        return {"seconds": seconds, "bare_seconds": bare_seconds, "members": count}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    step.__name__: step
    for step in (
        prepare,
        run,
        drive,
        change,
        copy_out,
        plain_table,
        write_csv,
        copy_in,
        import_csv,
        refresh,
    )
}


def main() -> None:
    import django

    django.setup()
    step = STEPS[sys.argv[1]]
    values = [int(value) if value.isdecimal() else value for value in sys.argv[2:]]
    found = step(*values)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak_mb": round(peak), **found}))


if __name__ == "__main__":
    main()
