"""A workspace with one of each thing that the API speaks of."""

from typing import Any

from django.utils import timezone

from exports.models import ErasurePlace, OptOut
from segments import drafts, erased, static_segments
from segments.models import (
    AttributeChange,
    Erasure,
    SegmentMember,
    SegmentRefresh,
    Suppression,
)
from tests.exports.factories import (
    ACCOUNT_ID,
    LIST_ID,
    ConnectionFactory,
    DestinationFactory,
    RejectionFactory,
    RunFactory,
)
from tests.segments.factories import (
    AttributeFactory,
    ImportFactory,
    ProfileFactory,
    RefusedRowFactory,
    SegmentFactory,
    SourceFactory,
    SqlQueryFactory,
)
from tests.workspaces.factories import MembershipFactory
from workspaces import audit, invitations
from workspaces.leaving import archives
from workspaces.models import (
    Archive,
    EndpointDelivery,
    Event,
    Refresh,
    RefreshStep,
    Role,
    Workspace,
)
from workspaces.notices import endpoints


def make_world(workspace: Workspace) -> dict[str, Any]:
    """The things by the name of the path's parameter that they fill."""
    source = SourceFactory(workspace=workspace, key_column="id")
    attribute = AttributeFactory(workspace=workspace, source=source)
    AttributeFactory(workspace=workspace, name="email", position=1)
    load = ImportFactory(source=source, state="failed", reason="Broken")
    RefusedRowFactory(source_import=load)
    profile = ProfileFactory(
        workspace=workspace, key="k1", attributes={"city": "Paris", "email": "ada@example.com"}
    )
    ProfileFactory(workspace=workspace, key="k2", attributes={"city": "Rome"})
    segment = SegmentFactory(workspace=workspace, name="Parisians", member_count=1, tags=["vip"])
    SegmentMember.objects.create(workspace=workspace, segment=segment, profile_id=profile.pk)
    static, _changed = static_segments.create(
        workspace, name="Listed", description="", listed_by="", rows=[["k1"]], by=None
    )
    connection = ConnectionFactory(workspace=workspace)
    destination = DestinationFactory(
        workspace=workspace,
        connection=connection,
        segments=[segment],
        delivered_to=f"{ACCOUNT_ID}:{LIST_ID}",
    )
    run = RunFactory(destination=destination, in_segments=3, invalid=2, added=1)
    RejectionFactory.create_batch(2, run=run)
    OptOut.objects.create(
        workspace=workspace,
        account_id=ACCOUNT_ID,
        list_id=LIST_ID,
        address="off@example.com",
        reason="taken_off",
    )
    Suppression.objects.create(workspace=workspace, address="no@example.com", origin="member")
    erasure = Erasure.objects.create(workspace=workspace)
    erased.add(workspace.pk, erasure.pk, "gone", [])
    refresh = Refresh.objects.create(
        workspace=workspace, trigger="member", state="failed", finished_at=timezone.now()
    )
    RefreshStep.objects.create(
        workspace=workspace,
        refresh=refresh,
        position=0,
        kind="segment",
        object_id=segment.pk,
        name="Parisians",
        state="failed",
    )
    audit.record(workspace, "workspace.created", target=workspace)
    endpoint, _secret = endpoints.create(
        workspace,
        name="Warehouse",
        form="json",
        url="https://warehouse.example.com/segue",
        events=["run.finished"],
        by=None,
    )
    event = Event.objects.create(workspace=workspace, kind="run.finished", data={"run": run.pk})
    SegmentRefresh.objects.bulk_create(
        SegmentRefresh(workspace=workspace, segment=segment, count=1, keeps_changes=True)
        for _place in range(2)
    )
    archive = Archive.objects.create(workspace=workspace, file_name="a.zip", state="succeeded")
    path = archives.path_of(archive)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"PK")
    return {
        "archive_id": archive,
        "place_id": ErasurePlace.objects.create(
            workspace=workspace, erasure=erasure, account_id=ACCOUNT_ID, lists=[]
        ),
        "member_id": MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR),
        "invitation_id": invitations.invite(workspace, "invited@example.com", Role.VIEWER, by=None),
        "endpoint_id": endpoint,
        "delivery_id": EndpointDelivery.objects.create(
            workspace=workspace, endpoint=endpoint, event=event, state="failed"
        ),
        "source_id": source,
        "database": SqlQueryFactory(source__workspace=workspace).source,
        "load_id": load,
        "draft": drafts.take_file(source, "c.csv", [b"id,city\n1,Paris\n2,Rome\n"]),
        "attribute_id": attribute,
        "change_id": AttributeChange.objects.create(
            workspace=workspace,
            attribute=attribute,
            name="City",
            type="number",
            state="failed",
            reason="uses",
        ),
        "profile_id": profile,
        "erasure_id": erasure,
        "segment_id": segment,
        "static": static,
        "connection_id": connection,
        "destination_id": destination,
        "run_id": run,
        "refresh_id": refresh,
    }
