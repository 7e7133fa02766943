"""Setting an export up: add, edit, duplicate, with its live parts."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.models import Connection
from connections.selectors import usable_by
from exports import (
    custom_fields,
    destinations,
    forms,
    lists,
    match_rows,
    matching,
    previews,
    selectors,
)
from exports.engine import plan
from exports.engine.plan import MAX_PROFILES
from exports.models import Destination
from exports.preview import PreviewProblem, configured, inactive_warnings, page_of
from exports.views.objects import destination_of
from segments.models import Attribute, Segment
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import may, require, requires


@require_http_methods(["GET", "HEAD", "POST"])
@requires("destination.create")
def destination_add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    connections = _connections(request)
    if request.method == "POST":
        form = forms.DestinationForm(request.POST, connections=connections)
        return _save(request, form)
    attributes = list(Attribute.objects.all())
    usual = matching.usual(attributes)
    asked = request.GET.get("segment", "")
    initial = {
        "connection": str(connections[0].pk) if len(connections) == 1 else "",
        "email": usual.get(matching.EMAIL, ""),
        "segments": [asked] if asked.isdecimal() else [],
    }
    form = forms.DestinationForm(
        connections=connections, initial=initial, rows=match_rows.rows_of(usual)
    )
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def destination_duplicate(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    original = destination_of(request, pk, "destination.duplicate")
    connections = _connections(request)
    if request.method == "POST":
        form = forms.DestinationForm(request.POST, connections=connections)
        return _save(request, form, like=original)
    initial = forms.initial_of(original) | {
        "name": destinations.free_name(original.name),
        "seen": "",
    }
    form = forms.DestinationForm(
        connections=connections, initial=initial, rows=match_rows.rows_of(original.matching)
    )
    return _page(request, form, like=original)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("destination.view")
def destination_edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Who may not change the export sees the same page with its values locked."""
    destination = destination_of(request, pk)
    connections = _connections(request)
    if request.method == "POST":
        require(request.membership, "destination.change", destination)
        form = forms.DestinationForm(request.POST, connections=connections, destination=destination)
        return _save(request, form)
    locked = not may(request.membership, "destination.change", destination)
    if locked:
        connections = [destination.connection] if destination.connection else []
    form = forms.DestinationForm(
        connections=connections,
        destination=destination,
        initial=forms.initial_of(destination),
        rows=match_rows.rows_of(destination.matching),
    )
    return _page(request, form, locked=locked)


def _save(
    request: WorkspaceRequest, form: forms.DestinationForm, like: Destination | None = None
) -> HttpResponse:
    destination = form.destination
    if not form.is_valid():
        return _page(request, form, like=like, status=422)
    if form.moves and "agreed" not in request.POST:
        return _page(request, form, like=like, ask=True)
    details = form.details()
    if details is None:
        return _page(request, form, like=like, status=422)
    try:
        if destination is None:
            saved = destinations.create(
                request.workspace,
                by=request.user,
                details=details,
                like=like,
            )
        else:
            saved = destinations.update(
                destination,
                by=request.user,
                details=details,
                seen=form.seen_at,
            )
    except destinations.ChangedMeanwhile as changed:
        form.take_over(details.contact_list, seen=changed.updated_at)
        form.add_error(None, str(changed))
        return _page(request, form, like=like, status=409)
    except destinations.DestinationProblem as problem:
        form.take_over(details.contact_list)
        where = "name" if isinstance(problem, destinations.NameTaken) else None
        form.add_error(where, str(problem))
        return _page(request, form, like=like, status=422)
    messages.success(
        request,
        _("“%(export)s” is saved. Nothing has been sent: it runs on its schedule, or now.")
        % {"export": saved},
    )
    for warning in inactive_warnings(details.segments):
        messages.warning(request, warning)
    return redirect("exports:destination_detail", request.workspace.slug, saved.pk)


def _page(
    request: WorkspaceRequest,
    form: forms.DestinationForm,
    *,
    like: Destination | None = None,
    locked: bool = False,
    ask: bool = False,
    status: int = 200,
) -> HttpResponse:
    chosen = set(form.chosen_segments)
    context = {
        "form": form,
        "destination": form.destination,
        "like": like,
        "locked": locked,
        "ask": ask,
        "administrators": selectors.administrators() if not form.connections else [],
        "segments": [(one, str(one.pk) in chosen) for one in form.all_segments],
        "most": MAX_PROFILES,
        **_selection(form.chosen_segments),
    }
    return render(request, "exports/form.html", context, status=status)


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
        except lists.ListProblem as problem:
            context["problem"] = str(problem)
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
    return render(request, "exports/_selection.html", _selection(request.GET.getlist("segments")))


def _selection(chosen: list[str]) -> dict[str, Any]:
    ids = [int(pk) for pk in chosen if pk.isdecimal()]
    profiles = selectors.profiles_in(ids) if ids else 0
    return {
        "selected": len(ids),
        "profiles": profiles,
        "too_large": profiles > MAX_PROFILES,
        "limit": number_format(MAX_PROFILES, force_grouping=True),
    }


@require_POST
@requires("destination.create")
def preview_entered(request: WorkspaceRequest, slug: str, pk: int | None = None) -> HttpResponse:
    """What a run of what is entered would do; nothing is saved."""
    destination = destination_of(request, pk, "destination.change") if pk else None
    form = forms.DestinationForm(
        request.POST,
        connections=_connections(request),
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


def _connections(request: WorkspaceRequest) -> list[Connection]:
    found = usable_by(request.membership)
    return sorted(found, key=lambda one: (one.provider, one.name.casefold()))


def _connection(request: WorkspaceRequest, key: str) -> Connection:
    for connection in _connections(request):
        if str(connection.pk) == key:
            return connection
    raise Http404
