"""The world that the storms go over: a workspace, its people, an export to the sandbox."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from django_scopes import scope

from connections import services as connection_services
from connections.constant_contact.answers import AccountSummary
from connections.models import Connection
from exports.models import Destination, DestinationSegment, Run
from exports.runs import RunRefused, start_run
from sandbox.process import SandboxProcess
from segments.models import Attribute, Segment
from tests.chaos.people import People, residents, store
from workspaces.models import User
from workspaces.services import create_workspace


@dataclass
class World:
    workspace: Any
    segment: Segment
    destination: Destination
    list_id: str
    token: str

    def scope(self) -> AbstractContextManager[Any]:
        found: AbstractContextManager[Any] = scope(workspace=self.workspace)
        return found

    def store(self, people: People) -> None:
        with transaction.atomic():
            store(people, self.workspace.pk, self.segment.pk, timezone.now())

    def start(self) -> Run:
        """Hands a run to the workers; another one of the same export is refused."""
        try:
            run = start_run(self.destination, trigger=Run.Trigger.MEMBER)
        except RunRefused:
            # The run is there, and the answer to having started it was lost.
            return Run.objects.latest("pk")
        try:
            start_run(self.destination, trigger=Run.Trigger.MEMBER)
        except RunRefused:
            return run
        raise AssertionError("two runs of one export at once")

    @staticmethod
    def is_active(run: Run) -> bool:
        run.refresh_from_db()
        assert Run.objects.filter(state__in=Run.ACTIVE).count() <= 1
        return run.is_active


def build(sandbox: SandboxProcess, people: People) -> World:
    call_command("migrate", verbosity=0)
    administrator = User.objects.create_user("chaos@example.com", "a quiet harbour at dawn")
    workspace = create_workspace("Chaos", administrator=administrator)
    with scope(workspace=workspace):
        for position, name in enumerate(("email", "first", "last")):
            Attribute.objects.create(
                workspace=workspace, name=name, label=name, type="text", position=position
            )
        segment = Segment.objects.create(workspace=workspace, name="Everyone")
        connection, token = _connect(workspace, administrator, sandbox)
        list_id = sandbox.lists()["Newsletter"]
        destination = Destination.objects.create(
            workspace=workspace,
            name="Newsletter",
            connection=connection,
            list_id=list_id,
            list_name="Newsletter",
            matching={"email": "email", "first_name": "first", "last_name": "last"},
            # However many leave in a round, nobody is there to approve it.
            removal_share=100,
        )
        DestinationSegment.objects.create(
            workspace=workspace, destination=destination, segment=segment
        )
        world = World(workspace, segment, destination, list_id, token)
        world.store(people)
    sandbox.control(
        "seed",
        list_id=list_id,
        contacts=[
            {"email": address, "first_name": first, "last_name": last}
            for address, (first, last) in residents().items()
        ],
    )
    return world


def _connect(workspace: Any, administrator: User, sandbox: SandboxProcess) -> Any:
    """A connection that may be used, and an access token of its own for looking at the account."""
    connection = connection_services.create_connection(
        workspace, name="Account", sharing=Connection.Sharing.CONTRIBUTORS, by=administrator
    )
    account = sandbox.control("accounts")[0]
    connection_services.keep_authorisation(
        connection,
        sandbox.tokens(),
        AccountSummary(
            encoded_account_id=account["account"], organization_name=account["organization"]
        ),
        by=administrator,
    )
    connection.refresh_from_db()
    connection_services.become_export_user(connection, by=administrator)
    connection.refresh_from_db()
    return connection, sandbox.tokens()["access_token"]
