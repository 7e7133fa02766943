"""Deeds of the screens that take more than one request: previews, several at once, leaving."""

from typing import Any

import pytest

from api.models import Scope
from exports import previews, tasks
from exports.models import Destination, Run
from segments import membership
from segments.models import Segment, SegmentMember
from tests.api.client import Program, personal_token, program, service_token
from tests.exports.engine_world import World
from tests.exports.factories import DestinationFactory
from tests.segments.factories import AttributeFactory, ProfileFactory, SegmentFactory
from tests.workspaces.factories import MembershipFactory
from workspaces import domains
from workspaces.leaving import archives
from workspaces.models import AuditEntry, Notice, NoticeChoice, Role, Workspace
from workspaces.notices import inbox, topics


@pytest.fixture
def shop(workspace: Workspace, sandbox: Any) -> World:
    world = World(workspace, sandbox)
    world.add_people(3)
    return world


class TestPreviews:
    def test_before_saving_it_tells_who_would_be_sent_and_shows_them(self, shop: World) -> None:
        asked = {
            "connection": shop.connection.pk,
            "contact_list": {"id": shop.list_id},
            "matching": {"email": "email", "first_name": "first"},
            "segments": [shop.segment.pk],
        }
        caller = program(shop.workspace)
        told = caller.post("/destinations/preview", {**asked, "sample": True}).json()
        assert (told["in_segments"], told["sent"], told["added"]) == (3, 3, 3)
        assert told["requests"] >= 1
        assert told["budget"]["left"] <= told["budget"]["limit"]
        assert set(told["contacts"][0]) == {"email", "first_name"}
        assert len(told["contacts"]) == 3
        assert caller.post("/destinations/preview", asked).json()["contacts"] == []
        assert Destination.objects.count() == 1

        few = program(shop.workspace, scopes=[Scope.READ])
        refused = few.post("/destinations/preview", {**asked, "sample": True})
        assert refused.json()["needs"] == ["people"]
        wrong = caller.post("/destinations/preview", {**asked, "matching": {"email": "none"}})
        assert [one["pointer"] for one in wrong.json()["errors"]] == ["/email"]

    def test_of_an_export_it_tells_what_a_change_would_do(self, shop: World) -> None:
        empty = SegmentFactory(workspace=shop.workspace, state="inactive")
        here = f"/destinations/{shop.destination.pk}"
        caller = program(shop.workspace)
        assert caller.post(f"{here}/preview", {}).json()["sent"] == 3
        changed = caller.post(f"{here}/preview", {"segments": [empty.pk]}).json()
        assert (changed["sent"], "inactive" in changed["warnings"][-1]) == (0, True)
        assert caller.get(here).json()["segments"][0]["id"] == shop.segment.pk

    def test_of_very_many_a_worker_makes_it_for_the_token_that_asked(
        self, shop: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(previews, "LARGE", 1)
        made: list[tuple[Any, ...]] = []
        monkeypatch.setattr(tasks.make_preview, "delay", lambda *known: made.append(known))
        monkeypatch.setattr(previews.transaction, "on_commit", lambda do: do())
        caller = program(shop.workspace)
        asked = caller.post(f"/destinations/{shop.destination.pk}/preview", {"sample": True})
        where = f"/destination-previews/{asked.json()['preview']}?sample=true"
        assert (asked.status_code, caller.get(where).status_code) == (202, 202)
        tasks.make_preview(*made[0])
        assert caller.get(where).json()["sent"] == 3
        assert len(caller.get(where).json()["contacts"]) == 3
        assert program(shop.workspace).get(where).status_code == 404


def test_an_export_is_duplicated_under_a_free_name_with_its_schedule(shop: World) -> None:
    Destination.objects.update(schedule="off")
    caller, here = program(shop.workspace), f"/destinations/{shop.destination.pk}"
    first = caller.post(f"{here}/duplicate", {}).json()
    second = caller.post(f"{here}/duplicate", {"mode": "add", "removal_share": 5}).json()
    assert [one["name"] for one in (first, second)] == ["Newsletter (copy)", "Newsletter (copy 2)"]
    assert (first["schedule"], first["matching"]) == ("off", shop.destination.matching)
    assert (first["mode"], second["mode"], second["removal_share"]) == ("mirror", "add", 5)
    taken = caller.post(f"{here}/duplicate", {"name": "Newsletter"})
    assert [one["pointer"] for one in taken.json()["errors"]] == ["/name"]


def test_all_exports_run_and_are_scheduled_at_once_but_for_those_that_cannot(
    workspace: Workspace,
) -> None:
    one, other, off = (
        DestinationFactory(workspace=workspace, name=name) for name in ("One", "Other", "Resting")
    )
    Destination.objects.filter(pk=off.pk).update(schedule="off")
    Run.objects.create(workspace=workspace, destination=other, trigger="member", state="planning")
    caller = program(workspace)
    told = caller.post("/destinations/run-all").json()
    assert [run["destination_id"] for run in told["runs"]] == [one.pk]
    assert [(refused["id"], refused["name"]) for refused in told["refused"]] == [
        (other.pk, "Other")
    ]
    asked = {
        "destinations": [one.pk, off.pk],
        "handling": "define",
        "schedule": "own",
        "days": [1],
        "times": ["07:30"],
    }
    scheduled = caller.send("put", "/destinations/schedule", asked).json()["items"]
    assert {(each["id"], each["schedule"], *each["times"]) for each in scheduled} == {
        (one.pk, "own", "07:30"),
        (off.pk, "own", "07:30"),
    }
    wrong = caller.send("put", "/destinations/schedule", {**asked, "times": []})
    assert [each["pointer"] for each in wrong.json()["errors"]] == ["/times"]
    unknown = {**asked, "destinations": [one.pk, 10**6], "handling": "off"}
    assert caller.send("put", "/destinations/schedule", unknown).status_code == 404
    assert Destination.objects.get(pk=one.pk).schedule == "own"


def test_what_one_of_several_segments_refuses_the_others_have(workspace: Workspace) -> None:
    used, free = (SegmentFactory(workspace=workspace, name=name) for name in ("Used", "Free"))
    DestinationFactory(workspace=workspace, segments=[used], name="Newsletter")
    caller, both = program(workspace), [used.pk, free.pk]
    tagged = {"segments": both, "action": "tag", "tags": ["vip"]}
    assert caller.post("/segments/several", tagged).json()["done"] == sorted(
        both, key=lambda pk: pk == used.pk
    )
    told = caller.post("/segments/several", {"segments": both, "action": "delete"}).json()
    assert told["done"] == [free.pk]
    assert "Newsletter" in told["refused"][0]["reason"]
    assert Segment.objects.get().tags == ["vip"]
    runner = program(workspace, scopes=[Scope.RUN])
    rest = {"segments": [used.pk], "action": "deactivate"}
    assert runner.post("/segments/several", rest).json()["needs"] == ["write"]
    assert runner.post("/segments/several", {**rest, "action": "refresh"}).status_code == 200


def test_who_joined_and_left_is_told_between_two_refreshes(workspace: Workspace) -> None:
    AttributeFactory(workspace=workspace)
    people = [
        ProfileFactory(workspace=workspace, key=key, attributes={"city": "Paris"})
        for key in ("a", "b", "c")
    ]
    segment = SegmentFactory(workspace=workspace)
    caller, here = program(workspace), f"/segments/{segment.pk}/changes"
    membership.refresh_segment(segment)
    assert caller.get(here).json()["code"] == "refused"
    people[0].attributes = {"city": "Rome"}
    people[0].save()
    ProfileFactory(workspace=workspace, key="d", attributes={"city": "Paris"})
    membership.refresh_segment(segment)
    assert SegmentMember.objects.count() == 3
    told = caller.get(here).json()
    assert (told["joined"], told["left"], told["gone"]) == (1, 1, 0)
    assert [one["key"] for one in told["items"]] == ["d"]
    known = [one["id"] for one in caller.get(f"/segments/{segment.pk}/history").json()["items"]]
    left = caller.get(f"{here}?way=left&since={known[1]}&until={known[0]}").json()
    assert [one["key"] for one in left["items"]] == ["a"]
    assert caller.get(f"{here}?since={10**6}").status_code == 404
    lines = b"".join(caller.get(f"{here}.csv").streaming_content).decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["change", "joined", "left"]


def test_a_members_notices_are_told_read_and_chosen_by_their_own_token(
    workspace: Workspace,
) -> None:
    member = MembershipFactory(workspace=workspace, role=Role.VIEWER)
    other = MembershipFactory(workspace=workspace)
    for whose in (member, member, other):
        Notice.objects.create(
            workspace=workspace,
            membership=whose,
            topic="failed",
            subject="s",
            tone="idle",
            text="Look",
            path="/w/",
        )
    mine = Program(personal_token(member).text)
    told = mine.get("/notices?unread=true").json()["items"]
    assert [one["text"] for one in told] == ["Look", "Look"]
    assert mine.post("/notices/read", {"notices": [told[0]["id"]]}).json() == {"unread": 1}
    assert mine.post("/notices/read", {}).json() == {"unread": 0}
    assert inbox.unread(other) == 1

    ways = mine.get("/notice-choices").json()["items"]
    assert [one["topic"] for one in ways] == [
        one.name for one in topics.topics() if one.concerns(member)
    ]
    chosen = {"topic": ways[0]["topic"], "in_app": False, "by_email": True}
    after = mine.send("put", "/notice-choices", {"choices": [chosen]}).json()["items"]
    assert {**chosen, "label": ways[0]["label"]} == after[0]
    assert NoticeChoice.objects.get().membership == member
    unknown = {"choices": [{**chosen, "topic": "moon_landed"}]}
    assert mine.send("put", "/notice-choices", unknown).json()["code"] == "refused"


def test_domains_that_join_are_those_that_the_member_may_name(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domains.issuers, "domains", lambda: {"example.com"})
    member = MembershipFactory(workspace=workspace, user__email="ada@example.com")
    domains.EmailAddress.objects.get_or_create(
        user=member.user, email=member.user.email, verified=True
    )
    mine = Program(personal_token(member).text)
    asked = {"domains": ["example.com"]}
    told = mine.send("put", "/sign-in-domains", asked).json()
    assert told == {"domains": ["example.com"], "offered": ["example.com"]}
    wrong = mine.send("put", "/sign-in-domains", {"domains": ["example.com", "example.org"]})
    assert "example.org" in wrong.json()["detail"]
    assert domains.captured() == ["example.com"]
    assert program(workspace).send("put", "/sign-in-domains", {"domains": []}).status_code == 200
    assert domains.captured() == []
    nobodys = program(workspace).send("put", "/sign-in-domains", asked)
    assert nobodys.json()["code"] == "refused"


def test_a_workspace_is_taken_along_deleted_and_kept_after_all(workspace: Workspace) -> None:
    made = service_token(workspace)
    caller, here = Program(made.text), f"/workspaces/{workspace.slug}/deletion"
    archive = caller.post("/archives").json()
    assert caller.post("/archives").json()["code"] == "already_running"
    archives.make(workspace, archive["id"])
    ready = caller.get(f"/archives/{archive['id']}").json()
    assert (ready["state"], ready["bytes"] > 0) == ("succeeded", True)
    file = caller.get(f"/archives/{archive['id']}/file")
    assert b"".join(file.streaming_content)[:2] == b"PK"
    few = program(workspace, scopes=[Scope.ADMIN])
    assert few.get(f"/archives/{archive['id']}/file").json()["needs"] == ["people"]

    assert caller.post(here, {"name": "Other"}).json()["errors"][0]["pointer"] == "/name"
    asked = caller.post(here, {"name": workspace.name})
    assert (asked.status_code, asked.json()["delete_at"] is None) == (202, False)
    asking = AuditEntry.objects.get(action="workspace.deletion_asked")
    assert (asking.actor_label, asking.details["token"]) == (made.token.name, made.token.name)
    for path in ("/segments", "/token", "/schedule"):
        assert caller.get(path).json()["code"] == "workspace_closing", path
    for path in (f"/workspaces/{workspace.slug}", "/archives"):
        assert caller.get(path).status_code == 200, path
    viewer = program(workspace, Role.VIEWER)
    assert viewer.send("delete", here).status_code == 403
    assert caller.send("delete", here).json()["delete_at"] is None
    assert caller.get("/segments").status_code == 200


def test_entries_that_no_profile_has_are_told_and_taken_off(workspace: Workspace) -> None:
    ProfileFactory(workspace=workspace, key="k1")
    caller = program(workspace)
    made = caller.post("/segments/static", {"name": "Guests", "entries": ["k1", "k2"]}).json()
    here = f"/segments/{made['id']}"
    told = caller.get(f"{here}/entries").json()
    assert (told["found"], told["missing"], told["first_missing"]) == (1, 1, ["k2"])
    lines = b"".join(caller.get(f"{here}/missing.jsonl").streaming_content)
    assert lines == b'{"entry":"k2"}\n'
    assert caller.post(f"{here}/missing/remove").json() == {"removed": 1}
    AttributeFactory(workspace=workspace, name="email")
    changed = caller.send("patch", here, {"attribute": "email"}).json()
    assert changed["rules"]["rules"][0]["attribute"] == "email"
    other = SegmentFactory(workspace=workspace)
    refused = caller.send("patch", f"/segments/{other.pk}", {"attribute": "email"})
    assert refused.json()["code"] == "refused"
