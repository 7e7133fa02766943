"""Members: who they are, their roles, and how they leave."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django_scopes import scope

from tests.workspaces.factories import MembershipFactory, UserFactory, WorkspaceFactory, signed_in
from workspaces import members
from workspaces.models import AuditEntry, Membership, Role, Workspace


def url(name: str, workspace: Workspace, *args: Any) -> str:
    return reverse(f"workspaces:{name}", args=[workspace.slug, *args])


def test_an_administrator_sees_the_members(workspace: Workspace) -> None:
    client = signed_in(workspace)
    other = MembershipFactory(workspace=workspace, role=Role.VIEWER)
    page = client.get(url("members", workspace)).content.decode()
    assert other.user.email in page
    assert "Viewer" in page


def test_an_administrator_changes_a_role(workspace: Workspace) -> None:
    client = signed_in(workspace)
    member = MembershipFactory(workspace=workspace, role=Role.VIEWER)
    answer = client.post(
        url("member_role", workspace, member.pk), {"role": Role.CONTRIBUTOR}, follow=True
    )
    assert "has been changed" in answer.content.decode()
    member.refresh_from_db()
    assert member.role == Role.CONTRIBUTOR
    entry = AuditEntry.objects.get(action="member.role_changed")
    assert entry.actor == client.member.user
    assert entry.details == {"was": "viewer", "becomes": "contributor"}


def test_an_administrator_removes_a_member_after_a_confirmation(workspace: Workspace) -> None:
    client = signed_in(workspace)
    member = MembershipFactory(workspace=workspace, role=Role.VIEWER)
    remove = url("member_remove", workspace, member.pk)
    assert "will no longer see" in client.get(remove).content.decode()
    assert Membership.objects.filter(pk=member.pk).exists()
    client.post(remove)
    assert not Membership.objects.filter(pk=member.pk).exists()
    assert AuditEntry.objects.filter(action="member.removed").count() == 1


def test_the_last_administrator_cannot_be_removed(workspace: Workspace) -> None:
    client = signed_in(workspace)
    MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR)
    page = client.post(url("member_remove", workspace, client.member.pk)).content.decode()
    assert "is the only Administrator" in page
    assert Membership.objects.filter(pk=client.member.pk).exists()


def test_the_last_administrator_cannot_step_down(workspace: Workspace) -> None:
    client = signed_in(workspace)
    page = client.post(
        url("member_role", workspace, client.member.pk), {"role": Role.VIEWER}
    ).content.decode()
    assert "Make another member Administrator first" in page


def test_an_administrator_who_leaves_is_taken_home(workspace: Workspace) -> None:
    client = signed_in(workspace)
    MembershipFactory(workspace=workspace)
    answer = client.post(url("member_remove", workspace, client.member.pk))
    assert answer.url == reverse("home")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["leave", "step down"])
def test_two_administrators_who_go_at_the_same_moment_do_not_both_succeed(way: str) -> None:
    workspace = WorkspaceFactory()
    both = [MembershipFactory(workspace=workspace) for _number in range(2)]
    ready = threading.Barrier(2)
    refused = []

    def go(member: Membership) -> None:
        try:
            with scope(workspace=workspace):
                ready.wait(20)
                if way == "leave":
                    members.remove(member, by=member.user)
                else:
                    members.change_role(member, Role.VIEWER, by=member.user)
        except members.Refused as refusal:
            refused.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[member]) for member in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(refused) == 1
    with scope(workspace=workspace):
        left = Membership.objects.filter(workspace=workspace, role=Role.ADMINISTRATOR)
        assert left.count() == 1


def test_a_guard_of_another_app_keeps_an_administrator_until_their_work_is_handed_over(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "_guards", [])
    members.add_guard(lambda member: "They vouch for the connection “Shop”.")
    client = signed_in(workspace)
    member = MembershipFactory(workspace=workspace)
    page = client.post(url("member_role", workspace, member.pk), {"role": Role.VIEWER})
    assert "They vouch for the connection “Shop”." in page.content.decode()
    member.refresh_from_db()
    assert member.role == Role.ADMINISTRATOR


def test_a_person_is_a_member_of_several_workspaces_with_a_role_in_each(db: None) -> None:
    user = UserFactory()
    first = MembershipFactory(user=user, role=Role.ADMINISTRATOR)
    second = MembershipFactory(user=user, role=Role.VIEWER)
    with scope(workspace=second.workspace):
        assert list(Membership.objects.all()) == [second]
    with scope(workspace=first.workspace):
        assert list(Membership.objects.all()) == [first]


def test_the_list_of_members_is_sorted_searched_and_paged(workspace: Any) -> None:
    client = signed_in(workspace)
    for number in range(60):
        user = UserFactory(email=f"shop{number:02}@example.com", first_name="Zoë" * (number == 7))
        MembershipFactory(workspace=workspace, user=user, role=Role.VIEWER)
    where = f"/w/{workspace.slug}/admin/members/"

    def shown(address: str = "") -> list[str]:
        nonlocal page
        page = client.get(f"{where}{address}")
        return [member.user.email for member in page.context["members"]]

    page: Any = None
    first = shown()
    assert first[0] == client.member.user.email
    rest = shown(page.context["next_url"])
    assert (len(first), len({*first, *rest})) == (50, 61)
    assert shown(page.context["previous_url"]) == first
    assert shown("?sort=-person")[0] == "shop07@example.com"
    assert shown("?q=zo%C3%AB+SHOP") == ["shop07@example.com"]
    assert shown("?q=nobody%00") == []
    assert "Nothing found" in page.content.decode()
