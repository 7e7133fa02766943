"""Nothing of another workspace, by whatever URL, download, operation or task: by both walls, and
by PostgreSQL's alone where the code's is taken away.
"""

import inspect
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from celery.exceptions import Ignore
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django_scopes import get_scope, scope

from config.celery import app
from exports import previews
from exports.configuration import configuration_of
from segments.models import SegmentMember
from tests.api.client import program, service_token
from tests.api.test_every_operation import OPERATIONS, call, told
from tests.api.world import make_world
from tests.exports.factories import BatchFactory, DestinationFactory
from tests.segments.factories import UploadFactory
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory, sign_in
from tests.workspaces.test_every_workspace_url import under_workspaces
from tests.workspaces.test_row_security import TENANT_TABLES, rows
from workspaces.models import Membership, Notice, Workspace

# How the names of URLs begin, the more exact before the others, and what their ids are of.
THINGS = {
    "workspaces:member_": "member_id",
    "workspaces:invitation_": "invitation_id",
    "workspaces:archive_": "archive_id",
    "workspaces:refresh_": "refresh_id",
    "workspaces:endpoint": "endpoint_id",
    "workspaces:delivery_": "endpoint_id",
    "workspaces:notice_": "notice",
    "segments:source_connection": "database",
    "segments:source_query": "database",
    "segments:source_load": "database",
    "segments:source_schedule": "database",
    "segments:source_": "source_id",
    "segments:upload": "upload",
    "segments:import_columns": "draft",
    "segments:import_read_again": "draft",
    "segments:import_": "load_id",
    "segments:attribute_change": "change_id",
    "segments:attribute_": "attribute_id",
    "segments:profile_": "profile_id",
    "segments:erasure_": "erasure_id",
    "segments:static_": "static",
    "segments:segment_": "segment_id",
    "exports:erased_": "place_id",
    "exports:run_": "run_id",
    "exports:": "destination_id",
    "connections:": "connection_id",
    "api_pages:token_": "token",
}
BESIDE = {"step": "step", "delivery": "delivery_id"}
TASKS = {
    "refresh_id": "refresh_id",
    "archive_id": "archive_id",
    "delivery_id": "delivery_id",
    "run_id": "run_id",
    "batch_id": "batch",
    "token": "preview",
    "place_id": "place_id",
    "import_id": "draft",
    "change_id": "change_id",
    "segment_id": "segment_id",
    "erasure_id": "erasure_id",
    "upload_id": "upload",
}
MARKS = ("ada@", "no@", "off@", "invited@", "Parisians", "Listed", "Warehouse")


class Theirs:
    """A workspace with one of each thing, and somebody who administers another one."""

    def __init__(self) -> None:
        self.workspace = WorkspaceFactory(name="Quillfeather’s")
        self.owner = MembershipFactory(workspace=self.workspace)
        with scope(workspace=self.workspace):
            self.things = make_world(self.workspace)
            self.things |= {
                "upload": UploadFactory(workspace=self.workspace),
                "notice": Notice.objects.create(
                    workspace=self.workspace,
                    membership=self.owner,
                    topic="failed",
                    subject="s",
                    tone="bad",
                    text="Look",
                    path="/",
                ),
                "step": self.things["refresh_id"].steps.get(),
                "batch": BatchFactory(run=self.things["run_id"]),
                "token": service_token(self.workspace).token,
            }
            configuration = configuration_of(self.things["destination_id"])
            self.preview = previews.ask(configuration, previews.of_member(self.owner.user))

    def ids(self, name: str, arguments: list[Any]) -> dict[str, Any]:
        """What fills the URL’s places besides the workspace."""
        if name == "exports:preview_made":
            return {"token": self.preview}
        of = next(thing for prefix, thing in THINGS.items() if name.startswith(prefix))
        return {
            argument: self.things[BESIDE.get(argument, of)].pk for argument, _sample in arguments
        }

    def urls(self, slug: str) -> Iterator[tuple[str, str]]:
        """Every URL that names something, with what is theirs."""
        for name, arguments in under_workspaces():
            if arguments:
                yield name, reverse(name, kwargs={"slug": slug, **self.ids(name, arguments)})

    def state(self) -> dict[str, Any]:
        """Every row of every table."""
        with scope(workspace=self.workspace):
            return {
                table: rows(
                    "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text))"
                    f" FROM {table} t"
                )
                for table in TENANT_TABLES
            }


@pytest.fixture
def theirs(workspace: Workspace) -> Theirs:
    return Theirs()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without what makes them long: who may see them is decided before."""
    monkeypatch.setattr("django.template.loader.render_to_string", lambda *_page, **_how: "")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hundred times that there is no such page."""

    def nothing(_request: Any, **_why: Any) -> HttpResponse:
        return HttpResponse(status=404)

    monkeypatch.setattr("config.urls.handler404", nothing, raising=False)


@pytest.fixture
def only_the_second_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """No query is filtered: as if every filter had been forgotten."""
    without = {"_enabled": False}
    monkeypatch.setattr("django_scopes.manager.get_scope", lambda: {**get_scope(), **without})


def browser_of(member: Membership) -> Client:
    return sign_in(Client(), member.user)


