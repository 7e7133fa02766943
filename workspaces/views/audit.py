"""The audit log: who did what, newest first."""

from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from workspaces import audit
from workspaces.middleware import WorkspaceRequest
from workspaces.models import AuditEntry
from workspaces.permissions import requires

PAGE = 50


@requires("audit.view")
def audit_log(request: WorkspaceRequest, slug: str) -> HttpResponse:
    chosen = {key: request.GET.get(key, "") for key in ("action", "person")}
    entries = AuditEntry.objects.select_related("actor").order_by("-id")
    if chosen["action"]:
        entries = entries.filter(action=chosen["action"])
    if chosen["person"]:
        entries = entries.filter(actor_label=chosen["person"])
    page, newer, older = _page(entries, request.GET.get("before"), request.GET.get("after"))
    context = {
        "entries": page,
        "actions": sorted(
            ((action, audit.name_of(action)) for action in _distinct("action")),
            key=lambda pair: pair[1],
        ),
        "people": _distinct("actor_label"),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "newer": newer and f"?{urlencode({**chosen, 'after': newer})}",
        "older": older and f"?{urlencode({**chosen, 'before': older})}",
    }
    return render(request, "workspaces/audit.html", context)


def _page(
    entries: QuerySet[AuditEntry], before: str | None, after: str | None
) -> tuple[list[AuditEntry], int | None, int | None]:
    """A page's entries, and the ids from which the newer and the older page start, if any."""
    if after and after.isdecimal():
        found = list(entries.filter(id__gt=int(after)).order_by("id")[: PAGE + 1])
        has_newer, page = len(found) > PAGE, found[:PAGE][::-1]
        has_older = bool(page)
    else:
        if before and before.isdecimal():
            entries = entries.filter(id__lt=int(before))
        found = list(entries[: PAGE + 1])
        has_older, page = len(found) > PAGE, found[:PAGE]
        has_newer = bool(before) and bool(page)
    newer = page[0].pk if has_newer and page else None
    older = page[-1].pk if has_older and page else None
    return page, newer, older


def _distinct(field: str) -> list[str]:
    found = AuditEntry.objects.exclude(**{field: ""}).values_list(field, flat=True)
    return list(found.order_by(field).distinct())
