"""A person is erased: from everything here, from the lists there, and for good."""

import dataclasses
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django_scopes import scope

from connections import services as connection_services
from exports import erased_at_provider, erasing
from exports.configuration import configuration_of
from exports.engine import batches, drive, send
from exports.engine.plan import preview
from exports.models import Batch, Delivery, ErasurePlace, OptOut, Rejection, Run
from exports.runs import start_run
from exports.tasks import take_off_erased
from segments import (
    address_erasures,
    drafts,
    erasures,
    imports,
    sources,
    static_segments,
    suppressions,
)
from segments.models import ErasedIdentity, Erasure, Import, Profile, RefusedRow, SegmentMember
from segments.tasks import finish_erasure_task
from segments.tasks import sweep as sweep_segments
from tests.another_session import held_elsewhere
from tests.conftest import celery_worker, wait_until
from tests.exports.engine_world import World, account
from tests.exports.pages import words
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory, signed_in
from workspaces import locks
from workspaces.models import AuditEntry, Role

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "member1@people.example"
KEY = "k0000001"


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    world.add(*({"email": f"member{n}@people.example", "first": f"First{n}"} for n in range(4)))
    return world


def erase(world: World, key: str = KEY, **how: Any) -> Erasure:
    administrator = MembershipFactory(workspace=world.workspace).user
    return erasures.erase(Profile.objects.get(key=key), by=administrator, **how)


def planned(world: World) -> Run:
    """A run none of whose batches has been sent yet."""
    run = start_run(world.destination, trigger=Run.Trigger.COMMAND, enqueue=False)
    wait_until(lambda: drive.drive(run, lambda *_: None) is None, what="the plan")
    return run


def take_off(world: World, erasure: Erasure) -> None:
    """As the workers would, here."""
    erasures.carry_on(erasure)
    for place in ErasurePlace.objects.filter(erasure=erasure):
        for _ in range(20):
            place.refresh_from_db()
            if place.done_at:
                break
            erased_at_provider.carry_out(place)
    erasure.refresh_from_db()


