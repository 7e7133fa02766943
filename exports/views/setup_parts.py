"""What moves on the pages that set an export up: lists, custom fields, counts, the preview."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from connections.models import Connection
from exports import custom_fields, forms, lists, previews, selectors
from exports.engine import plan
from exports.models import Destination
from exports.preview import PreviewProblem, configured, page_of
from exports.views.objects import destination_of
from exports.views.setup import LOST, connections_of, entered_by, selection
from segments.models import Segment
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@require_safe
@requires("destination.create")
def list_picker(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The lists of the connection chosen, or why they can't be shown."""
    context: dict[str, Any] = {"picked": request.GET.get("picked", "")}
    key = request.GET.get("connection", "")
    if key:
        context["connection"] = connection = _connection(request, key)
        try:
            context["lists"] = found = lists.lists_of(connection, fresh="fresh" in request.GET)
            context["missing"] = bool(context["picked"]) and context["picked"] not in {
                one.id for one in found
            }
        except lists.SignInWanted as problem:
            context |= {
                "problem": problem,
                "administrators": [one.user for one in selectors.administrators()],
            }
        except lists.ListProblem as problem:
            context["problem"] = problem
    return render(request, "exports/_list_picker.html", context)


@require_safe
@requires("destination.create")
def custom_field_choices(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The custom fields of the connection chosen; none when they can't be had."""
    context: dict[str, Any] = {}
    key = request.GET.get("connection", "")
    if key:
        try:
            context["custom"] = custom_fields.custom_fields_of(_connection(request, key))
        except lists.ListProblem as problem:
            context["problem"] = str(problem)
    return render(request, "exports/_custom_fields.html", context)


@require_safe
@requires("destination.create")
def selection_size(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """How many profiles the segments ticked hold together."""
    return render(request, "exports/_selection.html", selection(request.GET.getlist("segments")))


@require_POST
@requires("destination.create")
def preview_entered(request: WorkspaceRequest, slug: str, pk: int | None = None) -> HttpResponse:
    """What a run of what is entered would do; nothing is saved."""
    destination = destination_of(request, pk, "destination.change") if pk else None
    whole = entered_by(request)
    if whole is None:
        return render(request, "exports/_preview.html", {"wrong": [LOST]})
    form = forms.DestinationForm(
        whole,
        connections=connections_of(request),
        destination=destination,
        for_preview=True,
    )
    if not form.is_valid():
        wrong = [error for errors in form.errors.values() for error in errors]
        wrong += [error for row in form.rows for error in row.errors]
        return render(request, "exports/_preview.html", {"wrong": wrong})
    return _preview(request, form.unsaved(request.workspace), form.cleaned_data["segments"])


@require_safe
@requires("destination.view")
def preview_saved(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    destination = destination_of(request, pk)
    return _preview(request, destination, selectors.selected_segments(destination))


def _preview(
    request: WorkspaceRequest, destination: Destination, segments: list[Segment]
) -> HttpResponse:
    """At once for as many profiles as take no time; of more, by a worker."""
    try:
        configuration = configured(destination, segments)
    except PreviewProblem as problem:
        return render(request, "exports/_preview.html", {"wrong": [str(problem)]})
    if previews.is_large(configuration):
        token = previews.ask(configuration, previews.of_member(request.user))
        return render(request, "exports/_preview_waiting.html", {"token": token})
    found = page_of(configuration, plan.preview(configuration))
    return render(request, "exports/_preview.html", {"preview": found})


@require_safe
@requires("destination.view")
def preview_made(request: WorkspaceRequest, slug: str, token: str) -> HttpResponse:
    """A preview that a worker makes; nothing new (204) as long as it is at it."""
    try:
        found = previews.fetch(request.workspace.pk, token, previews.of_member(request.user))
    except previews.Unknown as unknown:
        raise Http404 from unknown
    except previews.TooLong:
        wrong = [_("The preview could not be made in time. Ask for it again.")]
        return render(request, "exports/_preview.html", {"wrong": wrong})
    if found is None:
        return HttpResponse(status=204)
    return render(request, "exports/_preview.html", {"preview": found})


def _connection(request: WorkspaceRequest, key: str) -> Connection:
    for connection in connections_of(request):
        if str(connection.pk) == key:
            return connection
    raise Http404
