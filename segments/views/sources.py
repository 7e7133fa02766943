"""Sources: a file taken in, and its columns chosen."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from config.kept_queries import one_or_404
from segments import (
    drafts,
    home_parts,
    kept_files,
    ownership,
    sources,
    sql_loads,
    uploads,
)
from segments.columns import Column
from segments.conversion import read_typed, type_choices, typed
from segments.dialect import Dialect
from segments.encodings import UnreadableFile
from segments.models import Import, Source
from segments.progress import going_on
from segments.reading_forms import ReadingForm, shown
from segments.views import import_list, imports
from segments.views.sql_sources import about
from workspaces import home_answers, keyset
from workspaces.columns import Columns
from workspaces.live import figures, streams
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

PAGE = 100
NEVER = Value(datetime.fromtimestamp(0, UTC))
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "name": (F("name"),),
    "state": (Coalesce("last_state", Value("")), F("name")),
    "rows": (Coalesce("last_read", Value(0)), F("name")),
    "when": (Coalesce("last_at", NEVER), F("name")),
    "added": (F("created_at"),),
}
COLUMNS = {
    "file": gettext_lazy("Last import"),
    "state": gettext_lazy("State"),
    "rows": gettext_lazy("Rows"),
    "when": gettext_lazy("When"),
    "by": gettext_lazy("Added by"),
    "added": gettext_lazy("Added"),
}
USUAL_COLUMNS = ("file", "state", "rows", "when", "by")


@requires("workspace.view")
def home_imports(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The home page's imports, while one of them goes on."""
    moves = figures.name("imports", request.workspace.pk)
    return home_answers.of_card(request, home_parts.recent_imports(request), moves)


@requires("source.view")
def source_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    searched = request.GET.get("q", "").replace("\0", "").strip()
    newest = Import.objects.filter(source=OuterRef("pk")).order_by("-created_at")
    found = Source.objects.select_related("created_by").annotate(
        last_id=Subquery(newest.values("pk")[:1]),
        last_at=Subquery(newest.values("created_at")[:1]),
    )
    found = found.alias(
        last_state=Subquery(newest.values("state")[:1]),
        last_read=Subquery(newest.values("read")[:1]),
    )
    if searched:
        found = found.filter(name__icontains=searched)
    page = keyset.page_of(found, ORDERS, request.GET, size=PAGE)
    last = Import.objects.in_bulk([one.last_id for one in page.rows if one.last_id])  # type: ignore[attr-defined]
    progress = going_on(last.values())
    rows: list[dict[str, Any]] = [
        {
            "source": one,
            "last": last.get(one.last_id),  # type: ignore[attr-defined]
            "progress": progress.get(one.last_id),  # type: ignore[attr-defined]
        }
        for one in page.rows
    ]
    context = {
        "rows": rows,
        "any": bool(rows) or Source.objects.exists(),
        "searched": searched,
        "columns": Columns(request.GET, COLUMNS, usual=USUAL_COLUMNS),
        **keyset.context_of(page, request.GET),
        "uploads": uploads.open_uploads(),
        "any_active": bool(progress),
    }
    in_part = request.headers.get("HX-Target") == "sources"
    name = "segments/sources/_list.html" if in_part else "segments/sources/list.html"
    response = render(request, name, context)
    response[streams.FOR_EVERY_ROLE] = "yes"
    return response


