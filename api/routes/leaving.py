"""The workspace taken along as an archive, and deleted for good after its grace period."""

from datetime import datetime
from typing import Any

from django.http import FileResponse, Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.checked import posted, require_valid
from api.choices import ArchiveState
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once, require_scope
from api.routes.workspaces import WorkspaceOut, get_workspace
from api.schemas import Body, Name, Page, Paging, page
from config.kept_queries import one_or_404
from workspaces import audit
from workspaces.forms import DeletionForm
from workspaces.leaving import archives, closing
from workspaces.models import Archive, Workspace

router = Router()


class ArchiveOut(Schema):
    id: int = Field(examples=[2])
    state: ArchiveState = Field(examples=["succeeded"])
    reason: str = Field(description="Why it could not be made.", examples=[""])
    bytes: int = Field(examples=[1048576])
    asked_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="When it is deleted.")

    @staticmethod
    def resolve_reason(archive: Archive) -> str:
        return str(archive.reason)


class DeletionIn(Body):
    name: Name = Field(
        description="The workspace’s name: none is deleted by a slip.", examples=["Harbour Books"]
    )


@router.post("/archives", response={202: ArchiveOut}, summary="Ask for an archive")
@needs(Scope.ADMIN, rule="workspace.take_along", while_closing=True)
@once
def ask_for_archive(request: ApiRequest) -> Any:
    """All of the workspace in one ZIP file, made by a worker and kept for seven days.

    Needs an Administrator’s token, as all about archives does.
    """
    return Status(202, archives.ask(request.workspace, by=request.actor))


@router.get("/archives", response=Page[ArchiveOut], summary="List archives")
@needs(Scope.READ, Scope.ADMIN, rule="workspace.take_along", while_closing=True)
def list_archives(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """Those that are there or being made, the last first."""
    return page(Archive.objects.all(), asked, descending=True)


@router.get("/archives/{int:archive_id}", response=ArchiveOut, summary="Get an archive")
@needs(Scope.READ, Scope.ADMIN, rule="workspace.take_along", while_closing=True)
def get_archive(request: ApiRequest, archive_id: int) -> Archive:
    """How far an archive is. Ask again until its state is `succeeded` or `failed`."""
    return one_or_404(Archive, pk=archive_id)


@router.get("/archives/{int:archive_id}/file", summary="Download an archive")
@needs(Scope.ADMIN, rule="workspace.take_along", while_closing=True)
def download_archive(request: ApiRequest, archive_id: int) -> HttpResponseBase:
    """The ZIP file. Needs the scope `people`, too: everybody’s data is in it."""
    require_scope(request, Scope.PEOPLE)
    archive = get_object_or_404(Archive, pk=archive_id, state=Archive.State.READY)
    try:
        file = archives.path_of(archive).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    audit.record(
        request.workspace, "workspace.archive_downloaded", actor=request.actor, target=archive
    )
    name = f"{request.workspace.slug}-{archive.asked_at:%Y-%m-%d}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


@router.post(
    "/workspaces/{slug:slug}/deletion",
    response={202: WorkspaceOut},
    summary="Have the workspace deleted",
)
@needs(Scope.ADMIN, rule="workspace.delete")
def ask_for_deletion(request: ApiRequest, slug: str, body: DeletionIn) -> Any:
    """Stops everything in it at once, and deletes it for good seven days later.

    Until then an Administrator can take that back; every other operation is refused meanwhile.
    """
    workspace = get_workspace(request, slug)
    require_valid(DeletionForm(posted(name=body.name), workspace=workspace))
    closing.ask(workspace, by=request.actor)
    workspace.refresh_from_db()
    return Status(202, workspace)


@router.delete(
    "/workspaces/{slug:slug}/deletion", response=WorkspaceOut, summary="Take a deletion back"
)
@needs(Scope.ADMIN, rule="workspace.delete", while_closing=True)
def take_deletion_back(request: ApiRequest, slug: str) -> Workspace:
    """The workspace goes on; schedules at once, runs that were stopped when they next start."""
    workspace = get_workspace(request, slug)
    closing.take_back(workspace, by=request.actor)
    workspace.refresh_from_db()
    return workspace
