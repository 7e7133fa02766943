"""Every page of exports by every role."""

from typing import Any

import pytest
from django_scopes import scope

from exports.models import Run
from tests.exports.factories import ConnectionFactory, DestinationFactory, RunFactory
from tests.exports.pages import url
from tests.workspaces.factories import WorkspaceFactory, signed_in

pytestmark = pytest.mark.usefixtures("bare_refusals")

READ = {
    "destination_list": None,
    "destination_detail": "destination",
    "destination_edit": "destination",
    "destination_preview": "destination",
    "run_detail": "run",
    "run_progress": "run",
    "run_rejections_csv": "run",
    "run_find": "run",
    "destination_taken_off": "destination",
}
SET_UP = {"destination_add": None, "list_picker": None, "selection_size": None}
MANAGE = {"destination_schedule": "destination", "destination_duplicate": "destination"}
CHANGE = {
    "destination_edit": "destination",
    "destination_run": "destination",
    "destination_add_segment": "destination",
    "destination_take_out_segment": "destination",
    "destination_detach": "destination",
    "destination_remove": "destination",
    "destination_schedule": "destination",
    "destination_duplicate": "destination",
    "preview_changes": "destination",
    "run_cancel": "run",
    "run_retry": "run",
    "destination_taken_off": "destination",
}


@pytest.fixture
def shared(workspace: Any) -> Run:
    return RunFactory(destination=DestinationFactory(workspace=workspace))


@pytest.fixture
def private(workspace: Any) -> Run:
    account = ConnectionFactory(workspace=workspace, sharing="administrators")
    return RunFactory(destination=DestinationFactory(workspace=workspace, connection=account))


def where(name: str, kind: str | None, workspace: Any, run: Run) -> str:
    arguments = {None: [], "destination": [run.destination_id], "run": [run.pk]}[kind]
    return url(name, workspace, *arguments)


@pytest.mark.parametrize("role", ["administrator", "contributor", "viewer"])
@pytest.mark.parametrize(("name", "kind"), READ.items())
def test_every_role_looks_at_everything(
    workspace: Any, private: Run, role: str, name: str, kind: str | None
) -> None:
    assert signed_in(workspace, role).get(where(name, kind, workspace, private)).status_code == 200


@pytest.mark.parametrize(("name", "kind"), SET_UP.items())
def test_setting_up_is_for_administrators_and_contributors(
    workspace: Any, shared: Run, name: str, kind: str | None
) -> None:
    at = where(name, kind, workspace, shared)
    assert signed_in(workspace, "administrator").get(at).status_code == 200
    assert signed_in(workspace, "contributor").get(at).status_code == 200
    assert signed_in(workspace, "viewer").get(at).status_code == 403


@pytest.mark.parametrize(("name", "kind"), MANAGE.items())
def test_managing_follows_the_sharing_of_the_connection(
    workspace: Any, shared: Run, private: Run, name: str, kind: str
) -> None:
    def status(role: str, run: Run) -> int:
        return signed_in(workspace, role).get(where(name, kind, workspace, run)).status_code

    assert [status("administrator", run) for run in (shared, private)] == [200, 200]
    assert [status("contributor", run) for run in (shared, private)] == [200, 403]
    assert [status("viewer", run) for run in (shared, private)] == [403, 403]


@pytest.mark.parametrize(("name", "kind"), CHANGE.items())
def test_changing_follows_it_too(
    workspace: Any, shared: Run, private: Run, name: str, kind: str
) -> None:
    def refused(role: str, run: Run) -> bool:
        answer = signed_in(workspace, role).post(where(name, kind, workspace, run))
        return answer.status_code == 403

    assert refused("viewer", shared)
    assert refused("contributor", private)
    assert not refused("contributor", shared)


def test_another_workspaces_connection_and_segments_cannot_be_used(workspace: Any) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        theirs = DestinationFactory(workspace=other)
    client = signed_in(workspace)
    lists = client.get(url("list_picker", workspace), {"connection": theirs.connection_id})
    assert lists.status_code == 404
    several = client.get(url("schedule_several", workspace), {"selected": [theirs.pk]})
    assert several.status_code == 302


def test_the_navigation_leads_to_exports(workspace: Any) -> None:
    page = signed_in(workspace, "viewer").get(url("destination_list", workspace))
    assert f'href="{url("destination_list", workspace)}" aria-current="page"' in (
        page.content.decode()
    )
