"""The audit log: who did what, when."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_GET

from workspaces import audit, keyset, selectors
from workspaces.columns import Columns
from workspaces.middleware import WorkspaceRequest
from workspaces.models import AuditEntry
from workspaces.permissions import requires
from workspaces.spreadsheet import csv_lines
from workspaces.templatetags.workspaces import detail

ROWS_AT_ONCE = 2_000
SHOWN = 50
# By number, which is by time, too.
ORDERS: dict[str, tuple[Combinable, ...]] = {"when": ()}
COLUMNS = {
    "when": gettext_lazy("When"),
    "who": gettext_lazy("Who"),
    "on": pgettext_lazy("what it was done to", "On"),
    "details": gettext_lazy("Details"),
}
FILTERS = ("q", "action", "person", "since", "until")


@requires("audit.view")
def audit_log(request: WorkspaceRequest, slug: str) -> HttpResponse:
    chosen = _chosen(request)
    entries = _found(chosen)
    page = keyset.page_of(entries, ORDERS, keyset.newest_first(request.GET, "when"), size=SHOWN)
    context = {
        "entries": page.rows,
        "actions": sorted(
            ((action, audit.name_of(action)) for action in _distinct("action")),
            key=lambda pair: pair[1],
        ),
        "people": [(person, person) for person in _distinct("actor_label")],
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "columns": Columns(request.GET, COLUMNS),
        **keyset.context_of(page, request.GET),
        "download": f"{reverse('workspaces:audit_download', args=[slug])}?{urlencode(chosen)}",
        "years_kept": round((request.workspace.audit_days or 0) / 365),
    }
    return render(request, "workspaces/audit.html", context)


@require_GET
@requires("audit.view")
def download(request: WorkspaceRequest, slug: str) -> StreamingHttpResponse:
    """What the filters find, as CSV; that it was taken out is itself recorded."""
    chosen = _chosen(request)
    taken = audit.record(
        request.workspace,
        "audit.downloaded",
        actor=request.user,
        # What was searched for may be a customer's name.
        filters=[value for key, value in chosen.items() if value and key != "q"],
    )
    header = [
        _("When"),
        _("Who"),
        _("Address"),
        _("What"),
        pgettext("what it was done to", "On"),
        _("Details"),
    ]
    answer = StreamingHttpResponse(
        csv_lines(request.workspace, header, _rows(_found(chosen).filter(id__lt=taken.pk))),
        content_type="text/csv; charset=utf-8",
    )
    answer["Content-Disposition"] = f'attachment; filename="audit-log-{slug}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _rows(entries: QuerySet[AuditEntry]) -> Iterator[list[str]]:
    for entry in entries.iterator(chunk_size=ROWS_AT_ONCE):
        details = "; ".join(
            f"{audit.name_of_detail(key)}: {detail(value, key)}"
            for key, value in entry.details.items()
            if value not in ("", None)
        )
        yield [
            entry.at.isoformat(timespec="seconds"),
            entry.actor_label,
            entry.address or "",
            audit.name_of(entry.action),
            entry.target_label,
            details,
        ]


def _chosen(request: WorkspaceRequest) -> dict[str, str]:
    return {key: request.GET.get(key, "").replace("\0", "").strip()[:254] for key in FILTERS}


def _found(chosen: Mapping[str, str]) -> QuerySet[AuditEntry]:
    """What the filters find; a date that is none counts as none."""
    entries = AuditEntry.objects.order_by("-id")
    if chosen["action"]:
        entries = entries.filter(action=chosen["action"])
    if chosen["person"]:
        entries = entries.filter(actor_label=chosen["person"])
    if since := _midnight(chosen["since"]):
        entries = entries.filter(at__gte=since)
    if until := _midnight(chosen["until"], days_later=1):
        entries = entries.filter(at__lt=until)
    return selectors.audit_entries_saying(entries, chosen["q"])


def _midnight(date: str, *, days_later: int = 0) -> datetime | None:
    """A day's first moment, in the workspace's time zone."""
    try:
        day = parse_date(date)
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day + timedelta(days=days_later), time.min))
    except (OverflowError, ValueError):
        return None


def _distinct(field: str) -> list[str]:
    found = AuditEntry.objects.exclude(**{field: ""}).values_list(field, flat=True)
    return list(found.order_by(field).distinct())