@requires("source.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    source = one_or_404(Source, "created_by", pk=pk)
    query = sql_loads.query_of(source)
    context = {
        "source": source,
        "query": query,
        **import_list.of(source, request.GET, is_query=query is not None),
        "attributes": source.attributes.all(),
        "modes": Source.Mode.choices,
        "kept_days": kept_files.KEPT.days,
    }
    if request.headers.get("HX-Target") == "imports":
        response = render(request, "segments/sources/_imports.html", context)
        response[streams.FOR_EVERY_ROLE] = "yes"
        return response
    if query is not None:
        return render(request, "segments/sources/sql_detail.html", context | about(query))
    return render(request, "segments/sources/detail.html", context)


@requires("source.change")
def columns(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    load = get_object_or_404(imports.with_source(), pk=pk)
    if load.state != Import.State.DRAFT:
        return redirect("segments:import_detail", slug, pk)
    chosen = drafts.chosen_columns(load)
    error = ""
    others = ownership.filled_by_others(load.source, chosen)
    owners = [others.get(column.attribute) for column in chosen]
    taken_over = set(load.taken_over)
    query = sql_loads.query_of(load.source)
    try:
        proposal = drafts.proposal_of(load)
    except UnreadableFile:
        if query is not None:
            return redirect("segments:source_query", slug, load.source_id)
        messages.error(request, str(kept_files.gone()))
        return redirect("segments:source_upload", slug, load.source_id)
    kept_files.note_activity(load)
    dialect = Dialect.from_json(load.dialect)
    key = load.source.key_column if load.source.key_column in _names(chosen) else proposal.key
    if request.method == "POST":
        chosen = [_chosen(column, place, request) for place, column in enumerate(chosen)]
        key = request.POST.get("key", "")
        apart = [f"owner-{place}" for place, _column in enumerate(chosen)]
        taken_over = {
            column.attribute
            for column, name in zip(chosen, apart, strict=True)
            if request.POST.get(name) == "take"
        }
        is_approved = "approve_removals" in request.POST
        try:
            drafts.queue(
                load,
                by=request.user,
                key=key,
                columns=[
                    ownership.renamed(column, column.label)
                    if request.POST.get(name) == "apart"
                    else column
                    for column, name in zip(chosen, apart, strict=True)
                ],
                skip_refused="skip_refused" in request.POST,
                mode=request.POST.get("mode") or None,
                approved_removals=load.removals_asked if is_approved else 0,
                taken_over=taken_over,
            )
        except sources.Refused as refusal:
            error = str(refusal)
        else:
            return redirect("segments:import_detail", slug, pk)
    context = {
        "load": load,
        "rows": [
            {
                "column": column,
                "typed": typed(column.type, column.format),
                "values": [row[place] for row in proposal.rows][:3],
                "owner": owners[place],
                "ownership": _ownership(request, place, column, taken_over),
            }
            for place, column in enumerate(chosen)
        ],
        "key": key,
        "types": type_choices(),
        "skip_refused": "skip_refused" in request.POST or load.skip_refused,
        "modes": Source.Mode.choices,
        "mode": request.POST.get("mode", load.source.mode),
        "error": error,
        "query": query,
        "kept_days": kept_files.KEPT.days,
        "written": shown(dialect) if dialect.is_text else None,
        "reading": ReadingForm(None, dialect=dialect) if dialect.is_text and not query else None,
    }
    return render(request, "segments/sources/columns.html", context)


@require_POST
@requires("source.change")
def read_again(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Reads the draft's file in another way than was found out."""
    load = get_object_or_404(imports.with_source().filter(source__queries=None), pk=pk)
    form = ReadingForm(request.POST, dialect=Dialect.from_json(load.dialect))
    try:
        if not form.is_valid():
            raise sources.Refused(form.first_error)
        drafts.read_as_told(load, **form.told)
    except (sources.Refused, UnreadableFile) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The file is read as you say. Look at its columns again."))
    return redirect("segments:import_columns", slug, pk)


def _ownership(request: WorkspaceRequest, place: int, column: Column, taken_over: set[str]) -> str:
    """What was chosen for a column whose attribute another source fills; empty for nothing yet."""
    before = "take" if column.attribute in taken_over else ""
    return request.POST.get(f"owner-{place}", before)


def _names(chosen: list[Column]) -> set[str]:
    return {column.column for column in chosen}


def _chosen(column: Column, place: int, request: WorkspaceRequest) -> Column:
    kind, form = column.type, column.format
    chosen = request.POST.get(f"type-{place}", "")
    if chosen not in (column.type, typed(column.type, column.format)):
        kind, form = read_typed(chosen) or (kind, form)
    return Column(
        column=column.column,
        attribute=column.attribute,
        label=request.POST.get(f"label-{place}", "").strip()[:255],
        type=kind,
        keep=f"keep-{place}" in request.POST,
        format=form,
    )


@require_POST
@requires("source.change")
def mode(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    source = one_or_404(Source, "workspace", pk=pk)
    try:
        sources.change_mode(source, request.POST.get("mode", ""), by=request.user)
    except sources.Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Saved. It counts from the next import on."))
    return redirect("segments:source_detail", slug, pk)


@require_POST
@requires("source.change")
def remove(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    source = one_or_404(Source, "workspace", pk=pk)
    sources.remove_source(source, by=request.user)
    messages.success(
        request,
        _("The source “%(name)s” is removed. Its profiles stay.") % {"name": source.name},
    )
    return redirect("segments:source_list", slug)
