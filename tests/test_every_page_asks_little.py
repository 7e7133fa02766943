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

from tests.connections.factories import ConnectionFactory
from tests.exports.factories import BatchFactory, DestinationFactory, RejectionFactory, RunFactory
from tests.segments.factories import ImportFactory, SegmentFactory, SourceFactory
from tests.test_every_page_for_everyone import a_workspace_with_something_of_everything, pages
from tests.workspaces.factories import MembershipFactory, signed_in

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
    going_on = RunFactory(destination=destination, state="sending", planned_at=timezone.now())
    BatchFactory(run=going_on, state="planned")


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
