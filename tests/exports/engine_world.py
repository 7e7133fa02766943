"""A world in which a run can go: profiles, a segment, a connection to the sandbox, an export."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from connections import services as connection_services
from connections import tokens
from connections.constant_contact.answers import AccountSummary
from connections.models import Connection
from exports.models import Destination, DestinationSegment, PreferencePull
from segments.models import Attribute, AttributeType, Profile, Segment, SegmentMember
from tests.workspaces.factories import MembershipFactory

ATTRIBUTES = {"email": AttributeType.TEXT, "first": AttributeType.TEXT, "last": AttributeType.TEXT}


def make_attributes(workspace: Any, **types: str) -> None:
    for position, (name, kind) in enumerate((types or ATTRIBUTES).items()):
        Attribute.objects.create(
            workspace=workspace, name=name, label=name.title(), type=kind, position=position
        )


def add_profiles(workspace: Any, segment: Segment, rows: list[dict[str, Any]]) -> None:
    """Rows of attributes; `key` names the profile, else it is numbered."""
    start = Profile.objects.count()
    profiles = Profile.objects.bulk_create(
        Profile(
            workspace=workspace,
            key=row.pop("key", f"k{start + number:07}"),
            attributes={name: value for name, value in row.items() if value is not None},
        )
        for number, row in enumerate([dict(row) for row in rows])
    )
    put_in(segment, profiles)


def put_in(segment: Segment, profiles: Any) -> None:
    SegmentMember.objects.bulk_create(
        SegmentMember(workspace_id=segment.workspace_id, segment=segment, profile_id=profile.pk)
        for profile in profiles
    )
    segment.member_count = SegmentMember.objects.filter(segment=segment).count()
    segment.refresh_state = Segment.RefreshState.SUCCEEDED
    segment.refreshed_at = timezone.now()
    segment.save()


def connect(workspace: Any, sandbox: Any, name: str = "Newsletter account") -> Connection:
    """A connection with consent, tokens of the sandbox's first account and an export user."""
    administrator = MembershipFactory(workspace=workspace).user
    connection = connection_services.create_connection(
        workspace, name=name, sharing=Connection.Sharing.CONTRIBUTORS, by=administrator
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
    assert tokens.decrypt(connection.access_token)
    return connection


class World:
    def __init__(self, workspace: Any, sandbox: Any) -> None:
        self.workspace = workspace
        self.sandbox = sandbox
        make_attributes(workspace)
        self.segment = Segment.objects.create(workspace=workspace, name="Everyone")
        self.connection = connect(workspace, sandbox)
        self.list_id = sandbox.lists()["Newsletter"]
        self.destination = Destination.objects.create(
            workspace=workspace,
            name="Newsletter",
            connection=self.connection,
            list_id=self.list_id,
            list_name="Newsletter",
            matching={"email": "email", "first_name": "first", "last_name": "last"},
        )
        DestinationSegment.objects.create(
            workspace=workspace, destination=self.destination, segment=self.segment
        )

    def add(self, *rows: dict[str, Any]) -> None:
        add_profiles(self.workspace, self.segment, list(rows))

    def add_people(self, count: int) -> None:
        self.add(
            *(
                {"email": f"person{n}@example.com", "first": f"First{n}", "last": f"Last{n}"}
                for n in range(count)
            )
        )

    def add_many(self, count: int) -> None:
        """That many people of one name each, by SQL: a loop would take longer than the test."""
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH added AS (INSERT INTO segments_profile"
                " (workspace_id, key, attributes, created_at, updated_at)"
                " SELECT %s, 'many' || n, jsonb_build_object('email', 'many' || n ||"
                " '@example.com', 'first', 'First' || n), now(), now()"
                " FROM generate_series(1, %s) n RETURNING workspace_id, id)"
                " INSERT INTO segments_segmentmember (workspace_id, segment_id, profile_id)"
                " SELECT workspace_id, %s, id FROM added",
                [self.workspace.pk, count, self.segment.pk],
            )
        self.segment.member_count += count
        self.segment.refresh_state = Segment.RefreshState.SUCCEEDED
        self.segment.refreshed_at = timezone.now()
        self.segment.save(update_fields=["member_count", "refresh_state", "refreshed_at"])

    def know_everyones_preferences(self) -> None:
        """As if they had just been read: who has unsubscribed there comes as a surprise."""
        PreferencePull.objects.update_or_create(
            workspace=self.workspace,
            account_id=self.connection.account_id,
            defaults={
                "pulled_at": timezone.now() + timedelta(days=1),
                "read_whole_at": timezone.now(),
            },
        )

    def another_destination(self, segment: Segment | None = None) -> Destination:
        """Another export to the same list, of the same people or another segment's."""
        other = Destination.objects.create(
            workspace=self.workspace,
            name="Another",
            connection=self.connection,
            list_id=self.list_id,
            list_name="Newsletter",
            matching=self.destination.matching,
        )
        DestinationSegment.objects.create(
            workspace=self.workspace, destination=other, segment=segment or self.segment
        )
        return other

    def run(self, of: Destination | None = None, **how: Any) -> Any:
        """Runs the export to its end in this process."""
        from exports.engine.drive import drive_to_end
        from exports.models import Run
        from exports.runs import start_run

        run = start_run(of or self.destination, trigger=Run.Trigger.COMMAND, enqueue=False, **how)
        drive_to_end(run)
        return run

    def on_list(self) -> set[str]:
        return set(self.sandbox.control("members", list_id=self.list_id))


def account(run: Any) -> dict[str, int]:
    """The run's account, after checking that it adds up."""
    parts = {
        name: getattr(run, name)
        for name in (
            "added",
            "changed",
            "unchanged",
            "duplicate",
            "invalid",
            "suppressed",
            "rejected",
        )
    }
    assert run.in_segments == sum(parts.values()), "the account does not add up"
    return {name: value for name, value in parts.items() if value}
