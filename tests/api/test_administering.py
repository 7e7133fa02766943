"""A workspace administered by programs: members, settings, connections, endpoints for events."""

from django.core import mail

from connections.models import Connection
from exports.models import Destination
from tests.api.client import Program, personal_token, program
from tests.exports.factories import ConnectionFactory, DestinationFactory
from tests.workspaces.factories import MembershipFactory
from workspaces.models import (
    AuditEntry,
    Endpoint,
    EndpointDelivery,
    Invitation,
    Membership,
    Role,
    Workspace,
)


def test_what_rests_on_a_member_is_told_and_ended_before_they_are_removed(
    workspace: Workspace,
) -> None:
    leaving, other = (
        MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR) for _place in range(2)
    )
    exports = [
        DestinationFactory(workspace=workspace, name=name, created_by=member.user)
        for name, member in (("Newsletter", leaving), ("Offers", other))
    ]
    service = program(workspace)
    resting = service.get(f"/members/{leaving.pk}").json()["rests_on_them"]
    assert [(one["can_be_taken_over"], "Newsletter" in one["what"]) for one in resting] == [
        (True, True)
    ]
    assert resting[0]["page"].endswith(f"/data/exports/{exports[0].pk}/")
    unsaid = service.send("delete", f"/members/{leaving.pk}")
    assert (unsaid.status_code, unsaid.json()["code"]) == (409, "refused")
    assert "Newsletter" in unsaid.json()["detail"]
    by_nobody = service.send("delete", f"/members/{leaving.pk}?ending=take_over")
    assert (by_nobody.status_code, "person" in by_nobody.json()["detail"]) == (409, True)

    assert service.send("delete", f"/members/{leaving.pk}?ending=stop").status_code == 204
    me = MembershipFactory(workspace=workspace)
    mine = Program(personal_token(me).text)
    assert mine.send("delete", f"/members/{other.pk}?ending=take_over").status_code == 204
    stopped, taken = (Destination.objects.get(pk=one.pk) for one in exports)
    assert stopped.connection is None
    assert (taken.connection is None, taken.updated_by) == (False, me.user)
    assert AuditEntry.objects.filter(action="member.removed").count() == 2


def test_the_last_administrator_stays_one(workspace: Workspace) -> None:
    last = MembershipFactory(workspace=workspace)
    caller = program(workspace)
    Membership.objects.exclude(pk=last.pk).delete()
    for answer in (
        caller.send("patch", f"/members/{last.pk}", {"role": "viewer"}),
        caller.send("delete", f"/members/{last.pk}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "refused")


def test_a_service_invites_sends_again_and_revokes(workspace: Workspace) -> None:
    caller = program(workspace)
    asked = {"email": "Grace@example.com", "role": "contributor"}
    first = caller.post("/invitations", asked).json()
    again = caller.post(f"/invitations/{first['id']}/send-again").json()
    assert [one.to for one in mail.outbox] == [["grace@example.com"]] * 2
    assert "None" not in mail.outbox[0].subject + mail.outbox[0].body
    assert [one["id"] for one in caller.get("/invitations").json()["items"]] == [again["id"]]
    assert caller.send("delete", f"/invitations/{again['id']}").status_code == 204
    assert not Invitation.objects.get(pk=again["id"]).is_pending
    wrong = caller.post("/invitations", {"email": "nobody", "role": "viewer"})
    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/email"]


def test_settings_change_as_far_as_they_are_named_and_null_is_for_ever(
    workspace: Workspace,
) -> None:
    caller, here = program(workspace), f"/workspaces/{workspace.slug}"
    before = caller.get(here).json()
    asked = {"name": "Harbour", "runs_days": None, "files_days": 30, "two_step_demanded": False}
    after = caller.send("patch", here, asked).json()
    assert after == {**before, **asked}
    assert caller.get(here).json() == after
    assert caller.send("patch", here, {"rejected_share": 9}).json()["runs_days"] is None
    changed = AuditEntry.objects.filter(action="workspace.changed").order_by("pk").first()
    assert changed is not None
    assert changed.details["changes"] == {
        "name": {"was": before["name"], "becomes": "Harbour"},
    }
    wrong = caller.send("patch", here, {"name": "Other", "files_days": 31})
    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/files_days"]
    assert caller.get(here).json()["name"] == "Harbour"
    by_nobody = caller.send("patch", here, {"two_step_demanded": True})
    assert (by_nobody.status_code, by_nobody.json()["code"]) == (409, "refused")


def test_a_connection_is_begun_by_a_program_and_finished_by_a_person(workspace: Workspace) -> None:
    caller = program(workspace)
    named = MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR)
    asked = {"name": "Shop", "sharing": "named", "shared_with": [named.pk]}
    made = caller.post("/connections", asked).json()
    assert (made["state"], made["has_consent"], made["next_step"]) == ("draft", False, "sign_in")
    assert made["page"].endswith(f"/connections/{made['id']}/")
    assert made["shared_with"] == [named.pk]
    taken = caller.post("/connections", {"name": "shop"})
    assert [one["pointer"] for one in taken.json()["errors"]] == ["/name"]
    nobody = caller.send("patch", f"/connections/{made['id']}", {"shared_with": []})
    assert [one["pointer"] for one in nobody.json()["errors"]] == ["/shared_with"]

    active = f"/connections/{ConnectionFactory(workspace=workspace).pk}"
    assert caller.get(active).json()["next_step"] is None
    by_nobody = caller.post(f"{active}/export-user").json()
    assert by_nobody["code"] == "refused"
    assert active in by_nobody["detail"]
    me = MembershipFactory(workspace=workspace)
    assert Program(personal_token(me).text).post(f"{active}/export-user").status_code == 200
    assert Connection.objects.get(name__iexact="shop").export_user is None
    assert Connection.objects.exclude(name="Shop").get().export_user == me.user
    assert caller.post(f"{active}/withdraw-consent").json()["next_step"] == "consent"


def test_exports_that_unsharing_would_stop_are_named_first(workspace: Workspace) -> None:
    contributor = MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR)
    connection = ConnectionFactory(workspace=workspace, sharing="contributors")
    export = DestinationFactory(
        workspace=workspace, connection=connection, name="Offers", created_by=contributor.user
    )
    caller, here = program(workspace), f"/connections/{connection.pk}"
    change = {"sharing": "administrators"}
    refused = caller.send("patch", here, change).json()
    assert refused["code"] == "refused"
    assert [one["name"] for one in refused["stopping"]] == ["Offers"]
    assert caller.get(here).json()["sharing"] == "contributors"
    used_by = caller.get(f"{here}/dependents").json()["items"]
    assert used_by == refused["stopping"]
    unsaid = caller.send("delete", here).json()
    assert unsaid["code"] == "refused"
    assert "Offers" in unsaid["detail"]

    agreed = caller.send("patch", here, {**change, "stop_exports": True})
    assert agreed.json()["sharing"] == "administrators"
    assert Destination.objects.get(pk=export.pk).connection is None
    Destination.objects.filter(pk=export.pk).update(connection=connection)
    assert caller.send("delete", f"{here}?detach={used_by[0]['key']}").status_code == 204
    assert Destination.objects.get(pk=export.pk).connection is None


