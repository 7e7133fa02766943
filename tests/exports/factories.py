"""Exports and what they need, for tests: profiles in segments, connections, runs."""

from typing import Any

import factory
from django.utils import timezone
from django_scopes import scope

from config import cipher
from connections.models import Connection, Consent
from exports.models import Batch, Destination, DestinationSegment, Rejection, Run
from segments.models import Segment
from tests.workspaces.factories import MembershipFactory, TenantFactory, WorkspaceFactory

LIST_ID = "11111111-2222-3333-4444-555555555555"
ACCOUNT_ID = "a1b2c3d4e5f6"


class SegmentFactory(TenantFactory):
    class Meta:
        model = Segment

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Segment {n}")
    refresh_state = "succeeded"
    refreshed_at = factory.LazyFunction(timezone.now)


class ConnectionFactory(TenantFactory):
    """An account that may be used: consent stands, tokens are there, an export user vouches."""

    class Meta:
        model = Connection
        skip_postgeneration_save = True

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Account {n}")
    sharing = "contributors"
    state = "active"
    account_id = ACCOUNT_ID
    account_name = "Harbour Books"
    export_user = factory.LazyAttribute(
        lambda one: MembershipFactory.create(workspace=one.workspace).user
    )
    access_token = factory.LazyFunction(lambda: cipher.encrypt("token"))
    refresh_token = factory.LazyFunction(lambda: cipher.encrypt("refresh"))

    @factory.post_generation
    def consented(self, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        if create and extracted is not False:
            with scope(workspace=self.workspace):
                Consent.objects.create(
                    workspace=self.workspace, connection=self, text_version="1", text="I agree"
                )


class DestinationFactory(TenantFactory):
    class Meta:
        model = Destination
        skip_postgeneration_save = True

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Export {n}")
    connection = factory.SubFactory(
        ConnectionFactory, workspace=factory.SelfAttribute("..workspace")
    )
    list_id = LIST_ID
    list_name = "Newsletter"
    matching = factory.LazyFunction(lambda: {"email": "email"})

    @factory.post_generation
    def segments(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        with scope(workspace=self.workspace):
            for segment in extracted or []:
                DestinationSegment.objects.create(
                    workspace=self.workspace, destination=self, segment=segment
                )


class RunFactory(TenantFactory):
    class Meta:
        model = Run

    destination = factory.SubFactory(DestinationFactory)
    workspace = factory.SelfAttribute("destination.workspace")
    state = "succeeded"
    trigger = "member"
    configuration = factory.LazyAttribute(lambda one: {"matching": one.destination.matching})
    created_at = factory.LazyFunction(timezone.now)
    started_at = factory.SelfAttribute("created_at")
    planned_at = factory.SelfAttribute("created_at")
    finished_at = factory.SelfAttribute("created_at")


class BatchFactory(TenantFactory):
    class Meta:
        model = Batch

    run = factory.SubFactory(RunFactory)
    workspace = factory.SelfAttribute("run.workspace")
    number = factory.Sequence(lambda n: n + 1)
    state = "confirmed"


class RejectionFactory(TenantFactory):
    class Meta:
        model = Rejection

    run = factory.SubFactory(RunFactory)
    workspace = factory.SelfAttribute("run.workspace")
    profile_id = factory.Sequence(lambda n: n)
    profile_key = factory.Sequence(lambda n: f"key-{n}")
    kind = "invalid"
    reason = "malformed_address"
