"""What happens to a list, an account or another export at an odd moment harms nobody."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections import access
from connections.models import Connection
from connections.provider import errors
from exports.engine import drive as drive_module
from exports.engine import remove, restored
from exports.engine.drive import attempt, drive, drive_to_end
from exports.engine.send import TryLater
from exports.models import Destination, OptOut, PreferencePull, Run
from exports.runs import start_run
from exports.whys import why
from segments.models import Profile, Segment, SegmentMember
from tests.exports.engine_world import account, add_profiles, make_attributes
from tests.exports.factories import ConnectionFactory, DestinationFactory
from tests.exports.memory_provider import MemoryActivity, MemoryProvider

pytestmark = pytest.mark.django_db(transaction=True)


class Small:
    """A world whose provider is in memory."""

    def __init__(self, workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.memory = MemoryProvider()
        monkeypatch.setitem(
            access.PROVIDERS, "memory", lambda connection, before_change: self.memory
        )
        self.workspace = workspace
        make_attributes(workspace)
        self.segment = Segment.objects.create(workspace=workspace, name="Everyone")
        self.list_id = self.memory.create_list("Readers").list_id
        self.export = self.another_export(self.list_id)

    def another_export(self, list_id: str) -> Destination:
        """Over a connection of its own to the same account."""
        return DestinationFactory.create(
            workspace=self.workspace,
            connection=ConnectionFactory(workspace=self.workspace, provider="memory"),
            list_id=list_id,
            matching={"email": "email", "first_name": "first"},
            segments=[self.segment],
            removal_share=100,
        )

    def add(self, *addresses: str) -> None:
        people = [{"email": one, "first": one.split("@")[0]} for one in addresses]
        add_profiles(self.workspace, self.segment, people)

    def rename_all(self) -> None:
        for profile in Profile.objects.all():
            profile.attributes["first"] = "Renamed"
            profile.save()

    def leave(self, *addresses: str) -> None:
        gone = Profile.objects.filter(attributes__email__in=addresses)
        SegmentMember.objects.filter(profile_id__in=gone.values("pk")).delete()

    def moves_to_another_list(self) -> str:
        self.export.list_id = self.memory.create_list("Others").list_id
        self.export.save(update_fields=["list_id"])
        return self.export.list_id

    def begin(self, of: Destination | None = None, **how: Any) -> Run:
        return start_run(of or self.export, trigger=Run.Trigger.COMMAND, enqueue=False, **how)

    def run(self, of: Destination | None = None, **how: Any) -> Run:
        run = self.begin(of, **how)
        drive_to_end(run)
        return run

    def on_list(self) -> set[str]:
        return set(self.memory.on(self.list_id))


@pytest.fixture
def small(transactional_db: None, workspace: Any, monkeypatch: pytest.MonkeyPatch) -> Small:
    return Small(workspace, monkeypatch)


def people(*numbers: int) -> list[str]:
    return [f"person{n}@example.com" for n in numbers]


def hand_out_nothing(run: Run, batch_ids: list[int]) -> None:
    """As if every worker were busy."""


@contextmanager
def answers_lost(memory: MemoryProvider, what: str, *, taken: bool) -> Iterator[None]:
    """As long as it lasts no answer comes, whether the request was taken or not."""
    real = getattr(memory, what)

    def silent(*args: Any, **how: Any) -> MemoryActivity:
        if taken:
            real(*args, **how)
        raise errors.OutcomeUnknown("The connection broke.")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(memory, what, silent)
        yield


def test_who_was_refused_and_changed_is_sent_again_though_nobody_else_is(small: Small) -> None:
    small.add("ann@example.com", "bad@refused.example")
    assert account(small.run()) == {"added": 1, "rejected": 1}
    bad = Profile.objects.get(attributes__email="bad@refused.example")
    bad.attributes["first"] = "Changed"
    bad.save()
    imports = small.memory.imports
    run = small.run()
    assert account(run) == {"unchanged": 1, "rejected": 1}
    assert (run.state, small.memory.imports) == ("succeeded_with_rejections", imports + 1)


@pytest.mark.parametrize("count", [1, 9])
def test_whom_two_exports_take_off_at_once_was_taken_off_by_nobody_else(
    small: Small, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    small.add(*people(*range(12)))
    other = small.another_export(small.list_id)
    small.run()
    small.run(other)
    small.leave(*people(*range(count)))
    runs = [small.begin(), small.begin(other)]
    monkeypatch.setattr(remove, "poll_delay", lambda tries: 0.0)

    def not_yet(run: Run) -> None:
        raise TryLater(why("others_send"), timezone.now())

    with monkeypatch.context() as patched:
        patched.setattr(drive_module, "remove_leavers", not_yet)
        for run in runs:
            drive(run, hand_out_nothing)
    with answers_lost(small.memory, "_take_off", taken=True):
        drive(runs[0], hand_out_nothing)
    assert small.on_list() == set(people(*range(count, 12)))
    drive(runs[1], hand_out_nothing)
    runs[1].refresh_from_db()
    assert (runs[1].state, runs[1].why["code"]) == ("confirming", "others_take_off")
    for run in runs:
        drive_to_end(run)
        assert run.state == Run.State.SUCCEEDED, run.reason
    assert not OptOut.objects.exists()
    small.add(*people(*range(count)))
    assert account(small.run(other)) == {"added": count, "unchanged": 12 - count}


def test_a_run_planned_for_one_account_sends_nothing_to_another(small: Small) -> None:
    small.add(*people(1, 2))
    run = small.begin()
    drive(run, hand_out_nothing)
    Connection.objects.filter(pk=small.export.connection_id).update(account_id="another")
    drive_to_end(run)
    assert (run.state, account(run)) == (Run.State.FAILED, {"rejected": 2})
    assert "belongs to another account" in run.reason
    assert small.memory.imports == 0


def test_a_dry_run_knows_that_another_list_has_nobody_yet(small: Small) -> None:
    small.add(*people(1, 2, 3))
    small.run()
    small.leave(*people(3))
    small.moves_to_another_list()
    run = small.run(dry_run=True)
    assert (account(run), run.to_remove) == ({"added": 2}, 0)


def test_who_unsubscribes_while_the_provider_writes_out_all_who_did_is_not_missed(
    small: Small,
) -> None:
    small.add(*people(1, 2))
    run = small.begin()
    begun = time.time() - 3600
    export = small.memory.export_contacts(status="unsubscribed")
    run.read_back = {"opted_out": {"activity": export.activity_id, "begun": begun, "polls": 3}}
    run.save(update_fields=["read_back"])
    OptOut.objects.create(
        workspace=small.workspace,
        account_id=small.export.connection.account_id,
        address=people(2)[0],
        reason=OptOut.Reason.UNSUBSCRIBED,
        since=timezone.now() - timedelta(minutes=30),
    )
    drive_to_end(run)
    assert account(run) == {"added": 1, "suppressed": 1}
    assert PreferencePull.objects.get().pulled_at.timestamp() == pytest.approx(begun)


def test_a_list_chosen_anew_after_a_restore_lost_nobody(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.add(*people(1, 2))
    small.run()
    others = small.moves_to_another_list()
    at = timezone.now()
    monkeypatch.setattr(restored, "restored_at", lambda: at)
    assert account(small.run()) == {"added": 2}
    assert set(small.memory.on(others)) == set(people(1, 2))


def test_nobody_was_taken_off_a_list_that_was_deleted(small: Small) -> None:
    small.add(*people(1, 2))
    small.run()
    small.memory.delete_list(small.list_id)
    small.rename_all()
    run = small.run()
    assert run.state == Run.State.FAILED
    assert "deleted there" in run.reason
    assert not OptOut.objects.exists()


def test_a_deleted_list_is_looked_for_again_when_no_answer_came(small: Small) -> None:
    small.add(*people(1, 2))
    small.run()
    small.memory.delete_list(small.list_id)
    run = small.begin()
    with answers_lost(small.memory, "list", taken=False):
        assert drive(run, hand_out_nothing) is not None
    assert run.state == Run.State.PLANNING
    drive_to_end(run)
    assert run.state == Run.State.FAILED
    assert "deleted there" in run.reason


def test_another_exports_import_is_not_taken_for_one_whose_answer_was_lost(small: Small) -> None:
    small.add(*people(1, 2))
    run = small.begin()
    drive(run, hand_out_nothing)
    with (
        answers_lost(small.memory, "import_contacts", taken=False),
        pytest.raises(TryLater),
    ):
        attempt(run, run.batches.get())
    small.run(small.another_export(small.memory.create_list("Others").list_id))
    assert small.on_list() == set()
    drive_to_end(run)
    assert (run.state, small.on_list()) == (Run.State.SUCCEEDED, set(people(1, 2)))
