"""Static segments: made from a list, the list changed, what no profile has looked at."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from segments import entries as reading
from segments import segment_services, static_segments
from segments.encodings import UnreadableFile
from segments.models import Segment
from segments.preview import TooSlow
from segments.static_forms import EntriesForm, ListForm, NewStaticForm, StaticForm
from segments.views.saved import follow_up
from workspaces import audit
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires
from workspaces.written import number

T = TypeVar("T")


@requires("segment.change")
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    if request.method != "POST":
        return render(request, "segments/static/add.html", {"form": NewStaticForm()})
    form = NewStaticForm(request.POST, request.FILES)
    if form.is_valid():
        chosen = {name: form.cleaned_data[name] for name in ("name", "description", "listed_by")}

        def create(rows: reading.Rows) -> tuple[Segment, static_segments.Changed]:
            return static_segments.create(request.workspace, **chosen, rows=rows, by=request.user)

        made = _with_rows(form, create)
        if made is not None:
            segment, changed = made
            segment_services.request_refresh(segment)
            _tell(request, changed)
            return redirect("segments:segment_detail", slug, segment.pk)
    return render(request, "segments/static/add.html", {"form": form}, status=422)


@requires("segment.change")
def edit(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = _static(pk)
    name, form = segment.name, StaticForm(instance=segment)
    change = ListForm()
    status = 200
    if request.method == "POST" and "how" in request.POST:
        change = ListForm(request.POST, request.FILES)
        if change.is_valid() and _change_list(request, segment, change):
            return redirect("segments:segment_detail", slug, pk)
        status = 422
    elif request.method == "POST":
        form = StaticForm(request.POST, instance=segment)
        if form.is_valid() and _describe(request, _static(pk), form):
            return redirect("segments:segment_detail", slug, pk)
        status = 422
    context = {"form": form, "change": change, "segment": segment, "name": name}
    return render(request, "segments/static/edit.html", context, status=status)


def _change_list(request: WorkspaceRequest, segment: Segment, form: ListForm) -> bool:
    how = form.cleaned_data["how"]
    changed = _with_rows(
        form, lambda rows: static_segments.change_list(segment, how, rows, by=request.user)
    )
    if changed is None:
        return False
    if (changed.added or changed.removed) and segment.is_active:
        segment_services.request_refresh(segment)
    _tell(request, changed)
    return True


def _describe(request: WorkspaceRequest, segment: Segment, form: StaticForm) -> bool:
    chosen = {name: form.cleaned_data[name] for name in ("name", "description", "listed_by")}
    try:
        static_segments.describe(segment, **chosen, by=request.user)
    except segment_services.Refused as refusal:
        form.add_error(None, str(refusal))
        return False
    follow_up(request, segment)
    return True


def _with_rows(form: EntriesForm, use: Callable[[reading.Rows], T]) -> T | None:
    """What comes of the rows given, or None and the reason in the form."""
    file, text = form.cleaned_data["file"], form.cleaned_data["entries"]
    at = "file" if file else "entries"
    source: Any = reading.of_file(file.chunks()) if file else nullcontext(reading.of_text(text))
    try:
        with source as rows:
            return use(rows)
    except (UnreadableFile, reading.TooMany, static_segments.NothingGiven) as problem:
        form.add_error(at, str(problem))
    except segment_services.Refused as refusal:
        form.add_error(None, str(refusal))
    return None


@requires("segment.view")
def entries(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """How many of the entries profiles have, looked up once the page is there."""
    segment = _static(pk)
    context: dict[str, Any] = {"segment": segment}
    try:
        context["by"] = static_segments.label_of(static_segments.listed_by(segment))
        context["found"] = static_segments.found(segment)
    except segment_services.Refused as refusal:
        context["problem"] = str(refusal)
    except TooSlow:
        context["is_too_slow"] = True
    return render(request, "segments/static/_entries.html", context)


@requires("segment.download")
def missing(request: WorkspaceRequest, slug: str, pk: int) -> StreamingHttpResponse:
    segment = _static(pk)
    audit.record(
        segment.workspace, "segment.missing_downloaded", actor=request.user, target=segment
    )
    response = StreamingHttpResponse(
        static_segments.missing_csv(segment), content_type="text/csv; charset=utf-8"
    )
    name = f"{slugify(segment.name) or 'segment'}-missing.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@requires("segment.change")
def remove_missing(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    removed = static_segments.remove_missing(_static(pk), by=request.user)
    messages.success(
        request,
        ngettext(
            "%(count)s entry is taken off the list.",
            "%(count)s entries are taken off the list.",
            removed,
        )
        % {"count": number(removed)},
    )
    return redirect("segments:segment_detail", slug, pk)


def _static(pk: int) -> Segment:
    static = Segment.objects.filter(kind=Segment.Kind.STATIC).select_related("workspace")
    return get_object_or_404(static, pk=pk)


def _tell(request: WorkspaceRequest, changed: static_segments.Changed) -> None:
    said = [
        ngettext(
            "%(count)s entry is added to the list.",
            "%(count)s entries are added to the list.",
            changed.added,
        )
        % {"count": number(changed.added)}
    ]
    if changed.removed:
        said.append(
            ngettext(
                "%(count)s entry is taken off the list.",
                "%(count)s entries are taken off the list.",
                changed.removed,
            )
            % {"count": number(changed.removed)}
        )
    if changed.removed and not changed.added:
        del said[0]
    known = changed.given - changed.repeated - changed.added
    if changed.repeated:
        said.append(
            ngettext(
                "%(count)s was given more than once.",
                "%(count)s were given more than once.",
                changed.repeated,
            )
            % {"count": number(changed.repeated)}
        )
    if known and not changed.removed:
        said.append(
            ngettext(
                "%(count)s was on the list already.", "%(count)s were on the list already.", known
            )
            % {"count": number(known)}
        )
    messages.success(request, " ".join(said))
    if changed.refused:
        lines = ", ".join(f"{number} (“{text}”)" for number, text in changed.first_refused)
        messages.warning(
            request,
            ngettext(
                "%(count)s line can’t be an entry and was left out: line %(lines)s.",
                "%(count)s lines can’t be entries and were left out, first: lines %(lines)s.",
                changed.refused,
            )
            % {"count": number(changed.refused), "lines": lines},
        )
