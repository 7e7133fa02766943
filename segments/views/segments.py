"""Segments: the list, a segment's page, and what can be done there."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from segments import dependents, member_files, segment_services
from segments.failures import explanation
from segments.membership import vocabulary
from segments.models import Profile, Segment, SegmentMember
from segments.preview import TooSlow
from segments.rule_counts import count_rules
from segments.rule_sentence import sentence
from segments.rule_tree import RuleError, write
from segments.selectors import shown_profiles, words
from workspaces import audit
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

HISTORY = 20
FIRST_MEMBERS, MORE_MEMBERS = 10, 100
SORTS = {
    "name": ("name",),
    "-members": ("-member_count", "name"),
    "-refreshed": ("-refreshed_at", "name"),
    "-created": ("-created_at",),
}


@requires("segment.view")
def segment_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    searched = request.GET.get("q", "").replace("\0", "").strip()
    sort = request.GET.get("sort", "name")
    found: QuerySet[Segment] = Segment.objects.order_by(*SORTS.get(sort, SORTS["name"]))
    if searched:
        found = found.filter(name__icontains=searched)
    labels, names = words()
    segments = list(found.select_related("workspace"))
    rows = [
        {
            "segment": segment,
            "sentence": sentence(segment.rules, labels, names),
            "used_by": dependents.of(segment),
        }
        for segment in segments
    ]
    context = {
        "rows": rows,
        "searched": searched,
        "sort": sort,
        "any": bool(rows) or Segment.objects.exists(),
        "profiles": Profile.objects.count(),
        "is_busy": any(map(_is_busy, segments)),
    }
    template = "_rows.html" if request.headers.get("HX-Request") else "list.html"
    return render(request, f"segments/segments/{template}", context)


def _is_busy(segment: Segment) -> bool:
    return segment.refresh_state in (Segment.RefreshState.QUEUED, Segment.RefreshState.RUNNING)


@requires("segment.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    return render(request, "segments/segments/detail.html", _about(request, pk))


@requires("segment.view")
def status(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """The part of the page that lives while the segment refreshes."""
    return render(request, "segments/segments/_live.html", _about(request, pk))


def _about(request: WorkspaceRequest, pk: int) -> dict[str, Any]:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    most = MORE_MEMBERS if "more" in request.GET else FIRST_MEMBERS
    ids = SegmentMember.objects.filter(segment=segment).order_by("profile_id")
    members = Profile.objects.filter(pk__in=list(ids.values_list("profile_id", flat=True)[:most]))
    history = list(segment.refreshes.order_by("-at")[:HISTORY])
    return {
        "segment": segment,
        "sentence": sentence(segment.rules, *words(), most_values=None),
        "failure": explanation(segment, vocabulary()),
        "used_by": dependents.of(segment),
        "history": history,
        "largest": max((one.count for one in history), default=0),
        "is_busy": _is_busy(segment),
        "profiles": Profile.objects.count(),
        "members_shown": min(most, segment.member_count),
        "is_more": most == MORE_MEMBERS,
        "has_more": most == FIRST_MEMBERS and segment.member_count > FIRST_MEMBERS,
        "more_members": MORE_MEMBERS,
        **shown_profiles(members.order_by("key")),
    }


@requires("segment.view")
def rule_counts(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """How many each rule finds, looked up once the page is there."""
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    context: dict[str, Any] = {"segment": segment}
    try:
        counted = count_rules(segment.workspace, segment.rules)
    except (RuleError, TooSlow) as reason:
        context["is_too_slow"] = isinstance(reason, TooSlow)
    else:
        labels, names = words()
        said = [sentence(write(one.rule), labels, names) for one in counted.rules]
        context |= {"counted": counted, "rows": list(zip(said, counted.rules, strict=True))}
    return render(request, "segments/segments/_rule_counts.html", context)


@requires("segment.download")
def download(request: WorkspaceRequest, slug: str, pk: int, form: str) -> HttpResponseBase:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    audit.record(
        segment.workspace,
        "segment.downloaded",
        actor=request.user,
        target=segment,
        count=segment.member_count,
        form=form,
    )
    name = f"{slugify(segment.name) or 'segment'}.{form}"
    if form == "parquet":
        return FileResponse(
            member_files.parquet_of(segment),
            as_attachment=True,
            filename=name,
            content_type="application/vnd.apache.parquet",
        )
    response = StreamingHttpResponse(
        member_files.csv_of(segment), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@requires("segment.refresh")
def refresh(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    segment_services.request_refresh(segment, by=request.user)
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def rename(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    try:
        segment_services.rename_segment(segment, request.POST.get("name", ""), by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def duplicate(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    try:
        copy = segment_services.duplicate_segment(segment, by=request.user)
    except RuleError as nonsense:
        messages.error(
            request,
            _("The segment can't be duplicated until its rules are mended. %(why)s")
            % {"why": nonsense},
        )
        return redirect("segments:segment_edit", slug, pk)
    segment_services.request_refresh(copy)
    messages.success(request, _("This is the copy. Change what should differ, then save it."))
    return redirect("segments:segment_edit", slug, copy.pk)


@require_POST
@requires("segment.delete")
def delete(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.select_related("workspace"), pk=pk)
    try:
        segment_services.delete_segment(segment, by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("segments:segment_detail", slug, pk)
    messages.success(request, _("The segment “%(name)s” is deleted.") % {"name": segment.name})
    return redirect("segments:segment_list", slug)
