"""Taking a workspace along, and having it deleted."""

from collections.abc import Callable

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from workspaces import audit
from workspaces.forms import DeletionForm
from workspaces.leaving import archives, closing
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Archive
from workspaces.permissions import requires
from workspaces.proof import proven

View = Callable[..., HttpResponseBase]


def while_closing(view: View) -> View:
    """A page that stays open while its workspace is to be deleted."""
    view.while_closing = True  # type: ignore[attr-defined]
    return view


@while_closing
@never_cache
@requires("workspace.take_along")
@proven
def archive(request: WorkspaceRequest, slug: str) -> HttpResponse:
    if request.method == "POST":
        try:
            archives.ask(request.workspace, by=request.user)
        except archives.ArchiveActive as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(
                request, _("The archive is being made. You are told when it is ready.")
            )
        return redirect("workspaces:archive", slug)
    found = Archive.objects.select_related("asked_by").order_by("-pk")
    in_part = request.headers.get("HX-Target") == "archives"
    context = {
        "archives": found,
        "is_active": any(one.is_active for one in found),
        "in_part": in_part,
    }
    template = "workspaces/_archives.html" if in_part else "workspaces/archive.html"
    return render(request, template, context)


@while_closing
@never_cache
@require_GET
@requires("workspace.take_along")
@proven
def archive_download(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponseBase:
    found = get_object_or_404(Archive, pk=pk, state=Archive.State.READY)
    try:
        file = archives.path_of(found).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    audit.record(
        request.workspace, "workspace.archive_downloaded", actor=request.user, target=found
    )
    name = f"{request.workspace.slug}-{found.asked_at:%Y-%m-%d}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


@while_closing
@never_cache
@require_GET
@requires("workspace.view")
def deletion(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """What everybody finds while the workspace is to be deleted."""
    if not request.workspace.is_closing:
        return redirect("workspaces:deletion_ask", slug)
    return render(request, "workspaces/deletion.html")


@never_cache
@requires("workspace.delete")
@proven
def deletion_ask(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = DeletionForm(request.POST or None, workspace=request.workspace)
    if form.is_valid():
        closing.ask(request.workspace, by=request.user)
        return redirect("workspaces:deletion", slug)
    context = {"form": form, "days": closing.GRACE.days}
    return render(request, "workspaces/deletion_ask.html", context)


@while_closing
@require_POST
@requires("workspace.delete")
def deletion_take_back(request: WorkspaceRequest, slug: str) -> HttpResponse:
    closing.take_back(request.workspace, by=request.user)
    messages.success(request, _("The workspace is not deleted, and goes on."))
    return redirect("workspaces:home", slug)