def test_an_endpoint_tells_its_secret_once_and_sends_again_under_the_same_id(
    workspace: Workspace,
) -> None:
    caller = program(workspace)
    asked = {"name": "Lake", "url": "https://lake.example.com/in", "events": ["run.finished"]}
    made = caller.post("/endpoints", asked).json()
    here = f"/endpoints/{made['id']}"
    assert made["secret"].startswith("whsec_")
    told = caller.get(here).content.decode() + caller.get("/endpoints").content.decode()
    assert "whsec_" not in told
    assert "/in" not in told
    assert caller.post("/endpoints", asked).json()["code"] == "name_taken"
    wrong = caller.send("patch", here, {"url": "nonsense"}).json()
    assert [one["pointer"] for one in wrong["errors"]] == ["/url"]
    unknown = caller.send("patch", here, {"events": ["moon.landed"]}).json()
    assert [one["pointer"] for one in unknown["errors"]] == ["/events"]
    assert caller.send("patch", here, {"enabled": False}).json()["host"] == "lake.example.com"
    assert caller.post(f"{here}/secret").json()["secret"] != made["secret"]

    trial = caller.post(f"{here}/try").json()
    EndpointDelivery.objects.update(state="failed")
    again = caller.post(f"{here}/deliveries/{trial['id']}/send-again").json()
    assert (again["event"], again["id"] > trial["id"]) == (trial["event"], True)
    failed = caller.get(f"{here}/deliveries?state=failed").json()["items"]
    assert [one["id"] for one in failed] == [trial["id"]]
    assert caller.send("delete", here).status_code == 204
    assert not Endpoint.objects.exists()


def test_head_answers_as_get_does_without_the_body(workspace: Workspace) -> None:
    caller = program(workspace)
    for path in ("/sources", "/sources/1", "/openapi.json"):
        asked, head = caller.get(path), caller.client.head(f"/api/v1{path}")
        assert (head.status_code, head.content) == (asked.status_code, b"")
        assert head.get("ETag") == asked.get("ETag")
        assert head["Content-Length"] == str(len(asked.content))
    tag = caller.get("/sources")["ETag"]
    same = caller.client.head("/api/v1/sources", headers={"If-None-Match": tag})
    assert same.status_code == 304
    streamed = caller.client.head("/api/v1/suppressions.csv")
    assert (streamed.status_code, b"".join(streamed.streaming_content)) == (200, b"")
