"""Runs while things go wrong: they end right, without help, and without losing anyone."""

import os
import signal
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections import oauth_client, tokens
from connections import services as connection_services
from connections.access import limiter
from connections.constant_contact.answers import AccountSummary
from exports.engine import batches, send
from exports.engine import drive as drive_module
from exports.engine.drive import attempt, drive, drive_to_end
from exports.models import Batch, Delivery, Run
from exports.runs import RunRefused, cancel_run, start_run
from exports.tasks import _hand_out, sweep
from segments.models import Profile, SegmentMember
from tests.conftest import celery_worker, wait_until
from tests.exports.engine_world import World, account

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    world.add_people(3)
    return world


def send_here(run: Run, batch_ids: list[int]) -> None:
    for batch_id in batch_ids:
        attempt(run, Batch.objects.get(pk=batch_id))


EVERYONE = {f"person{n}@example.com" for n in range(3)}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttled", "count": 3},
        {"kind": "throttled", "count": 1, "retry_after": 1},
        {"kind": "queue_full", "count": 2},
        {"kind": "server_error", "count": 2, "status": 503},
        {"kind": "server_error", "count": 2, "status": 500},
        {"kind": "html_error", "count": 2},
        {"kind": "empty_error", "count": 2},
        {"kind": "cut_before", "count": 2},
        {"kind": "cut_after", "count": 1},
        {"kind": "revoked", "count": 1},
        {"kind": "slow", "count": 1, "seconds": 1},
        {"kind": "cut_during", "count": 1},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
@pytest.mark.parametrize("route", ["contacts_json_import", "/v3/activities/[0-9a-f-]+$"])
def test_a_fault_that_passes_is_overcome(world: World, fault: Any, route: str) -> None:
    world.sandbox.control("fault", route=route, **fault)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 3}
    assert world.on_list() == EVERYONE


def test_a_lost_answer_is_looked_for_before_the_batch_is_sent_again(world: World) -> None:
    world.sandbox.control("fault", kind="cut_after", count=1, route="contacts_json_import")
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert world.sandbox.control("statistics")["imported_contacts"] == 3
    assert run.batches.get().attempts == 1


@pytest.mark.parametrize("kind", ["activity_failed", "activity_timed_out", "activity_cancelled"])
def test_an_import_that_fails_there_is_taken_back_and_sent_by_the_next_run(
    world: World, kind: str
) -> None:
    world.sandbox.control("fault", kind=kind, count=1, route="contacts_json_import")
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "Constant Contact" in run.reason
    assert account(run) == {"rejected": 3}
    assert set(run.rejections.values_list("reason", flat=True)) == {"batch_failed"}
    assert not Delivery.objects.exists()
    assert account(world.run()) == {"added": 3}
    assert world.on_list() == EVERYONE


def test_a_failed_change_leaves_the_ledger_as_it_was(world: World) -> None:
    world.run()
    world.destination.matching.pop("last_name")
    world.destination.save(update_fields=["matching"])
    world.sandbox.control("fault", kind="activity_failed", count=1, route="contacts_json_import")
    assert account(world.run()) == {"rejected": 3}
    assert account(world.run()) == {"changed": 3}


def test_consent_withdrawn_stops_the_run_before_anything_leaves(world: World) -> None:
    administrator = world.connection.export_user
    connection_services.withdraw_consent(world.connection, by=administrator)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "data privacy" in run.reason
    assert world.sandbox.control("statistics")["imports"] == 0