def everything_kept() -> str:
    """Every row of every table of the database, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        kept = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            kept += [row for (row,) in cursor.fetchall()]
            cursor.execute(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_name = %s AND data_type = 'bytea'",
                [table],
            )
            for (column,) in cursor.fetchall():
                cursor.execute(f"SELECT encode({column}, 'escape') FROM \"{table}\" t")
                kept += [row or "" for (row,) in cursor.fetchall()]
    return "\n".join(kept).lower()


def import_file(world: World, content: str) -> Import:
    source = sources.create_source(world.workspace, f"Shop {Import.objects.count()}")
    load = drafts.take_file(source, "customers.csv", [content.encode()])
    columns = drafts.chosen_columns(load)
    drafts.prepare(load, key=columns[0].column, columns=columns, skip_refused=False, by=None)
    imports.run_import(load)
    load.refresh_from_db()
    return load


def test_nothing_that_names_the_person_is_left_in_the_database(world: World) -> None:
    world.add({"email": ADDRESS, "key": "twin", "first": "Twin"})
    world.run()
    world.run(dry_run=True)
    load = import_file(world, f"id;mail;age\nz1;Zed@Example.com;4\n{KEY};{ADDRESS.upper()};3\n")
    RefusedRow.objects.create(
        workspace=world.workspace,
        source_import=load,
        row_number=3,
        column="age",
        value=f"mailto:{ADDRESS}",
        reason="not_a_number",
    )
    OptOut.objects.create(
        workspace=world.workspace, account_id="other", address=ADDRESS, reason="unsubscribed"
    )
    member = MembershipFactory(workspace=world.workspace).user
    suppressions.add_text(world.workspace, ADDRESS, reason="asked", by=member)
    static_segments.create(
        world.workspace, name="VIPs", description="", listed_by="email", rows=[[ADDRESS]], by=None
    )
    static_segments.create(
        world.workspace, name="Keys", description="", listed_by="", rows=[[KEY], ["o"]], by=None
    )
    assert ADDRESS in everything_kept()
    take_off(world, erase(world))
    take_off(world, erase(world, "twin"))
    kept = everything_kept()
    for telling in (ADDRESS, KEY, "twin", "first1"):
        assert telling not in kept, telling
    vips, _changed = static_segments.create(
        world.workspace, name="More", description="", listed_by="", rows=[[KEY], ["k"]], by=None
    )
    assert vips.entry_count == 1
    assert "member2@people.example" in kept


def test_a_person_goes_from_the_list_and_from_here(world: World) -> None:
    run = world.run()
    erasure = erase(world)
    assert not Profile.objects.filter(key=KEY).exists()
    assert SegmentMember.objects.count() == 3
    world.segment.refresh_from_db()
    assert world.segment.member_count == 3
    assert not Delivery.objects.filter(workspace=world.workspace, address=ADDRESS).exists()
    assert erasure.finished_at is None
    take_off(world, erasure)
    assert erasure.finished_at is not None
    assert ADDRESS not in world.on_list()
    assert len(world.on_list()) == 3
    assert world.sandbox.control("contact", email=ADDRESS)["deleted"] is False
    run.refresh_from_db()
    assert account(run) == {"added": 4}
    assert account(world.run()) == {"unchanged": 3}


def test_somebody_without_a_profile_is_erased_by_address(world: World) -> None:
    world.run()
    member = MembershipFactory(workspace=world.workspace).user
    suppressions.add_text(world.workspace, f"{ADDRESS} x@y.org", reason="asked", by=member)
    profile = Profile.objects.get(key=KEY)
    with pytest.raises(erasures.Refused, match=KEY):
        address_erasures.erase(world.workspace, ADDRESS, by=member)
    Rejection.objects.create(
        workspace=world.workspace,
        run=Run.objects.latest("pk"),
        profile_id=profile.pk,
        profile_key=KEY,
        address=f" {ADDRESS.upper()}",
        kind="suppressed",
        reason="suppressed",
    )
    profile.delete()
    static_segments.create(
        world.workspace, name="VIPs", description="", listed_by="", rows=[[ADDRESS]], by=None
    )
    client = signed_in(world.workspace)
    searched = client.get(
        reverse("segments:profile_list", args=[world.workspace.slug]), {"q": ADDRESS}
    )
    at = f"{reverse('segments:erase_address', args=[world.workspace.slug])}?address={ADDRESS}"
    assert "Nobody with this address among the profiles" in words(searched)
    assert at.replace("@", "%40") in searched.content.decode()
    page = words(client.get(at))
    for known in (
        "Suppressions 1",
        "Entries of static segments 1",
        "Deliveries of exports 1",
        "Runs’ notes of people not sent 1",
    ):
        assert known in page, known
    assert "so nobody was erased" in words(client.post(at, {"again": "other@x.org"}))
    assert client.post(at, {"again": f" {ADDRESS.upper()}"}).status_code == 302
    erasure = Erasure.objects.get()
    take_off(world, erasure)
    assert erasure.finished_at is not None
    assert ADDRESS not in world.on_list()
    kept = everything_kept()
    for telling in (ADDRESS, KEY):
        assert telling not in kept, telling
    assert "member2@people.example" in kept
    assert "x@y.org" in kept
    page = words(client.get(at))
    assert "Deliveries of exports 0" in page
    assert "erased before" in page
    assert import_file(world, f"id,email\nnew,{ADDRESS}\n").refused == 1


def test_what_is_no_address_is_told(world: World) -> None:
    client = signed_in(world.workspace)
    at = reverse("segments:erase_address", args=[world.workspace.slug])
    assert "What is known of it" not in words(client.get(at))
    for typed in ("nobody", "a@b", f"{'a' * 250}@example.org", "a@b.org, c@d.org", "a\0@b.org"):
        page = words(client.get(at, {"address": typed}))
        assert "This is no e-mail address" in page, typed
    call_command("erase_profile", world.workspace.slug, "NoBody@x.org", "--address")
    assert Erasure.objects.count() == 1


def test_the_contact_is_deleted_there_if_that_is_wanted(world: World) -> None:
    world.run()
    take_off(world, erase(world, delete_at_provider=True))
    assert world.sandbox.control("contact", email=ADDRESS)["deleted"]
    assert ADDRESS not in world.on_list()


def test_somebody_in_two_exports_of_one_list_is_taken_off_once(world: World) -> None:
    world.run()
    world.run(of=world.another_destination())
    erasure = erase(world)
    place = ErasurePlace.objects.get(erasure=erasure)
    assert [one["id"] for one in place.lists] == [world.list_id]
    take_off(world, erasure)
    assert ADDRESS not in world.on_list()
    assert erasure.finished_at is not None


def test_somebody_who_is_no_longer_on_the_list_is_done_at_once(world: World) -> None:
    world.run()
    world.sandbox.control("take_off", list_id=world.list_id, email=ADDRESS)
    erasure = erase(world)
    take_off(world, erasure)
    assert erasure.finished_at is not None
    assert ErasurePlace.objects.get(erasure=erasure).addresses is None


def test_somebody_whom_no_export_ever_sent_needs_nothing_there(world: World) -> None:
    world.sandbox.control("fault", kind="server_error", count=100, status=503, route=".*")
    erasure = erase(world)
    erasures.carry_on(erasure)
    erasure.refresh_from_db()
    assert erasure.finished_at is not None


def test_a_later_import_does_not_bring_them_back(world: World) -> None:
    erase(world)
    load = import_file(
        world,
        f"id,email,first\n{KEY},other@example.com,A\nnew1, {ADDRESS.upper()} ,B\nnew2,n@x.org,C\n",
    )
    assert load.state == Import.State.SUCCEEDED, load.reason
    assert (load.read, load.added, load.refused) == (3, 1, 2)
    assert (
        list(load.refused_rows.values_list("reason", "value", "column", "row_number"))
        == [("erased", "", "", 0)] * 2
    )
    assert not Profile.objects.filter(key__in=[KEY, "new1"]).exists()
    kept = everything_kept()
    assert ADDRESS not in kept


def test_an_empty_workspace_does_not_bring_them_back_either(world: World) -> None:
    for profile in Profile.objects.all():
        erase(world, profile.key)
    load = import_file(world, f"id,email\n{KEY},{ADDRESS}\nn,n@x.org\n")
    assert (load.added, load.refused) == (1, 1)


def test_once_let_back_in_they_may_be_imported_again(world: World) -> None:
    erasure = erase(world)
    erasures.lift(erasure, by=MembershipFactory(workspace=world.workspace).user)
    load = import_file(world, f"id,email\n{KEY},{ADDRESS}\n")
    assert (load.added, load.refused) == (1, 0)


def test_another_workspace_imports_the_same_person(world: World) -> None:
    erase(world)
    other = WorkspaceFactory()
    with scope(workspace=other):
        source = sources.create_source(other, "Theirs")
        load = drafts.take_file(source, "c.csv", [f"id,email\n{KEY},{ADDRESS}\n".encode()])
        columns = drafts.chosen_columns(load)
        drafts.prepare(load, key="id", columns=columns, skip_refused=False, by=None)
        imports.run_import(load)
        load.refresh_from_db()
        assert load.added == 1


def test_another_profile_with_the_address_is_not_sent_any_more(world: World) -> None:
    world.add({"email": ADDRESS, "key": "other", "first": "Other"})
    world.run()
    take_off(world, erase(world))
    assert Profile.objects.filter(key="other").exists()
    run = world.run()
    assert account(run) == {"unchanged": 3, "suppressed": 1}
    assert Rejection.objects.get(run=run, kind="suppressed").reason == "erased"
    assert preview(configuration_of(world.destination)).counts["suppressed"] == 1
    assert ADDRESS not in world.on_list()


def test_an_address_that_many_share_and_no_export_uses_is_not_theirs(world: World) -> None:
    for profile in Profile.objects.all():
        profile.attributes["adviser"] = "adviser@bank.example"
        profile.save()
    erase(world)
    load = import_file(world, "id,mail\nn1,adviser@bank.example\n")
    assert (load.added, load.refused) == (1, 0)


def test_somebody_planned_and_not_sent_yet_is_cut_out_of_the_batch(world: World) -> None:
    run = planned(world)
    batch = run.batches.get()
    assert ADDRESS.encode() in bytes(batch.body)
    erasure = erase(world)
    batch.refresh_from_db()
    assert ADDRESS.encode() not in bytes(batch.body)
    assert (batch.contacts, batch.body_bytes) == (3, len(batch.body))
    drive.drive_to_end(run)
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 3, "suppressed": 1}
    assert world.on_list() == {f"member{n}@people.example" for n in (0, 2, 3)}
    take_off(world, erasure)
    assert ADDRESS not in everything_kept()


def test_a_batch_of_nobody_else_is_not_sent(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(batches, "MAX_CONTACTS", 1)
    run = planned(world)
    erase(world)
    drive.drive_to_end(run)
    assert run.state == Run.State.SUCCEEDED, run.reason
    assert account(run) == {"added": 3, "suppressed": 1}
    assert world.sandbox.control("statistics")["imports"] == 3


def test_somebody_who_is_being_sent_is_taken_off_once_that_run_is_over(world: World) -> None:
    run = planned(world)
    send.send_batch(run, run.batches.get())
    assert run.batches.get().state == Batch.State.SENT
    erasure = erase(world)
    assert run.batches.get().body is None
    place = ErasurePlace.objects.get(erasure=erasure)
    assert place.waits_for == [run.pk]
    assert erased_at_provider.carry_out(place) is not None
    assert "under way" in place.reason
    drive.drive_to_end(run)
    assert account(run) == {"added": 4}
    take_off(world, erasure)
    assert erasure.finished_at is not None
    assert ADDRESS not in world.on_list()
    assert ADDRESS not in everything_kept()


def test_while_a_batch_is_being_sent_an_erasure_waits_or_says_so(world: World) -> None:
    run = planned(world)
    batch = run.batches.get()
    with held_elsewhere(locks.BATCH, batch.pk):
        with pytest.raises(erasures.Refused, match="Try again"):
            erase(world, patience=1)
        assert Profile.objects.filter(key=KEY).exists()
        assert not Erasure.objects.exists()
    erase(world)
    assert not Profile.objects.filter(key=KEY).exists()


def test_an_import_that_is_storing_holds_an_erasure_up(world: World) -> None:
    import psycopg2

    from segments.profile_merge import ONE_AT_A_TIME

    elsewhere = psycopg2.connect(**connection.get_connection_params())
    with elsewhere.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, {"workspace": world.workspace.pk})
        with pytest.raises(erasures.Refused):
            erase(world, patience=1)
    elsewhere.rollback()
    erase(world)
    elsewhere.close()


@pytest.mark.parametrize("at", ["_note_places", "_cut_out"])
def test_a_crash_in_the_middle_leaves_everything_as_it_was(
    world: World, monkeypatch: Any, at: str
) -> None:
    run = planned(world)

    def crash(*_: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(erasing, at, crash)
    with pytest.raises(RuntimeError):
        erase(world)
    assert Profile.objects.filter(key=KEY).exists()
    assert not Erasure.objects.exists()
    assert not ErasedIdentity.objects.exists()
    drive.drive_to_end(run)
    assert account(run) == {"added": 4}


def test_a_worker_lost_between_any_two_steps_is_followed_by_another(
    world: World, monkeypatch: Any
) -> None:
    world.run()
    erasure = erase(world)
    place = ErasurePlace.objects.get(erasure=erasure)
    steps = ["contacts", "remove_list_memberships", "activity", "contacts"]

    class Killed(BaseException):
        pass

    from connections.constant_contact.client import Client

    for step in steps:
        real = getattr(Client, step)

        def killed(self: Any, *args: Any, real: Any = real, **how: Any) -> Any:
            list(found) if hasattr(found := real(self, *args, **how), "__next__") else found
            raise Killed

        monkeypatch.setattr(Client, step, killed)
        for _ in range(3):
            try:
                erased_at_provider.carry_out(ErasurePlace.objects.get(pk=place.pk))
            except Killed:
                break
        monkeypatch.setattr(Client, step, real)
    take_off(world, erasure)
    assert erasure.finished_at is not None
    assert ADDRESS not in world.on_list()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttled", "count": 2},
        {"kind": "server_error", "count": 2, "status": 503},
        {"kind": "cut_after", "count": 1},
        {"kind": "activity_failed", "count": 1},
    ],
    ids=lambda fault: str(fault["kind"]),
)
def test_a_fault_that_passes_is_overcome(world: World, fault: Any) -> None:
    world.run()
    world.sandbox.control("fault", route="remove_list_memberships", **fault)
    erasure = erase(world)
    take_off(world, erasure)
    assert erasure.finished_at is not None
    assert ADDRESS not in world.on_list()


def test_without_consent_nothing_leaves_and_the_reason_is_told(world: World) -> None:
    world.run()
    connection_services.withdraw_consent(world.connection, by=world.connection.export_user)
    before = world.sandbox.control("statistics")["total"]
    erasure = erase(world)
    place = ErasurePlace.objects.get(erasure=erasure)
    assert erased_at_provider.carry_out(place) is not None
    assert "data privacy" in ErasurePlace.objects.get().reason
    assert world.sandbox.control("statistics")["total"] == before
    page = signed_in(world.workspace).get(
        reverse("segments:erasure_list", args=[world.workspace.slug])
    )
    assert "data privacy" in page.content.decode()
    Erasure.objects.update(asked_at="2020-01-01T00:00Z")
    home = reverse("workspaces:home", args=[world.workspace.slug])
    told = "still at Constant Contact"
    assert told in signed_in(world.workspace).get(home).content.decode()
    assert told not in signed_in(world.workspace, Role.CONTRIBUTOR).get(home).content.decode()
    connection_services.give_consent(world.connection, by=world.connection.export_user)
    take_off(world, erasure)
    assert ADDRESS not in world.on_list()


def test_a_member_may_say_that_it_was_done_by_hand(world: World) -> None:
    world.run()
    connection_services.withdraw_consent(world.connection, by=world.connection.export_user)
    erasure = erase(world)
    erasures.carry_on(erasure)
    place = ErasurePlace.objects.get(erasure=erasure)
    at = reverse("exports:erased_by_hand", args=[world.workspace.slug, place.pk])
    assert signed_in(world.workspace, Role.CONTRIBUTOR).post(at).status_code == 403
    assert signed_in(world.workspace).post(at).status_code == 302
    erasure.refresh_from_db()
    assert erasure.finished_at is not None
    assert ErasurePlace.objects.get().addresses is None
    other = WorkspaceFactory()
    theirs = reverse("exports:erased_by_hand", args=[other.slug, place.pk])
    assert signed_in(other).post(theirs).status_code == 404


def test_the_workers_do_it_all(world: World, worker: Any) -> None:
    world.run()
    client = signed_in(world.workspace)
    profile = Profile.objects.get(key=KEY)
    at = reverse("segments:profile_erase", args=[world.workspace.slug, profile.pk])
    page = client.get(at).content.decode()
    assert "Newsletter" in page
    assert client.post(at, {"key": "wrong", "addresses": [ADDRESS]}).status_code == 200
    assert Profile.objects.filter(key=KEY).exists()
    answer = client.post(at, {"key": KEY, "addresses": [ADDRESS]})
    assert answer.status_code == 302
    assert not Profile.objects.filter(key=KEY).exists()
    wait_until(lambda: Erasure.objects.get().finished_at, what="the erasure")
    assert ADDRESS not in world.on_list()
    entries = AuditEntry.objects.filter(action__startswith="profile.")
    assert {one.action for one in entries} == {"profile.erased", "profile.erasure_finished"}
    assert ADDRESS not in everything_kept()
    assert KEY not in everything_kept()


def test_what_a_killed_worker_left_is_taken_up(world: World) -> None:
    world.run()
    erasure = erase(world)
    Erasure.objects.update(asked_at="2020-01-01T00:00Z")
    ErasurePlace.objects.update(next_look_at="2020-01-01T00:00Z")
    with celery_worker():
        sweep_segments()
        wait_until(lambda: Erasure.objects.get(pk=erasure.pk).finished_at, what="the erasure")
    assert ADDRESS not in world.on_list()


def test_kept_files_of_ended_imports_are_removed(world: World) -> None:
    from pathlib import Path

    load = import_file(world, f"id,mail\n{KEY},{ADDRESS}\n")
    source = sources.create_source(world.workspace, "Waiting")
    draft = drafts.take_file(source, "c.csv", [b"id,mail\n1,a@b.org\n"])
    assert Path(load.file_path).exists()
    erasure = erase(world)
    finish_erasure_task(world.workspace.pk, erasure.pk)
    assert not Path(load.file_path).exists()
    assert Path(draft.file_path).exists()


def test_the_file_of_an_import_that_brought_them_is_not_kept(world: World) -> None:
    from pathlib import Path

    erase(world)
    load = import_file(world, f"id,email\n{KEY},{ADDRESS}\n1,b@c.org\n")
    assert not Path(load.file_path).exists()


def test_a_refused_row_of_a_later_import_does_not_quote_them(world: World) -> None:
    erase(world)
    source = sources.create_source(world.workspace, "Shop")
    rows = "".join(f"{n},{n}\n" for n in range(30))
    load = drafts.take_file(source, "c.csv", [f"id,age\n{rows}z,{ADDRESS}\n".encode()])
    columns = [
        dataclasses.replace(one, type="number") if one.column == "age" else one
        for one in drafts.chosen_columns(load)
    ]
    drafts.prepare(load, key="id", columns=columns, skip_refused=True, by=None)
    imports.run_import(load)
    assert load.refused_rows.get().value == ""
    assert ADDRESS not in everything_kept()


def test_by_command(world: World, capsys: Any) -> None:
    world.run()
    call_command("erase_profile", world.workspace.slug, KEY, "--delete-at-provider", "--json")
    erasure = Erasure.objects.get()
    assert erasure.delete_at_provider
    assert capsys.readouterr().out.strip() == f'{{"erasure": {erasure.pk}}}'
    take_off_erased(world.workspace.pk, ErasurePlace.objects.get().pk)
    assert world.sandbox.control("contact", email=ADDRESS)["deleted"]
    with pytest.raises(Exception, match="No profile has this key"):
        call_command("erase_profile", world.workspace.slug, KEY)


def test_who_unsubscribed_there_is_not_written_down_again(world: World) -> None:
    world.run()
    world.sandbox.control("unsubscribe", email=ADDRESS)
    world.run()
    assert OptOut.objects.filter(address=ADDRESS).exists()
    take_off(world, erase(world))
    world.run()
    assert not OptOut.objects.filter(address=ADDRESS).exists()
    assert ADDRESS not in everything_kept()


def test_an_erased_address_is_not_written_into_the_suppression_list(world: World) -> None:
    erase(world)
    member = MembershipFactory(workspace=world.workspace).user
    added = suppressions.add_text(world.workspace, f"{ADDRESS}\nx@y.org", reason="", by=member)
    assert (added.found, added.added) == (2, 1)
    assert ADDRESS not in everything_kept()


def test_a_list_to_be_taken_off_keeps_no_address_in_its_progress(world: World) -> None:
    run = world.run()
    Run.objects.filter(pk=run.pk).update(
        removal={"after": ADDRESS, "sample": [ADDRESS, "a@b.org"], "held": 4}
    )
    erase(world)
    run.refresh_from_db()
    assert run.removal == {"after": "", "sample": ["a@b.org"], "held": 4}
