"""Workspaces and refreshes from the command line."""

import json
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django_scopes import scope

from tests.workspaces.factories import UserFactory
from workspaces import services
from workspaces.models import Membership, Refresh, RefreshStep, Role, User, Workspace
from workspaces.refreshes import StepFailed


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_create_workspace_makes_its_administrator_who_sets_a_password(db: None) -> None:
    report = json.loads(run("create_workspace", "Botiga", "--admin", "Ada@Example.com", "--json"))
    assert report["workspace"] == "botiga"
    assert report["administrator"] == "ada@example.com"
    workspace = Workspace.objects.get(slug="botiga")
    with scope(workspace=workspace):
        assert Membership.objects.get().role == Role.ADMINISTRATOR

    client = Client()
    form = client.get(urlsplit(report["set_password_url"]).path, follow=True)
    password = "a quiet harbour"
    client.post(form.redirect_chain[-1][0], {"password1": password, "password2": password})
    answer = client.post(
        "/accounts/login/", {"login": "ada@example.com", "password": password}, follow=True
    )
    assert answer.redirect_chain[-1][0] == "/w/botiga/"


def test_create_workspace_takes_the_account_that_is_there(db: None) -> None:
    user = UserFactory(email="ada@example.com")
    text = run("create_workspace", "Botiga", "--admin", "ADA@example.com")
    assert "password" not in text
    assert list(User.objects.all()) == [user]


@pytest.mark.parametrize(
    "arguments",
    [
        ["Botiga", "--admin", "not an address"],
        ["", "--admin", "ada@example.com"],
        ["Botiga", "--admin", "ada@example.com", "--time-zone", "Mars/Olympus"],
    ],
)
def test_create_workspace_refuses_what_makes_no_sense(db: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("create_workspace", *arguments)
    assert not Workspace.objects.exists()
    assert not User.objects.exists()


def test_refresh_prints_what_each_step_counted(workspace: Workspace, kinds: Any) -> None:
    kinds.add("segment", {1: set()}, lambda step: {"members": 3})
    report = json.loads(run("refresh", workspace.slug, "--json"))
    assert report["state"] == "succeeded"
    (step,) = report["steps"]
    assert (step["kind"], step["name"], step["state"]) == ("segment", "segment 1", "succeeded")
    assert step["counts"] == {"members": 3}
    assert "“segment 1”: succeeded (members 3)" in run("refresh", workspace.slug)


def test_a_refresh_that_fails_is_reported_and_fails_the_command(
    workspace: Workspace, kinds: Any
) -> None:
    def fail(step: RefreshStep) -> None:
        raise StepFailed("No such attribute.")

    kinds.add("segment", {1: set()}, fail)
    with pytest.raises(CommandError, match=r"No such attribute\."):
        run("refresh", workspace.slug, "--json")


def test_refresh_says_when_one_is_under_way_or_the_workspace_is_not_there(
    workspace: Workspace,
) -> None:
    services.start_refresh(workspace, trigger=Refresh.Trigger.MEMBER)
    with pytest.raises(CommandError, match="already under way"):
        run("refresh", workspace.slug)
    with pytest.raises(CommandError, match="no workspace called"):
        run("refresh", "no-such-workspace")
