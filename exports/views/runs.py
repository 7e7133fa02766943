"""Starting, watching and cancelling runs; the fate of every profile in one."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from exports import (
    contact_fields,
    fates,
    home_parts,
    matching,
    reasons,
    rejections_csv,
    selectors,
    several,
)
from exports.account import account_of
from exports.models import Rejection, Run
from exports.progress import progress_of
from exports.runs import RunRefused, approve_run, cancel_run, retry_rejected, start_run
from exports.views.objects import destination_of, run_of
from workspaces import audit, home_answers, keyset
from workspaces.columns import Columns
from workspaces.live import figures, streams
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

LEFT_OUT_COLUMNS = {
    "address": gettext_lazy("E-mail address"),
    "kind": gettext_lazy("Outcome"),
    "reason": gettext_lazy("Reason"),
}


@require_safe
@requires("workspace.view")
def home_runs(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The home page's recent runs, while one of them goes on."""
    moves = figures.name("runs", request.workspace.pk)
    return home_answers.of_card(request, home_parts.recent_runs(request), moves)


@require_POST
def destination_run(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    destination = destination_of(request, pk, "destination.run")
    try:
        run = start_run(
            destination,
            trigger=Run.Trigger.MEMBER,
            by=request.user,
            full="full" in request.POST,
            dry_run="dry_run" in request.POST,
            check_list="check_list" in request.POST,
        )
    except RunRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("exports:destination_detail", slug, pk)
    return redirect("exports:run_detail", slug, run.pk)


@require_POST
@requires("destination.create")
def run_all(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """Every export with an active schedule that the member may run."""
    started = several.run_all(request.membership, trigger=Run.Trigger.MEMBER, by=request.user)
    for destination, refusal in started.refused:
        messages.warning(request, f"{destination}: {refusal}")
    count = len(started.runs)
    if count:
        messages.success(
            request,
            ngettext("%(count)d run is started.", "%(count)d runs are started.", count)
            % {"count": count},
        )
    else:
        messages.info(
            request, _("No run is started: there is no export with an active schedule to run.")
        )
    return redirect("exports:destination_list", slug)


@require_safe
def run_detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    run = run_of(request, pk)
    return render(
        request,
        "exports/run.html",
        {**_progress(run), **_left_out(request, run), "matches": _matches(run)},
    )


def _matches(run: Run) -> list[tuple[str, str]]:
    return [
        (contact_fields.label(name), attribute)
        for name, attribute in matching.ordered(run.configuration.get("matching", {}))
    ]


@require_safe
def run_progress(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """The part that moves; when the state is not the one `seen`, with what changes by it."""
    run = run_of(request, pk)
    moved = request.GET.get("seen") != run.state
    context = {**_progress(run), "moved": moved, **(_left_out(request, run) if moved else {})}
    response = render(request, "exports/_run_progress.html", context)
    response[streams.NEXT_QUERY] = urlencode({"seen": run.state})
    if run.is_active and run.state != Run.State.AWAITING_APPROVAL:
        response[streams.FOR_EVERY_ROLE] = "yes"
        response[streams.FIGURES] = figures.name("run", run.pk)
    return response


def _progress(run: Run) -> dict[str, Any]:
    batches = list(run.batches.defer("body").order_by("number"))
    return {
        "run": run,
        "destination": run.destination,
        "account": account_of(run) if run.planned_at else None,
        "progress": progress_of(run, batches),
        "batches": batches,
    }


def _left_out(request: WorkspaceRequest, run: Run) -> dict[str, Any]:
    asked = _asked(request)
    counts = selectors.rejection_counts(run)
    asked_for = sum(
        one.count
        for one in counts
        if asked["kind"] in ("", one.kind) and asked["reason"] in ("", one.reason)
    )
    found = selectors.rejections(run, **asked)
    page = selectors.rejection_page(found, request.GET, count=asked_for)
    query = {name: value for name, value in asked.items() if value}
    return {
        "run": run,
        "rows": [
            (one, reasons.label(one.reason), reasons.text(one.reason, one.detail))
            for one in page.rows
        ],
        "columns": Columns(request.GET, LEFT_OUT_COLUMNS),
        "orders": keyset.orders_of(selectors.REJECTION_ORDERS, asked_for),
        **keyset.context_of(page, request.GET, part="not-sent"),
        "csv_query": urlencode(query),
        "asked": asked,
        "is_searched": any(asked.values()),
        "left_out": sum(one.count for one in counts),
        "by_reason": [
            (one, reasons.label(one.reason), Rejection.Kind(one.kind).label) for one in counts
        ],
    }


def _asked(request: WorkspaceRequest) -> dict[str, str]:
    """The filters: `why` is a kind and a reason with a dot between, or empty."""
    why, search = (request.GET.get(name, "").replace("\0", "") for name in ("why", "search"))
    kind, _dot, reason = why.partition(".")
    return {"kind": kind, "reason": reason, "search": search.strip()}


@require_safe
def run_rejections_csv(request: WorkspaceRequest, slug: str, pk: int) -> StreamingHttpResponse:
    run = run_of(request, pk)
    asked = {name: request.GET.get(name, "") for name in ("kind", "reason", "search")}
    audit.record(
        run.workspace,
        "run.rejections_downloaded",
        actor=request.user,
        target=run.destination,
        run=run.pk,
    )
    response = StreamingHttpResponse(
        rejections_csv.lines(run, selectors.rejections(run, **asked)),
        content_type="text/csv; charset=utf-8",
    )
    name = f"{slugify(run.destination.name) or 'export'}-{run.pk}-{_('not-sent')}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def run_find(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """What became of the profile with a key or an address."""
    run = run_of(request, pk)
    wanted = request.GET.get("profile", "").strip()
    context = {"run": run, "wanted": wanted, "found": fates.find(run, wanted)}
    return render(request, "exports/_fates.html", context)


@require_POST
def run_approve(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    run = run_of(request, pk, "run.approve")
    try:
        approve_run(run, request.user)
    except RunRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Approved. The run goes on."))
    return redirect("exports:run_detail", slug, pk)


@require_POST
def run_retry(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    run = run_of(request, pk, "run.cancel")
    try:
        started = retry_rejected(run, request.user)
    except RunRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("exports:run_detail", slug, pk)
    return redirect("exports:run_detail", slug, started.pk)


@require_POST
def run_cancel(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    run = run_of(request, pk, "run.cancel")
    try:
        cancel_run(run, request.user)
    except RunRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.info(
            request,
            _("The run is being cancelled. What Constant Contact has taken stays there."),
        )
    return redirect("exports:run_detail", slug, pk)
