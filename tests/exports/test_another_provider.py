"""A provider that is not Constant Contact: the run engine takes it through the boundary alone."""

from typing import Any

import pytest

from connections import access
from connections.provider.protocol import Provider
from exports.engine.drive import drive_to_end
from exports.models import Rejection, Run
from exports.runs import start_run
from segments.models import Profile, Segment, SegmentMember
from tests.exports.engine_world import account, add_profiles, make_attributes
from tests.exports.factories import ConnectionFactory, DestinationFactory
from tests.exports.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db(transaction=True)


def test_runs_add_change_take_off_and_name_who_was_rejected_at_a_provider_in_memory(
    transactional_db: None, workspace: Any, monkeypatch: Any
) -> None:
    memory = MemoryProvider()
    provider: Provider = memory  # what the type checker holds it to
    monkeypatch.setitem(access.PROVIDERS, "memory", lambda connection, before_change: provider)
    readers = memory.create_list("Readers").list_id
    make_attributes(workspace)
    segment = Segment.objects.create(workspace=workspace, name="Everyone")
    export = DestinationFactory(
        workspace=workspace,
        connection=ConnectionFactory(workspace=workspace, provider="memory"),
        list_id=readers,
        list_name="Readers",
        matching={"email": "email", "first_name": "first"},
        segments=[segment],
        removal_share=100,
    )

    def run() -> Run:
        run = start_run(export, trigger=Run.Trigger.COMMAND, enqueue=False)
        drive_to_end(run)
        return run

    people = [{"email": f"p{n}@example.com", "first": f"First{n}"} for n in range(12)]
    add_profiles(workspace, segment, [*people, {"email": "bad@refused.example", "first": "Bad"}])
    first = run()
    assert first.state == Run.State.SUCCEEDED_WITH_REJECTIONS, first.reason
    assert account(first) == {"added": 12, "rejected": 1}
    assert Rejection.objects.get(run=first).address == "bad@refused.example"
    assert memory.on(readers) == {
        f"p{n}@example.com": {"first_name": f"First{n}"} for n in range(12)
    }
    assert first.requests > 0

    changed = Profile.objects.get(attributes__email="p1@example.com")
    changed.attributes["first"] = "Renamed"
    changed.save()
    leaving = Profile.objects.filter(attributes__first__in=[f"First{n}" for n in range(2, 12)])
    SegmentMember.objects.filter(profile_id__in=leaving.values("pk")).delete()
    second = run()
    assert second.state in (Run.State.SUCCEEDED, Run.State.SUCCEEDED_WITH_REJECTIONS)
    assert (second.changed, second.unchanged, second.removed) == (1, 1, 10)
    assert memory.on(readers) == {
        "p0@example.com": {"first_name": "First0"},
        "p1@example.com": {"first_name": "Renamed"},
    }

    Profile.objects.filter(attributes__first="Bad").delete()
    SegmentMember.objects.exclude(profile_id__in=Profile.objects.values("pk")).delete()
    imports = memory.imports
    third = run()
    assert (third.state, account(third)) == (Run.State.SUCCEEDED, {"unchanged": 2})
    assert memory.imports == imports
