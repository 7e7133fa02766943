"""The audit log: who did what, newest first."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render

from workspaces import audit
from workspaces.middleware import WorkspaceRequest
from workspaces.models import AuditEntry
from workspaces.paging import page_by_id
from workspaces.permissions import requires


@requires("audit.view")
def audit_log(request: WorkspaceRequest, slug: str) -> HttpResponse:
    chosen = {key: request.GET.get(key, "") for key in ("action", "person")}
    entries = AuditEntry.objects.select_related("actor").order_by("-id")
    if chosen["action"]:
        entries = entries.filter(action=chosen["action"])
    if chosen["person"]:
        entries = entries.filter(actor_label=chosen["person"])
    page, newer, older = page_by_id(entries, request.GET.get("before"), request.GET.get("after"))
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


def _distinct(field: str) -> list[str]:
    found = AuditEntry.objects.exclude(**{field: ""}).values_list(field, flat=True)
    return list(found.order_by(field).distinct())
