"""Pages on paper: nothing to press, and no part over another."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.workspaces.factories import signed_in
from workspaces.models import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_paper_has_no_buttons_and_parts_follow_each_other(
    workspace: Workspace, live_server: Any, browser: Any
) -> None:
    session = signed_in(workspace).cookies["sessionid"].value
    tab = browser.new_context(base_url=live_server.url).new_page()
    cookie = {"name": "sessionid", "value": session, "url": live_server.url}
    tab.context.add_cookies([cookie])
    tab.goto(reverse("workspaces:settings", args=[workspace.slug]))
    button = tab.locator("main .btn").first
    parts = tab.locator("main .stack").first
    expect(button).to_be_visible()
    tab.emulate_media(media="print")
    expect(button).to_be_hidden()
    expect(parts).to_have_css("display", "block")
