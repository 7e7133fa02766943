"""A run at which workers die ends with a reason, all that was done stands, the next one goes on."""

from datetime import timedelta
from typing import Any

import pytest

from exports.engine import batches, broken_off, confirm, drive, remove, send, settle
from exports.models import Batch, Run
from exports.runs import start_run
from exports.tasks import sweep
from segments.models import SegmentMember
from tests.conftest import celery_worker, wait_until
from tests.exports.engine_world import World, account


class Died(BaseException):
    """Nothing is done any more where it is raised, as in a process that is killed."""


def die(*_what: Any, **_how: Any) -> None:
    raise Died


@pytest.fixture
def world(workspace: Any, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 2)
    world = World(workspace, sandbox)
    world.add_people(6)
    world.know_everyones_preferences()
    return world


def taken_up_for_ever(world: World, most: int = 3 * broken_off.MOST) -> tuple[Run, int]:
    """The run, when it has ended, and how many workers died of it."""
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    for deaths in range(most):
        try:
            drive.drive_to_end(run)
        except Died:
            continue
        run.refresh_from_db()
        return run, deaths
    raise AssertionError(f"{most} workers died, and it is taken up still")


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_plan_kills_its_workers_fails_with_a_reason(
    transactional_db: None, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.tasks.SILENCE", timedelta(seconds=0.5))
    with celery_worker("--include", "tests.exports.deadly_plans"):
        run = start_run(world.destination, trigger=Run.Trigger.MEMBER)

        def has_ended() -> bool:
            sweep()
            run.refresh_from_db()
            return not run.is_active

        wait_until(has_ended, 60, "the run's end")
    assert run.state == Run.State.FAILED
    assert f"{broken_off.MOST} times" in run.reason
    assert "memory" in run.reason
    assert world.on_list() == set()
    following = world.run()
    assert (following.state, account(following)) == (Run.State.SUCCEEDED, {"added": 6})


def test_a_batch_that_kills_its_workers_fails_and_the_others_are_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = send._earlier_attempt

    def deadly(provider: Any, run: Run, batch: Batch) -> Any:
        return die() if batch.number == 2 else earlier(provider, run, batch)

    with monkeypatch.context() as these_workers:
        these_workers.setattr(send, "_earlier_attempt", deadly)
        run, deaths = taken_up_for_ever(world)
    assert (run.state, deaths) == (Run.State.FAILED, broken_off.MOST)
    assert "1 of 3" in run.reason
    assert "memory" in run.reason
    assert account(run) == {"added": 4, "rejected": 2}
    assert len(world.on_list()) == 4
    following = world.run()
    assert account(following) == {"added": 2, "unchanged": 4}


def test_a_run_that_gets_further_between_deaths_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    world.add_many(broken_off.MOST)
    died_of: set[int] = set()
    earlier = send._earlier_attempt

    def deadly_once(provider: Any, run: Run, batch: Batch) -> Any:
        if batch.pk in died_of:
            return earlier(provider, run, batch)
        died_of.add(batch.pk)
        return die()

    monkeypatch.setattr(send, "_earlier_attempt", deadly_once)
    run, deaths = taken_up_for_ever(world)
    assert (run.state, run.reason) == (Run.State.SUCCEEDED, "")
    assert deaths == len(died_of) > broken_off.MOST
    assert run.broken_off == 0


@pytest.mark.parametrize(
    ("where", "step"),
    [(confirm, "_activities"), (remove, "_exported"), (settle, "_name_refused")],
    ids=["asking what became of batches", "taking people off", "naming who was refused"],
)
def test_what_workers_die_of_at_the_end_is_left_and_the_next_run_ends_right(
    world: World, monkeypatch: pytest.MonkeyPatch, where: Any, step: str
) -> None:
    monkeypatch.setattr(remove, "FEW", 0)
    world.run()
    leaver = SegmentMember.objects.order_by("profile_id").first()
    assert leaver is not None
    SegmentMember.objects.filter(profile_id=leaver.profile_id).delete()
    refused = [{"email": "no@example.com", "permission": "unsubscribed"}]
    world.sandbox.control("seed", contacts=refused)
    world.know_everyones_preferences()
    world.add({"email": "new@example.com"}, {"email": "no@example.com"})
    with monkeypatch.context() as these_workers:
        these_workers.setattr(where, step, die)
        run, deaths = taken_up_for_ever(world)
    assert run.state == Run.State.FAILED
    assert deaths <= broken_off.MOST + 1, "the first one got further before it died"
    assert "memory" in run.reason
    account(run)
    following = world.run()
    assert not following.removal.get("problem")
    assert world.on_list() == {f"person{n}@example.com" for n in range(1, 6)} | {"new@example.com"}
