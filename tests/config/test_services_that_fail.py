"""A disk that is full, a database or a broker that takes no more: said, and over by itself."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis
from django.db import connection
from django.utils import timezone
from kombu import Connection, pools

from config.celery import app
from config.database_roles import WORK_ROLE, as_owner
from config.embedded import redis_program
from exports.engine import drive as drive_module
from exports.models import Run
from exports.tasks import SILENCE, drive_run, sweep
from segments import drafts, imports, upload_files
from segments.models import Import, Profile
from tests.api.client import program
from tests.exports.engine_world import World
from tests.segments.factories import SourceFactory
from tests.workspaces.factories import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def a_login_with_connections(most: int) -> Iterator[dict[str, Any]]:
    """A login of its own for web and workers, a member of their role, that may connect so often."""
    login: dict[str, Any] = connection.settings_dict
    with as_owner(connection), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE segue_few LOGIN PASSWORD 'few'")
        cursor.execute(f"ALTER ROLE segue_few CONNECTION LIMIT {most}")
        cursor.execute(f"GRANT {WORK_ROLE} TO segue_few WITH SET TRUE, INHERIT FALSE")
    before = {name: login[name] for name in ("USER", "PASSWORD")}
    connection.close()
    login.update(USER="segue_few", PASSWORD="few")
    try:
        yield {"host": login["HOST"], "user": "segue_few", "dbname": login["NAME"]}
    finally:
        connection.close()
        login.update(before)
        with as_owner(connection), connection.cursor() as cursor:
            cursor.execute("DROP ROLE segue_few")


def test_a_database_at_its_limit_of_connections_is_said_and_over_by_itself(
    transactional_db: None, workspace: Any
) -> None:
    browser, caller = signed_in(workspace), program(workspace)
    browser.raise_request_exception = False
    page = f"/w/{workspace.slug}/data/sources/"
    with a_login_with_connections(1) as login:
        held = psycopg2.connect(**login)
        answer = browser.get(page)
        assert (answer.status_code, answer["Retry-After"]) == (503, "15")
        assert "Try again in a few seconds" in answer.content.decode()
        refused = caller.get("/sources")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        held.close()
        # Not the owner of anything, and that is enough for a page.
        assert browser.get(page).status_code == 200


@pytest.fixture
def full_broker(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[redis.Redis]:
    """A Redis that has no memory left, where tasks would go."""
    socket = tmp_path_factory.mktemp("full") / "redis.sock"
    command = [redis_program(), "--port", "0", "--unixsocket", str(socket), "--save", ""]
    process = subprocess.Popen([*command, "--maxmemory", "1"], stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=str(socket))
    deadline = time.monotonic() + 20
    while not socket.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    url = f"redis+socket://{socket}"
    monkeypatch.setattr(app.amqp, "_producer_pool", pools.producers[Connection(url)])
    yield client
    client.close()
    process.terminate()
    process.wait()


def test_what_is_started_while_the_broker_is_out_of_memory_goes_on_when_it_has_some(
    transactional_db: None, workspace: Any, sandbox: Any, full_broker: redis.Redis
) -> None:
    world = World(workspace, sandbox)
    world.add_people(2)
    browser = signed_in(workspace)
    url = f"/w/{workspace.slug}/data/exports/{world.destination.pk}/run/"
    assert browser.post(url).status_code == 302
    run = Run.objects.get()
    assert run.state == Run.State.QUEUED
    with pytest.raises(Exception, match=r"OOM|memory"):
        drive_run.delay(workspace.pk, run.pk)
    full_broker.config_set("maxmemory", 0)
    Run.objects.update(heartbeat_at=timezone.now() - 2 * SILENCE)
    sweep()
    assert full_broker.llen("runs") == 1


def test_a_run_whose_database_is_full_says_so_and_waits(
    transactional_db: None, workspace: Any, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(workspace, sandbox)
    world.add_people(2)

    def plan(run: Run) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$"
            )

    with monkeypatch.context() as full:
        full.setattr(drive_module, "plan_run", plan)
        run = Run.objects.get(pk=start(world).pk)
        while "disk is full" not in run.reason:
            assert run.is_active
            drive_run(workspace.pk, run.pk)
            run.refresh_from_db()
            time.sleep(0.02)
        assert (run.state, run.waiting_until is None) == (Run.State.PLANNING, False)
    drive_module.drive_to_end(run)
    run.refresh_from_db()
    assert (run.state, run.added) == (Run.State.SUCCEEDED, 2)


def start(world: World) -> Run:
    from exports.runs import start_run

    return start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)


def test_an_import_onto_a_full_disk_says_so_and_can_be_made_again(
    transactional_db: None, workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = drafts.take_file(SourceFactory(workspace=workspace), "c.csv", [b"id,city\n1,Paris\n"])
    columns = drafts.chosen_columns(load)
    drafts.prepare(load, key="id", columns=columns, skip_refused=False, by=None)
    # Whatever is written there meets a full disk, by the kernel's own word.
    (tmp_path / "staged").symlink_to("/dev/full")
    with monkeypatch.context() as full:
        full.setattr(upload_files, "scratch", lambda workspace_id: nullcontext(str(tmp_path)))
        imports.run_import(load)
    load.refresh_from_db()
    assert (load.state, Profile.objects.count()) == (Import.State.FAILED, 0)
    assert "disk is full" in str(load.reason)

    again = drafts.import_again(load, by=None)
    drafts.prepare(again, key="id", columns=columns, skip_refused=False, by=None)
    imports.run_import(again)
    assert Profile.objects.count() == 1
