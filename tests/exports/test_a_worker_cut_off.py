"""Who is cut off from the others does nothing that they may be doing by then.

`make chaos` cuts real workers off, in network namespaces of their own.
"""

from typing import Any

import psycopg2
import pytest
from django.db import connection

from connections.limiter import SharedLimiter
from exports.engine import send
from exports.engine.drive import drive, drive_to_end
from exports.models import Run
from exports.runs import start_run
from tests.exports.engine_world import World, account
from workspaces import locks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    world.add_people(3)
    world.know_everyones_preferences()
    return world


def lose_the_session_while_waiting_for_a_turn(monkeypatch: Any) -> None:
    usual = SharedLimiter.acquire

    def acquire(limiter: SharedLimiter) -> None:
        usual(limiter)
        with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as c:
            c.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    monkeypatch.setattr(SharedLimiter, "acquire", acquire)


def test_a_batch_is_not_sent_without_its_lock(world: World, monkeypatch: Any) -> None:
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    drive(run, lambda run, batches: None)
    with monkeypatch.context() as patched:
        lose_the_session_while_waiting_for_a_turn(patched)
        with pytest.raises(locks.Lost):
            send.send_batch(run, run.batches.get())
    connection.close()
    assert world.sandbox.control("statistics")["imports"] == 0
    drive_to_end(run)
    assert account(run) == {"added": 3}
    assert world.sandbox.control("statistics")["imported_contacts"] == 3


def test_a_lock_is_held_by_its_session_only(world: World) -> None:
    with locks.held(locks.RUN, 7) as free:
        assert free
        locks.ensure_held(locks.RUN, 7)
        for kind, pk in [(locks.RUN, 8), (locks.BATCH, 7)]:
            with pytest.raises(locks.Lost):
                locks.ensure_held(kind, pk)
    with pytest.raises(locks.Lost):
        locks.ensure_held(locks.RUN, 7)
