"""A workspace's home, made of what the apps add to it."""

from typing import Any

import pytest

from tests.workspaces.factories import signed_in
from workspaces import home
from workspaces.models import Refresh, Workspace


@pytest.fixture(autouse=True)
def only_what_the_test_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    for register in ("_cards", "_steps", "_stats"):
        monkeypatch.setattr(home, register, {})
    monkeypatch.setattr(home, "_notices", [])


def page(workspace: Workspace) -> str:
    return signed_in(workspace).get(workspace.get_absolute_url()).content.decode()


def test_the_first_step_not_taken_is_the_one_to_take(workspace: Workspace) -> None:
    home.add_step(20, lambda request: home.Step("Step two", "Choose.", False, "/s/", "Go"))
    home.add_step(10, lambda request: home.Step("Step one", "Upload.", True, "/i/", "Go"))
    text = page(workspace)
    assert "1 of 2 done" in text
    assert text.index("Step one") < text.index("Step two")
    assert 'href="/s/"' in text
    assert 'href="/i/"' not in text


def test_with_every_step_taken_the_list_is_gone(workspace: Workspace) -> None:
    home.add_step(10, lambda request: home.Step("Import", "Upload.", True))
    assert "First steps" not in page(workspace)


def test_it_shows_what_needs_a_person_and_the_figures(workspace: Workspace) -> None:
    home.add_notices(lambda request: [home.Notice("“Shop” must sign in again.", "/c/", "Sign in")])
    home.add_stat(10, lambda request: home.Stat("Profiles", "1,204", "address-book", "/p/"))
    home.add_stat(20, lambda request: None)
    text = page(workspace)
    assert "“Shop” must sign in again." in text
    assert "1,204" in text


def test_a_failed_refresh_needs_a_person_until_one_succeeds(workspace: Workspace) -> None:
    from workspaces import home_parts

    home.add_notices(home_parts.failed_refresh)
    failed: Any = {"workspace": workspace, "trigger": "schedule", "state": "failed"}
    Refresh.objects.create(**failed, reason="The file was gone.")
    assert "The file was gone." in page(workspace)
    Refresh.objects.create(**failed | {"state": "succeeded"})
    assert "The file was gone." not in page(workspace)