def go_over_every_url(workspace: Workspace, theirs: Theirs) -> None:
    before = theirs.state()
    client = browser_of(MembershipFactory(workspace=workspace))
    for name, url in theirs.urls(workspace.slug):
        for method in ("get", "post"):
            status = getattr(client, method)(url).status_code
            assert status in (404, 405), f"{method} {name}: {status}"
    assert theirs.state() == before


def test_the_ids_are_those_of_things_that_are_there(theirs: Theirs, bare: None) -> None:
    client = browser_of(theirs.owner)
    for name, url in theirs.urls(theirs.workspace.slug):
        assert client.get(url).status_code != 404, name


def test_no_url_leads_to_what_is_another_workspaces(workspace: Workspace, theirs: Theirs) -> None:
    go_over_every_url(workspace, theirs)


def test_nor_does_it_with_every_filter_forgotten(
    workspace: Workspace, theirs: Theirs, only_the_second_wall: None
) -> None:
    assert "WHERE" not in str(SegmentMember.objects.all().query), "the first wall is away"
    go_over_every_url(workspace, theirs)
    client = browser_of(MembershipFactory(workspace=workspace))
    for name, arguments in under_workspaces():
        # The API's reference speaks of an Ada of its own.
        if arguments or name == "api_pages:reference":
            continue
        answer = client.get(reverse(name, kwargs={"slug": workspace.slug}))
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        for mark in (*MARKS, theirs.workspace.slug):
            assert mark not in content.decode(), f"{name} tells {mark}"


def test_ids_in_what_is_sent_lead_nowhere_either(
    workspace: Workspace, theirs: Theirs, only_the_second_wall: None
) -> None:
    own, known = DestinationFactory(workspace=workspace), theirs.things
    segment, connection = known["segment_id"].pk, known["connection_id"].pk
    exported = {
        "name": "Spying",
        "connection": connection,
        "way": "pick",
        "picked": own.list_id,
        "email": "email",
        "segments": [segment],
    }
    sent: list[tuple[str, list[Any], dict[str, Any]]] = [
        (
            "segments:segment_several",
            [],
            {"selected": [segment], "action": "delete", "agreed": "on"},
        ),
        (
            "segments:segment_overlap_make",
            [],
            {"segment": [segment, known["static"].pk], "part": 1},
        ),
        ("exports:schedule_several", [], {"selected": [known["destination_id"].pk]}),
        ("exports:destination_add", [], exported),
        ("exports:preview", [], exported),
        ("exports:preview_changes", [own.pk], exported),
        ("exports:destination_add_segment", [own.pk], {"segment": segment}),
        ("exports:destination_take_out_segment", [own.pk], {"segment": segment}),
        (
            "connections:edit",
            [own.connection_id],
            {"name": "Mine", "sharing": "named", "shared_with": [known["member_id"].pk]},
        ),
    ]
    asked = {
        "segments:segment_overlap": {"segment": [segment, known["static"].pk]},
        "exports:list_picker": {"connection": connection},
        "exports:custom_fields": {"connection": connection},
        "exports:selection_size": {"segments": [segment]},
        "exports:other_exports": {"segment": segment},
        "exports:destination_add": {"segment": segment, "step": "segments"},
    }
    client, before = browser_of(MembershipFactory(workspace=workspace)), theirs.state()
    answers = [
        client.post(reverse(name, args=[workspace.slug, *ids]), body, follow=True)
        for name, ids, body in sent
    ]
    answers += [
        client.get(reverse(name, args=[workspace.slug]), query) for name, query in asked.items()
    ]
    for answer in answers:
        for mark in (*MARKS, theirs.workspace.slug):
            assert mark not in answer.content.decode(), answer.request["PATH_INFO"]
    assert theirs.state() == before
    assert not own.segments.filter(pk=segment).exists()


def test_no_operation_does_anything_with_it_by_the_second_wall_alone(
    workspace: Workspace, theirs: Theirs, only_the_second_wall: None
) -> None:
    caller, before = program(workspace), theirs.state()
    for name, method, path, _scopes in told():
        answer = call(caller, theirs.things, name, method, path)
        if "{" in path.replace("{form}", "") or "_id}" in str(OPERATIONS[name][1]):
            assert answer.status_code == 404 or "/connection" in str(answer.content), name
        text = answer.whole if answer.streaming else answer.content.decode()
        for mark in (*MARKS, theirs.workspace.slug):
            assert mark not in text, f"{name} tells {mark}"
    assert theirs.state() == before


@pytest.mark.parametrize("walls", ["both", "the second alone"])
def test_no_task_of_a_workspace_works_on_anothers(
    workspace: Workspace, theirs: Theirs, walls: str, request: pytest.FixtureRequest
) -> None:
    if walls != "both":
        request.getfixturevalue("only_the_second_wall")
    app.loader.import_default_modules()
    before, done = theirs.state(), set()
    for name, task in app.tasks.items():
        takes = list(inspect.signature(task.run).parameters)
        if takes[:1] != ["workspace_id"] or len(takes) < 2:
            continue
        of = TASKS[takes[1]]
        theirs_id = theirs.preview if of == "preview" else theirs.things[of].pk
        with suppress(ObjectDoesNotExist, Ignore):
            task(workspace.pk, theirs_id)
        done.add(name)
        assert theirs.state() == before, name
    assert len(done) >= len(set(TASKS))
