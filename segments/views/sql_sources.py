"""SQL sources: a database connected, what it is asked, its loads."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from segments import sources, sql_sources
from segments.databases.kinds import kind_of
from segments.databases.problems import DatabaseProblem
from segments.encodings import UnreadableFile
from segments.models import Import, SqlQuery
from segments.sql_forms import ConnectionForm, QueryForm
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires
from workspaces.timing import Timing, workspace_refreshes_at
from workspaces.timing_forms import TimingForm, initial_of


def _query(pk: int) -> SqlQuery:
    """The query of the source with this id; 404 for a source of files too."""
    return get_object_or_404(SqlQuery.objects.select_related("source__workspace"), source_id=pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("source.change")
def add(request: WorkspaceRequest, slug: str) -> HttpResponse:
    form = ConnectionForm(request.POST or None)
    if form.is_valid():
        try:
            query = sql_sources.create(
                request.workspace,
                form.cleaned_data["name"],
                form.target(slug),
                by=request.user,
            )
        except DatabaseProblem as problem:
            form.tell(problem)
        except sources.Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect("segments:source_query", slug, query.source_id)
    context = {"form": form, "query": None}
    status = 422 if form.errors else 200
    return render(request, "segments/sources/connection.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("source.change")
def connection(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    query = _query(pk)
    form = ConnectionForm(request.POST or None, query=query)
    if form.is_valid():
        try:
            sql_sources.change_connection(query, form.target(slug), by=request.user)
        except DatabaseProblem as problem:
            form.tell(problem)
        else:
            messages.success(request, _("The connection works, and is saved."))
            to = "segments:source_detail" if query.is_ready else "segments:source_query"
            return redirect(to, slug, pk)
    context = {"form": form, "query": query}
    status = 422 if form.errors else 200
    return render(request, "segments/sources/connection.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("source.change")
def query(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """What the database is asked; then its columns are gone over."""
    known = _query(pk)
    form, unreachable = _query_form(request, known)
    if form.is_valid():
        try:
            draft = sql_sources.ask(known, *form.asked, by=request.user)
        except (DatabaseProblem, UnreadableFile) as problem:
            form.tell(problem)
        else:
            return redirect("segments:import_columns", slug, draft.pk)
    context = {"form": form, "query": known, "unreachable": unreachable}
    status = 422 if form.errors else 200
    return render(request, "segments/sources/query.html", context, status=status)


@require_POST
@requires("source.change")
def preview(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """The first rows of what is asked."""
    known = _query(pk)
    form, unreachable = _query_form(request, known)
    context = {"form": form, "unreachable": unreachable, "most": sql_sources.PREVIEW_ROWS}
    if form.is_valid():
        try:
            context["header"], context["rows"] = sql_sources.preview(known, *form.asked)
        except DatabaseProblem as problem:
            form.tell(problem)
    return render(request, "segments/sources/_preview.html", context)


def _query_form(request: WorkspaceRequest, known: SqlQuery) -> tuple[QueryForm, str]:
    """The form, and why the database's tables can't be listed: a query may work all the same."""
    try:
        tables, unreachable = sql_sources.tables(known), ""
    except DatabaseProblem as problem:
        tables, unreachable = [], str(problem)
    data = request.POST if request.method == "POST" else None
    return QueryForm(data, query=known, tables=tables), unreachable


@require_POST
@requires("source.change")
def load(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    try:
        begun = sql_sources.begin_load(_query(pk), trigger=Import.Trigger.MEMBER, by=request.user)
    except sql_sources.LoadActive as other:
        begun = other.load
    except sources.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("segments:source_detail", slug, pk)
    return redirect("segments:import_detail", slug, begun.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("source.change")
def schedule(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    known = _query(pk)
    current = Timing.of(known)
    form = TimingForm(request.POST or None, initial=initial_of(known))
    if form.is_valid():
        sql_sources.reschedule(known, timing=form.timing(current), by=request.user)
        messages.success(request, _("The schedule is saved."))
        return redirect("segments:source_detail", slug, pk)
    context = {
        "form": form,
        "query": known,
        "refresh_at": workspace_refreshes_at(known.source.workspace),
        "upcoming": current.upcoming(),
    }
    status = 422 if form.errors else 200
    return render(request, "segments/sources/schedule.html", context, status=status)


def about(known: SqlQuery) -> dict[str, object]:
    """What a source's page says of its database."""
    return {
        "query": known,
        "kind": kind_of(known.kind),
        "now": sql_sources.active_load(known.source),
    }
