"""Every page, whatever it shows and however much of it, asks the database 15 times at most.

Counted as each page is opened again: what is written once a session, or kept for a while, is not.
"""

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.connections.factories import ConnectionFactory
from tests.exports.factories import BatchFactory, DestinationFactory, RejectionFactory, RunFactory
from tests.segments.factories import ImportFactory, SegmentFactory, SourceFactory
from tests.test_every_page_for_everyone import a_workspace_with_something_of_everything, pages
from tests.workspaces.factories import MembershipFactory, signed_in

MOST = 15


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


def test_every_page_asks_the_database_few_times(workspace: Any) -> None:
    client: Any = signed_in(workspace)
    ids = a_workspace_with_something_of_everything(workspace, client.member)
    several_more(workspace)
    asked = {}
    for url in pages(client, workspace.slug, ids):
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        asked[url] = len(captured)
    assert len(asked) > 30
    assert {url: count for url, count in asked.items() if count > MOST} == {}
