"""A small run never waits for a huge one to end, whatever workspace either belongs to."""

from collections import deque
from typing import Any

import pytest

from exports import tasks
from exports.engine import batches, drive
from exports.models import Batch, Run
from exports.runs import start_run
from segments.models import Profile, Segment
from tests.another_session import held_elsewhere
from tests.exports.engine_world import World, put_in
from workspaces import locks

pytestmark = pytest.mark.django_db(transaction=True)


class OneWorker:
    """A queue and a worker that takes one task after the other, in the order they came."""

    def __init__(self, monkeypatch: Any) -> None:
        self.queue: deque[tuple[Any, tuple[Any, ...]]] = deque()
        for task in (tasks.drive_run, tasks.send_one_batch):
            monkeypatch.setattr(task, "delay", self._queues(task))
            monkeypatch.setattr(task, "apply_async", self._queues_later(task))

    def _queues(self, task: Any) -> Any:
        return lambda *arguments: self.queue.append((task, arguments))

    def _queues_later(self, task: Any) -> Any:
        return lambda arguments, countdown: self.queue.append((task, arguments))

    def works_until(self, done: Any) -> None:
        while not done():
            task, arguments = self.queue.popleft()
            task(*arguments)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any, monkeypatch: Any) -> World:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    return World(workspace, sandbox)


def small_run_of(world: World) -> Run:
    few = Segment.objects.create(workspace=world.workspace, name="Few")
    world.add_people(1)
    put_in(few, [Profile.objects.latest("pk")])
    destination = world.another_destination(few)
    return start_run(destination, trigger=Run.Trigger.COMMAND, enqueue=False)


def ended(run: Run) -> bool:
    run.refresh_from_db()
    return not run.is_active


def test_a_small_run_that_comes_later_ends_long_before_a_huge_one(
    world: World, monkeypatch: Any
) -> None:
    worker = OneWorker(monkeypatch)
    world.add_people(60)
    huge = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    worker.queue.append((tasks.drive_run, (huge.workspace_id, huge.pk)))
    worker.works_until(lambda: huge.batches.exclude(state=Batch.State.PLANNED).exists())
    small = small_run_of(world)
    worker.queue.append((tasks.drive_run, (small.workspace_id, small.pk)))
    worker.works_until(lambda: ended(small))
    assert small.state == Run.State.SUCCEEDED
    assert huge.batches.filter(state=Batch.State.PLANNED).count() > 30
    worker.works_until(lambda: ended(huge))
    assert huge.state == Run.State.SUCCEEDED
    assert world.sandbox.control("statistics")["imported_contacts"] == 61


def test_batches_left_by_a_lost_worker_are_all_sent(world: World, monkeypatch: Any) -> None:
    worker = OneWorker(monkeypatch)
    world.add_people(30)
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    worker.queue.append((tasks.drive_run, (run.workspace_id, run.pk)))
    worker.works_until(lambda: run.batches.filter(state=Batch.State.SENT).count() >= 7)
    worker.queue.clear()
    worker.queue.append((tasks.drive_run, (run.workspace_id, run.pk)))
    worker.works_until(lambda: ended(run))
    assert run.state == Run.State.SUCCEEDED
    assert world.sandbox.control("statistics")["imports"] == 30


def test_two_huge_plans_are_not_made_at_once(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(drive, "LARGE", 3)
    world.add_people(3)
    world.know_everyones_preferences()
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    small = small_run_of(world)
    with held_elsewhere(locks.LARGE_PLAN):
        assert drive.drive(run, tasks._hand_out) is not None
        drive.drive_to_end(small)
    run.refresh_from_db()
    small.refresh_from_db()
    assert (run.state, run.reason) == (
        Run.State.PLANNING,
        "Another large run is being planned.",
    )
    assert small.state == Run.State.SUCCEEDED
    drive.drive_to_end(run)
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED
