"""The list of segments, what is done with several of them at once, and their tags."""

from datetime import UTC, datetime

from django.contrib import messages
from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from segments import dependents, population, segment_services, several_segments, tags
from segments.charts import sparkline
from segments.history import recent_counts
from segments.models import Segment
from segments.rule_sentence import sentence
from segments.selectors import is_busy, words
from workspaces import keyset
from workspaces.columns import Columns
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import may, requires
from workspaces.written import number

PAGE = 25
NEVER = Value(datetime.fromtimestamp(0, UTC))
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "name": (F("name"),),
    "members": (F("member_count"), F("name")),
    "refreshed": (Coalesce("refreshed_at", NEVER), F("name")),
    "created": (F("created_at"), F("name")),
}
COLUMNS = {
    "members": gettext_lazy("Members"),
    "kind": gettext_lazy("Kind"),
    "state": gettext_lazy("State"),
    "refreshed": gettext_lazy("Refreshed"),
    "created": gettext_lazy("Created"),
    "used_by": gettext_lazy("Used by"),
}
USUAL_COLUMNS = ("members", "state", "refreshed", "used_by")
FAILED = "failed"


@requires("segment.view")
def segment_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    asked = {
        name: request.GET.get(name, "").replace("\0", "").strip()
        for name in ("q", "state", "kind", "tag")
    }
    if any(asked.values()):
        page = keyset.page_of(_found(asked), ORDERS, request.GET, size=PAGE)
    else:
        page = _all.page_of(request.GET)
    segments = page.rows
    labels, names = words(segments)
    all_tags = tags.counted()
    used_by, recent = dependents.of_each(segments), recent_counts(segments)
    context = {
        "rows": [
            {
                "segment": segment,
                "sentence": sentence(segment.rules, labels, names),
                "used_by": used_by[segment.pk],
                "spark": sparkline([count for count, _joined, _left in recent[segment.pk]]),
                **_last_change(recent[segment.pk]),
            }
            for segment in segments
        ],
        **asked,
        "any": bool(segments) or Segment.objects.exists(),
        "all_tags": all_tags,
        "tag_choices": [(one, f"{one} ({number(count)})") for one, count in all_tags],
        "is_searched": any(asked.values()),
        "states": [*Segment.State.choices, (FAILED, _("Refresh failed"))],
        "kinds": Segment.Kind.choices,
        "profiles": population.size(request.workspace.pk),
        "is_busy": any(map(is_busy, segments)),
        "may_change": may(request.membership, "segment.change"),
        "columns": Columns(request.GET, COLUMNS, usual=USUAL_COLUMNS),
        **keyset.context_of(page, request.GET),
    }
    htmx = request.htmx  # type: ignore[attr-defined]
    template = "_rows.html" if htmx and htmx.target != "found" else "list.html"
    return render(request, f"segments/segments/{template}", context)


def _last_change(counts: list[tuple[int, int, int]]) -> dict[str, int]:
    """How many joined and left at the last refresh; of the first all did."""
    if len(counts) < 2:
        return {"joined": 0, "left": 0}
    _count, joined, left = counts[-1]
    return {"joined": joined, "left": left}


def _segments() -> QuerySet[Segment]:
    return Segment.objects.select_related("workspace")


_all = keyset.KeptPages(_segments, ORDERS, size=PAGE)


def _found(asked: dict[str, str]) -> QuerySet[Segment]:
    found = _segments()
    if asked["q"]:
        found = found.filter(name__icontains=asked["q"])
    if asked["tag"]:
        found = found.filter(tags__contains=[asked["tag"]])
    if asked["kind"] in Segment.Kind.values:
        found = found.filter(kind=asked["kind"])
    if asked["state"] == FAILED:
        found = found.filter(refresh_state=Segment.RefreshState.FAILED)
    elif asked["state"] in Segment.State.values:
        found = found.filter(state=asked["state"])
    return found


@require_POST
@requires("segment.change")
def several(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """One action on the segments ticked; what takes something away asks first."""
    action = request.POST.get("action", "")
    chosen = _chosen(request)
    if not chosen:
        messages.warning(request, _("Nothing was selected. Tick the segments first."))
        return _back(request)
    if action in ("deactivate", "delete") and "agreed" not in request.POST:
        used_by = dependents.of_each(chosen)
        context = {
            "action": action,
            "back": request.POST.get("back", ""),
            "rows": [(segment, used_by[segment.pk]) for segment in chosen],
            "free": sum(not used_by[segment.pk] for segment in chosen),
        }
        return render(request, "segments/segments/several.html", context)
    if action == "tag":
        _tag(request, chosen)
    elif action in several_segments.DOINGS:
        _do(request, chosen, action)
    return _back(request)


def _chosen(request: WorkspaceRequest) -> list[Segment]:
    ids = [
        int(pk)
        for pk in request.POST.getlist("selected")[: several_segments.MOST]
        if pk.isdecimal()
    ]
    found = Segment.objects.select_related("workspace")
    return list(found.filter(pk__in=[pk for pk in ids if pk < 2**63]).order_by("name"))


def _tag(request: WorkspaceRequest, chosen: list[Segment]) -> None:
    given = tags.split(request.POST.get("tags", ""))
    if not given:
        messages.warning(request, _("Type a tag first."))
        return
    try:
        tags.add_tags(chosen, given, by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
        return
    messages.success(request, _("Tagged: %(tags)s.") % {"tags": ", ".join(given)})


def _do(request: WorkspaceRequest, chosen: list[Segment], action: str) -> None:
    """What can't be done with one of them is said, and done with the others."""
    outcome = several_segments.do(action, chosen, by=request.user)
    for segment, problem in outcome.refused:
        messages.error(request, f"{segment.name}: {problem}")
    if outcome.done:
        messages.success(request, _said(action, len(outcome.done)))


def _said(action: str, count: int) -> str:
    texts = {
        "refresh": ngettext(
            "%(count)d segment is being refreshed.",
            "%(count)d segments are being refreshed.",
            count,
        ),
        "activate": ngettext(
            "%(count)d segment is active.", "%(count)d segments are active.", count
        ),
        "deactivate": ngettext(
            "%(count)d segment is inactive.", "%(count)d segments are inactive.", count
        ),
        "delete": ngettext(
            "%(count)d segment is deleted.", "%(count)d segments are deleted.", count
        ),
    }
    return texts[action] % {"count": count}


def _back(request: WorkspaceRequest) -> HttpResponse:
    """To the list as it was searched and sorted."""
    at = reverse("segments:segment_list", args=[request.workspace.slug])
    query = QueryDict(request.POST.get("back", "")).urlencode()
    return redirect(f"{at}?{query}" if query else at)


@requires("segment.view")
def tag_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    return render(request, "segments/segments/tags.html", {"all_tags": tags.counted()})


@require_POST
@requires("segment.change")
def tag_rename(request: WorkspaceRequest, slug: str) -> HttpResponse:
    try:
        tags.rename_tag(
            request.workspace,
            request.POST.get("tag", "").replace("\0", ""),
            request.POST.get("name", ""),
            by=request.user,
        )
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("segments:segment_tags", slug)


@require_POST
@requires("segment.change")
def tag_delete(request: WorkspaceRequest, slug: str) -> HttpResponse:
    tag = request.POST.get("tag", "").replace("\0", "")
    tags.delete_tag(request.workspace, tag, by=request.user)
    return redirect("segments:segment_tags", slug)
