"""A run's page whose server can't be reached for a while."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.exports.every_state import PEOPLE, run_in, with_batches
from tests.exports.pages import url
from tests.workspaces.factories import signed_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_page_that_loses_the_server_says_so_and_goes_on_by_itself(
    workspace: Any, live_server: Any, browser: Any
) -> None:
    run = with_batches(run_in(workspace, "sending", **PEOPLE), "sent", "planned")
    session = signed_in(workspace).cookies["sessionid"].value
    context = browser.new_context(base_url=live_server.url, locale="en-GB")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    tab = context.new_page()
    tab.goto(url("run_detail", workspace, run.pk))
    expect(tab.get_by_text("40,000 of 80,000 sent, 0 confirmed")).to_be_visible()
    lost = tab.get_by_text("The connection is lost.")
    expect(lost).to_be_hidden()
    context.set_offline(True)
    expect(lost).to_be_visible()
    run.batches.filter(number=2).update(state="sent", sent_at=timezone.now())
    context.set_offline(False)
    expect(tab.get_by_text("80,000 of 80,000 sent, 0 confirmed")).to_be_visible()
    expect(lost).to_be_hidden()