def test_consent_withdrawn_in_the_middle_stops_at_the_next_batch(
    world: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    real, sent = send.send_batch, []

    def withdraw_after_the_first(run: Run, batch: Batch) -> None:
        real(run, batch)
        sent.append(batch.pk)
        if len(sent) == 1:
            connection_services.withdraw_consent(world.connection, by=world.connection.export_user)

    monkeypatch.setattr("exports.engine.drive.send_batch", withdraw_after_the_first)
    run = world.run()
    assert run.state == Run.State.FAILED
    assert world.sandbox.control("statistics")["imports"] == 1
    account(run)


def test_an_export_user_who_is_no_longer_administrator_stops_the_run(world: World) -> None:
    from workspaces.models import Membership

    Membership.objects.filter(user=world.connection.export_user).update(role="viewer")
    run = world.run()
    assert run.state == Run.State.FAILED
    assert "export user" in run.reason


def test_a_revoked_grant_puts_the_connection_into_needs_sign_in(world: World) -> None:
    world.sandbox.control("revoke")
    run = world.run()
    assert run.state == Run.State.FAILED
    world.connection.refresh_from_db()
    assert world.connection.state == "needs_sign_in"
    assert not run.batches.exists()


def test_cancelling_sends_no_further_batch_and_settles_what_was_taken(
    world: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    real = send.send_batch

    def cancel_after_the_first(run: Run, batch: Batch) -> None:
        real(run, batch)
        if run.cancel_requested_at is None:
            cancel_run(run, by=None)

    monkeypatch.setattr("exports.engine.drive.send_batch", cancel_after_the_first)
    run = world.run()
    assert run.state == Run.State.CANCELLED
    assert account(run) == {"added": 1, "rejected": 2}
    assert len(world.on_list()) == 1
    monkeypatch.setattr("exports.engine.drive.send_batch", real)
    assert account(world.run()) == {"added": 2, "unchanged": 1}


def test_a_destination_has_one_run_at_a_time(world: World) -> None:
    start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    with pytest.raises(RunRefused, match="running already"):
        start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)


def test_a_spent_day_makes_the_run_wait_until_midnight_utc(world: World, settings: Any) -> None:
    world.know_everyones_preferences()
    settings.CONSTANT_CONTACT_RATE_PER_DAY = 0
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    again = drive(run, send_here)
    run.refresh_from_db()
    assert run.state == Run.State.PLANNING
    assert run.waiting_until == again
    assert again is not None
    assert (again.hour, again.minute) == (0, 0)
    assert again > timezone.now()
    settings.CONSTANT_CONTACT_RATE_PER_DAY = 1_000_000
    drive_to_end(run)
    assert run.state == Run.State.SUCCEEDED
    assert world.on_list() == EVERYONE


def test_a_day_that_the_provider_calls_spent_in_the_middle_is_waited_out(
    world: World, monkeypatch: Any
) -> None:
    """Its count may be ahead of ours: other applications use the same key."""
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    world.know_everyones_preferences()
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    world.sandbox.control(
        "fault", kind="quota_exceeded", count=1, after=1, route="contacts_json_import"
    )
    again = drive(run, send_here)
    run.refresh_from_db()
    assert (run.state, run.why["code"]) == (Run.State.SENDING, "budget_spent")
    assert again is not None
    assert run.waiting_until == again > timezone.now()
    assert (again.hour, again.second) == (0, 0)
    assert world.sandbox.control("statistics")["imported_contacts"] == 1
    limiter().storage.server.flushdb()  # as midnight does
    drive_to_end(run)
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert (run.reason, run.waiting_until) == ("", None)
    assert world.sandbox.control("statistics")["imported_contacts"] == 3


@pytest.mark.parametrize("offset", [-240, 240])
def test_a_lost_answer_is_found_though_the_providers_clock_is_off_by_minutes(
    world: World, offset: int
) -> None:
    world.know_everyones_preferences()
    world.sandbox.control("clock", offset=offset)
    world.sandbox.control("fault", kind="cut_after", count=1, route="contacts_json_import")
    run = world.run()
    world.sandbox.control("clock", offset=0)
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert world.sandbox.control("statistics")["imported_contacts"] == 3


def test_a_grant_revoked_in_the_middle_stops_at_the_next_batch_and_the_next_run_mends_it(
    world: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    world.know_everyones_preferences()
    real, sent = send.send_batch, []

    def revoke_after_the_first(run: Run, batch: Batch) -> None:
        real(run, batch)
        sent.append(batch.pk)
        if len(sent) == 1:
            world.sandbox.control("revoke")

    monkeypatch.setattr("exports.engine.drive.send_batch", revoke_after_the_first)
    run = world.run()
    assert (run.state, world.sandbox.control("statistics")["imports"]) == (Run.State.FAILED, 1)
    assert "no longer accepts the authorisation" in run.reason
    assert account(run) == {"rejected": 3}
    assert set(run.rejections.values_list("reason", flat=True)) == {"stopped", "outcome_unknown"}
    monkeypatch.setattr("exports.engine.drive.send_batch", real)
    sign_in_again(world)
    (taken,) = world.on_list()
    left = Profile.objects.get(attributes__email=taken)
    SegmentMember.objects.filter(profile_id=left.pk).delete()
    assert account(world.run()) == {"added": 1, "changed": 1}
    assert world.on_list() == EVERYONE - {taken}, "who came there by a run that failed, and left"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttled", "retry_after": 1, "count": 1},
        {"kind": "server_error", "status": 503, "count": 2},
        {"kind": "html_error", "count": 2},
        {"kind": "cut_before", "count": 2},
        {"kind": "slow", "seconds": 1, "count": 1},
    ],
    ids=lambda fault: fault["kind"],
)
def test_a_token_endpoint_that_fails_in_the_middle_is_waited_for(
    world: World, monkeypatch: Any, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    monkeypatch.setattr(oauth_client, "ATTEMPTS", 1)
    monkeypatch.setattr(oauth_client, "TIMEOUT_SECONDS", (5, 0.3))
    monkeypatch.setattr(tokens, "TRY_AGAIN_SECONDS", 0.05)
    world.sandbox.control("configure", rotating=False)
    world.know_everyones_preferences()
    real_send, real_wait, sent, waited = send.send_batch, drive_module.wait, [], []

    def expire_after_the_first(run: Run, batch: Batch) -> None:
        real_send(run, batch)
        sent.append(batch.pk)
        if len(sent) == 1:
            world.sandbox.control("expire_tokens")
            world.sandbox.control("fault", route="/v1/token", **fault)

    def wait(run: Run, later: send.TryLater) -> None:
        waited.append((later.at - timezone.now()).total_seconds())
        real_wait(run, later)

    monkeypatch.setattr(drive_module, "send_batch", expire_after_the_first)
    monkeypatch.setattr(drive_module, "wait", wait)
    run = world.run()
    assert (run.state, account(run)) == (Run.State.SUCCEEDED, {"added": 3}), run.reason
    assert world.on_list() == EVERYONE
    assert waited
    assert max(waited) > fault.get("retry_after", 0) - 0.5
    requests = world.sandbox.control("statistics")["requests"]
    renewals = [count for key, count in requests.items() if key.endswith("/token 200")]
    assert sum(renewals) <= 2, "one renewal, and the one whose answer was lost"


def sign_in_again(world: World) -> None:
    connection = world.connection
    connection.refresh_from_db()
    account = AccountSummary(
        encoded_account_id=connection.account_id, organization_name=connection.account_name
    )
    connection_services.keep_authorisation(
        connection, world.sandbox.tokens(), account, by=connection.export_user
    )
    connection.refresh_from_db()


def test_a_run_whose_worker_was_killed_is_taken_up_and_ends_right(
    world: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    world.know_everyones_preferences()
    world.add_many(5)
    run = start_run(world.destination, trigger=Run.Trigger.MEMBER, enqueue=False)
    world.sandbox.control("configure", latency=0.3)
    with celery_worker() as process:
        drive(run, _hand_out)
        wait_until(run.batches.filter(state=Batch.State.SENT).exists, 60, "a batch")
        for child in _family(process.pid):
            os.kill(child, signal.SIGKILL)
    assert run.batches.filter(state=Batch.State.PLANNED).exists()
    world.sandbox.control("configure", latency=0)
    monkeypatch.setattr("exports.tasks.SILENCE", timedelta(seconds=1))

    def has_ended() -> bool:
        sweep()
        return not Run.objects.get().is_active

    with celery_worker():
        wait_until(has_ended, 60, "the run's end")
    run.refresh_from_db()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 8}
    assert len(world.on_list()) == 8


def _family(pid: int) -> list[int]:
    import psutil

    parent = psutil.Process(pid)
    return [pid, *(child.pid for child in parent.children(recursive=True))]


def test_many_profiles_arrive_in_the_fewest_requests(world: World, monkeypatch: Any) -> None:
    """A batch begins and ends anywhere among the neighbours that were counted together."""
    assert (batches.MAX_CONTACTS, batches.MAX_BYTES) == (40_000, 3_900_000)
    monkeypatch.setattr(batches, "MAX_CONTACTS", 300)
    world.add_many(997)
    run = world.run()
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 1_000}
    assert world.sandbox.control("statistics")["imports"] == 4
    assert len(world.on_list()) == 1_000
    assert not run.batches.filter(body__isnull=False).exists(), "requests are let go of"


def test_a_request_is_as_large_as_it_may_be_and_no_larger(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(batches, "MAX_BYTES", 20_000)
    world.know_everyones_preferences()
    world.add_many(997)
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    drive(run, lambda run, batches: None)
    planned = run.batches.order_by("number")
    sizes = [len(bytes(batch.body or b"")) for batch in planned]
    assert len(sizes) > 2
    assert max(sizes) <= 20_000
    assert min(sizes[:-1]) > 19_900
    assert sum(batch.contacts for batch in planned) == 1_000
