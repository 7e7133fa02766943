"""Every page, whatever it shows and however much of it, asks little: the database 15 times at most,
and a browser to wait for few bytes of styles and scripts before it draws anything.

Counted as each page is opened again: what is written once a session, or kept for a while, is not.
"""

import re
from functools import cache
from typing import Any

import brotli
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope

from tests.connections.factories import ConnectionFactory
from tests.exports.factories import BatchFactory, DestinationFactory, RejectionFactory, RunFactory
from tests.segments.factories import ImportFactory, SegmentFactory, SourceFactory
from tests.test_every_page_for_everyone import a_workspace_with_something_of_everything, pages
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory, signed_in
from workspaces.models import Refresh, RefreshStep

MOST = 15
MOST_BYTES_BEFORE_DRAWING = 25_000
STYLES = re.compile(r'<link rel="stylesheet" href="/static/([^"]+)"')
SCRIPTS = re.compile(r'<script src="/static/([^"]+)">')


@cache
def bytes_sent(name: str) -> int:
    return len(brotli.compress((settings.BASE_DIR / "static" / name).read_bytes()))


def several_more(workspace: Any) -> None:
    for number in range(4):
        segment = SegmentFactory(workspace=workspace)
        account = ConnectionFactory(workspace=workspace, name=f"One of several {number}")
        destination = DestinationFactory(
            workspace=workspace, connection=account, segments=[segment]
        )
        run = RunFactory(destination=destination, state="succeeded_with_rejections", rejected=2)
        BatchFactory(run=run)
        RejectionFactory(run=run)
        ImportFactory(source=SourceFactory(workspace=workspace))
        MembershipFactory(workspace=workspace)
    a_run_an_import_and_a_refresh_that_go_on(destination)


def a_run_an_import_and_a_refresh_that_go_on(destination: Any) -> None:
    workspace = destination.workspace
    run = RunFactory(destination=destination, state="sending", planned_at=timezone.now())
    BatchFactory(run=run, state="planned")
    ImportFactory(source=SourceFactory(workspace=workspace), state="running", stage="reading")
    with scope(workspace=workspace):
        refresh = Refresh.objects.create(workspace=workspace, trigger="member", state="running")
        RefreshStep.objects.create(
            workspace=workspace,
            refresh=refresh,
            position=1,
            kind="source",
            object_id=1,
            name="Shop",
        )


def test_every_page_asks_the_database_few_times_and_the_browser_to_wait_for_little(
    workspace: Any,
) -> None:
    client: Any = signed_in(workspace)
    ids = a_workspace_with_something_of_everything(workspace, client.member)
    several_more(workspace)
    asked, waited_for = {}, {}
    for url in pages(client, workspace.slug, ids):
        with CaptureQueriesContext(connection) as captured:
            html = client.get(url).content.decode()
        asked[url] = len(captured)
        needed = {*STYLES.findall(html), *SCRIPTS.findall(html)}
        assert len(needed) >= 3
        waited_for[url] = sum(map(bytes_sent, needed))
    assert len(asked) > 30
    assert {url: count for url, count in asked.items() if count > MOST} == {}
    assert {url: size for url, size in waited_for.items() if size > MOST_BYTES_BEFORE_DRAWING} == {}


def test_so_does_the_home_page_with_every_first_step_ahead(db: None) -> None:
    new = WorkspaceFactory()
    client: Any = signed_in(new)
    home = new.get_absolute_url()
    assert "First steps" in client.get(home).content.decode()
    with CaptureQueriesContext(connection) as captured:
        client.get(home)
    assert len(captured) <= MOST
    a_run_an_import_and_a_refresh_that_go_on(DestinationFactory(workspace=new))
    with CaptureQueriesContext(connection) as captured:
        assert "Imports" in client.get(home).content.decode()
    assert len(captured) <= MOST
