"""Pages on paper: nothing to press, no part over another, and nothing cut off."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.connections.factories import ConnectionFactory
from tests.exports.every_state import in_every_state, rejected
from tests.paper import A4, LETTER, printed
from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def tab(workspace: Workspace, live_server: Any, browser: Any) -> Page:
    session = signed_in(workspace).cookies["sessionid"].value
    tab: Page = browser.new_context(base_url=live_server.url).new_page()
    cookie = {"name": "sessionid", "value": session, "url": live_server.url}
    tab.context.add_cookies([cookie])
    return tab


def test_paper_has_no_buttons(workspace: Workspace, tab: Page) -> None:
    tab.goto(reverse("workspaces:settings", args=[workspace.slug]))
    button = tab.locator("main .btn").first
    expect(button).to_be_visible()
    tab.emulate_media(media="print")
    expect(button).to_be_hidden()


def a_run(workspace: Workspace) -> str:
    run = in_every_state(workspace)["succeeded with rejections"]
    rejected(run, *[("duplicate", "same_address")] * 60)
    return reverse("exports:run_detail", args=[workspace.slug, run.pk])


def an_export(workspace: Workspace) -> str:
    run = in_every_state(workspace)["succeeded with rejections"]
    return reverse("exports:destination_detail", args=[workspace.slug, run.destination_id])


def a_connection(workspace: Workspace) -> str:
    connection = ConnectionFactory(workspace=workspace)
    return reverse("connections:detail", args=[workspace.slug, connection.pk])


def the_settings(workspace: Workspace) -> str:
    return reverse("workspaces:settings", args=[workspace.slug])


@pytest.mark.parametrize("of", [a_run, an_export, a_connection, the_settings])
def test_on_paper_no_part_lies_over_another_and_nothing_is_cut_off(
    workspace: Workspace, tab: Page, of: Callable[[Workspace], str]
) -> None:
    path = of(workspace)
    for sheet in (A4, LETTER):
        tab.goto(path)
        pages, faults = printed(tab, sheet)
        assert faults == [], f"of {pages} sheets"
