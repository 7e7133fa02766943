"""An import: watched as it goes on, what became of it, and its refused rows."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from segments import drafts, kept_files, sources, sql_loads, sql_sources
from segments.databases.problems import DatabaseProblem
from segments.encodings import UnreadableFile
from segments.models import Import, RefusedRow
from segments.progress import progress_of
from segments.reasons import reason_text
from workspaces import audit, keyset
from workspaces.live import figures, streams
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires
from workspaces.spreadsheet import csv_lines

SHOWN_REFUSED = 20
REFUSED_ORDERS: dict[str, tuple[Combinable, ...]] = {"row": (F("row_number"),)}


def with_source() -> QuerySet[Import]:
    return Import.objects.select_related("source__workspace", "workspace")


@requires("source.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    load = get_object_or_404(with_source(), pk=pk)
    return render(request, "segments/sources/import.html", _about(load, request.GET))


@requires("source.view")
def progress(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    load = get_object_or_404(with_source(), pk=pk)
    about_it = _about(load, QueryDict())
    about_it["moved"] = request.GET.get("seen") != about_it["seen"]
    response = render(request, "segments/sources/_progress.html", about_it)
    response[streams.NEXT_QUERY] = urlencode({"seen": about_it["seen"]})
    if about_it["is_busy"]:
        response[streams.FOR_EVERY_ROLE] = "yes"
        response[streams.FIGURES] = figures.name("import", load.pk)
    return response


def _about(load: Import, asked: QueryDict) -> dict[str, Any]:
    query = sql_loads.query_of(load.source)
    return {
        "load": load,
        "query": query,
        "progress": progress_of(load, is_query=query is not None),
        "seen": f"{load.state}-{load.stage}",
        **_refused(load, asked),
        "is_busy": load.state in Import.ACTIVE,
        "is_kept": kept_files.is_there(load),
        "kept_days": kept_files.KEPT.days,
    }


def _refused(load: Import, asked: QueryDict) -> dict[str, Any]:
    """The page of refused rows that a URL asks for, by `why`, too: a column and a reason."""
    rows = load.refused_rows.all()
    kinds = rows.order_by("column", "reason").values_list("column", "reason").distinct()
    why = asked.get("why", "").replace("\0", "")
    column, _dot, reason = why.rpartition(".")
    if reason:
        rows = rows.filter(column=column, reason=reason)
    page = keyset.page_of(rows, REFUSED_ORDERS, asked, size=SHOWN_REFUSED)
    return {
        "refused": [{"row": row, "reason": reason_text(row.reason)} for row in page.rows],
        "whys": [
            (f"{one}.{code}", f"{one}: {reason_text(code)}" if one else reason_text(code))
            for one, code in kinds
        ],
        "why": why,
        **keyset.context_of(page, asked, part="refused"),
    }


@require_POST
@requires("source.change")
def again(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    load = get_object_or_404(with_source(), pk=pk)
    query = sql_loads.query_of(load.source)
    try:
        if query is not None:
            draft = sql_sources.ask(
                query, query.table, query.statement, by=request.user, failed=load
            )
        else:
            draft = drafts.import_again(load, by=request.user)
    except (sources.Refused, DatabaseProblem, UnreadableFile) as refusal:
        messages.error(request, str(refusal))
        return redirect("segments:import_detail", slug, pk)
    return redirect("segments:import_columns", slug, draft.pk)


@requires("source.view")
def refused_csv(request: WorkspaceRequest, slug: str, pk: int) -> StreamingHttpResponse:
    load = get_object_or_404(with_source(), pk=pk)
    audit.record(
        load.workspace, "import.refused_downloaded", actor=request.user, target=load.source
    )
    refused = RefusedRow.objects.filter(source_import=load).order_by("row_number")
    rows = (
        (row.row_number or "", row.column, row.value, reason_text(row.reason))
        for row in refused.iterator(chunk_size=2_000)
    )
    header = [_("Row"), _("Column"), _("Value"), _("Reason")]
    response = StreamingHttpResponse(
        csv_lines(load.workspace, header, rows), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="refused-rows-{load.pk}.csv"'
    return response
