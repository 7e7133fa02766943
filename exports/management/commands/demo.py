"""Fills the demo workspace, once: people, customers, segments, a connection, an export that ran."""

from pathlib import Path
from typing import Any

import requests
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django_scopes import scope

import segments
from connections import services as connection_services
from connections.authorisation import complete_with
from connections.models import Connection
from exports.engine.drive import drive_to_end
from exports.models import Destination, DestinationSegment, Run
from exports.runs import start_run
from segments.membership import refresh_segment
from segments.models import Profile, Segment
from segments.segment_services import create_segment
from workspaces.models import Membership, Role, User, Workspace
from workspaces.services import create_workspace

PASSWORD = "a demo harbour"  # noqa: S105 - of a demo on one machine, printed
NAME = "Adventure Works"
SLUG = "adventure-works"
ADMINISTRATOR = "ada@example.com"
PEOPLE = {
    ADMINISTRATOR: Role.ADMINISTRATOR,
    "carles@example.com": Role.CONTRIBUTOR,
    "vera@example.com": Role.VIEWER,
}
SAMPLE = Path(segments.__file__).parent / "samples" / "prospective_buyers.csv"


def rule(attribute: str, operator: str, value: object = None) -> dict[str, object]:
    found: dict[str, object] = {"attribute": attribute, "operator": operator}
    return found if value is None else {**found, "value": value}


EXPORTED = "Everyone with an address"
SEGMENTS: dict[str, dict[str, object]] = {
    EXPORTED: {"match": "all", "rules": [rule("EmailAddress", "is_not_empty")]},
    "Professionals who earn well": {
        "match": "all",
        "rules": [
            rule("Occupation", "is_any_of", ["Professional", "Management"]),
            rule("YearlyIncome", "at_least", "80000"),
        ],
    },
    "Families on the West Coast": {
        "match": "all",
        "rules": [
            rule("StateProvinceCode", "is_any_of", ["CA", "OR", "WA"]),
            {
                "match": "any",
                "rules": [
                    rule("NumberChildrenAtHome", "greater_than", "0"),
                    rule("TotalChildren", "at_least", "3"),
                ],
            },
        ],
    },
    "Birthdays in the next month": {
        "match": "all",
        "rules": [rule("BirthDate", "anniversary_in_days", "31")],
    },
}


class Command(BaseCommand):
    help = "Fill a demo workspace, unless it is there; needs the sandbox to run."

    def handle(self, *args: Any, **options: Any) -> None:
        others = Workspace.objects.exclude(slug=SLUG)
        if not settings.IS_LOCAL and others.exists():
            raise CommandError(
                "This database holds other workspaces, and the demo's passwords are known to all:"
                " use an empty database, or unset DATABASE_URL."
            )
        workspace = self._workspace()
        with scope(workspace=workspace):
            self._fill(workspace, User.objects.get(email=ADMINISTRATOR))
        self.stdout.write(f"\nThe demo workspace: {settings.BASE_URL}/w/{workspace.slug}/")
        for email, role in PEOPLE.items():
            self.stdout.write(f"  {role.label:14} {email:20} password: {PASSWORD}")
        self.stdout.write(
            "What arrives at Constant Contact's stand-in:"
            f" {settings.CONSTANT_CONTACT_API_URL.removesuffix('/v3')}/"
        )

    def _workspace(self) -> Workspace:
        people = {email: _person(email) for email in PEOPLE}
        workspace = Workspace.objects.filter(slug=SLUG).first()
        if workspace is not None:
            return workspace
        with transaction.atomic():
            workspace = create_workspace(
                NAME, administrator=people[ADMINISTRATOR], time_zone="America/Los_Angeles"
            )
            with scope(workspace=workspace):
                for email, role in PEOPLE.items():
                    Membership.objects.get_or_create(
                        workspace=workspace, user=people[email], defaults={"role": role}
                    )
        return workspace

    def _fill(self, workspace: Workspace, administrator: User) -> None:
        """Once; a demo that was stopped half-way is taken up where it was."""
        if Run.objects.exists():
            return
        if not Profile.objects.exists():
            call_command(
                "import_profiles",
                workspace.slug,
                str(SAMPLE),
                key="ProspectAlternateKey",
                name="Prospective buyers",
                stdout=self.stdout,
            )
        for name, rules in SEGMENTS.items():
            segment = Segment.objects.filter(name=name).first()
            refresh_segment(segment or create_segment(workspace, name, rules, by=administrator))
        connection = Connection.objects.first() or _connection(workspace, administrator)
        destination = Destination.objects.first() or _export(workspace, connection, administrator)
        run = start_run(destination, trigger=Run.Trigger.MEMBER, by=administrator, enqueue=False)
        drive_to_end(run)


def _person(email: str) -> User:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, first_name=email.split("@")[0].title())
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


@transaction.atomic
def _connection(workspace: Workspace, administrator: User) -> Connection:
    connection = connection_services.create_connection(
        workspace,
        name="Newsletter account",
        sharing=Connection.Sharing.CONTRIBUTORS,
        by=administrator,
    )
    sandbox = settings.CONSTANT_CONTACT_API_URL.removesuffix("/v3")
    tokens = requests.post(f"{sandbox}/_control/tokens", timeout=30).json()
    complete_with(connection, tokens, by=administrator)
    connection_services.become_export_user(connection, by=administrator)
    connection.refresh_from_db()
    return connection


@transaction.atomic
def _export(workspace: Workspace, connection: Connection, administrator: User) -> Destination:
    from connections.access import client

    newsletter = next(one for one in client(connection).lists() if one.name == "Newsletter")
    destination = Destination.objects.create(
        workspace=workspace,
        time_zone=workspace.time_zone,
        name="Monthly newsletter",
        connection=connection,
        list_id=newsletter.list_id,
        list_name=newsletter.name,
        matching={"email": "EmailAddress", "first_name": "FirstName", "last_name": "LastName"},
        created_by=administrator,
        updated_by=administrator,
    )
    DestinationSegment.objects.create(
        workspace=workspace, destination=destination, segment=Segment.objects.get(name=EXPORTED)
    )
    return destination
