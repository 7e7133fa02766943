"""A segment's page, and what can be done there."""

from functools import cache
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.kept_queries import KeptQuery, one_or_404
from segments import (
    dependents,
    member_files,
    population,
    segment_panels,
    segment_services,
    segment_states,
    tags,
)
from segments.charts import history_chart
from segments.failures import explanation
from segments.history import REFRESHES, SPANS, points
from segments.membership import vocabulary
from segments.models import Profile, Segment, SegmentMember, SegmentRefresh
from segments.preview import TooSlow
from segments.rule_counts import count_rules
from segments.rule_sentence import sentence
from segments.rule_tree import RuleError, segments_in, write
from segments.selectors import (
    MOST_COLUMNS,
    attributes_with_source,
    is_busy,
    names_of,
    offered_attributes,
    shown_profiles,
    words,
)
from workspaces import audit
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires

HISTORY = 30
FIRST_MEMBERS, MORE_MEMBERS = 10, 100


@requires("segment.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    about = _about(request, pk)
    used_by = [*about["built_on_it"], *dependents.above(about["segment"])]
    about |= {"used_by": used_by, "all_tags": tags.counted()}
    return render(request, "segments/segments/detail.html", about)


@requires("segment.view")
def status(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """The part of the page that lives while the segment refreshes."""
    return render(request, "segments/segments/_live.html", _about(request, pk))


def _about(request: WorkspaceRequest, pk: int) -> dict[str, Any]:
    segment = one_or_404(Segment, "workspace", pk=pk)
    most = MORE_MEMBERS if "more" in request.GET else FIRST_MEMBERS
    members = _members(most)(segment=segment.pk)
    attributes = attributes_with_source()
    over = request.GET.get("over", REFRESHES)
    shown = points(segment, over)
    return {
        "segment": segment,
        "sentence": sentence(
            segment.rules,
            {one.name: one.label for one in attributes},
            dict(names_of(keys=list(segments_in(segment.rules)))),
            most_values=None,
        ),
        "failure": explanation(segment, vocabulary),
        "built_on_it": dependents.segments_using([segment]).get(segment.pk, []),
        "panels": segment_panels.of(segment),
        "history": _last_refreshes(segment=segment.pk),
        "chart": history_chart(shown),
        "over": over if over in SPANS else REFRESHES,
        "moment_format": "SHORT_DATE_FORMAT" if over in SPANS else "SHORT_DATETIME_FORMAT",
        "is_busy": is_busy(segment),
        "profiles": population.size(segment.workspace_id),
        "members_shown": min(most, segment.member_count),
        "is_more": most == MORE_MEMBERS,
        "has_more": most == FIRST_MEMBERS and segment.member_count > FIRST_MEMBERS,
        "more_members": MORE_MEMBERS,
        **shown_profiles(members, offered_attributes(attributes)[:MOST_COLUMNS]),
    }


@cache
def _members(most: int) -> KeptQuery[Profile]:
    def make(segment: Any) -> QuerySet[Profile]:
        ids = SegmentMember.objects.filter(segment=segment).order_by("profile_id")
        return Profile.objects.filter(pk__in=ids.values("profile_id")[:most]).order_by("key")

    return KeptQuery(make)


@KeptQuery
def _last_refreshes(segment: Any) -> QuerySet[SegmentRefresh]:
    return SegmentRefresh.objects.filter(segment=segment).order_by("-pk")[:HISTORY]


@requires("segment.view")
def rule_counts(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """How many each rule finds, looked up once the page is there."""
    segment = one_or_404(Segment, "workspace", pk=pk)
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
    segment = one_or_404(Segment, "workspace", pk=pk)
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
    segment = one_or_404(Segment, "workspace", pk=pk)
    try:
        segment_services.request_refresh(segment, by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def activate(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = one_or_404(Segment, "workspace", pk=pk)
    try:
        segment_states.activate(segment, by=request.user)
    except RuleError as nonsense:
        messages.error(
            request,
            _("The segment can’t be activated until its rules are mended. %(why)s")
            % {"why": nonsense},
        )
        return redirect("segments:segment_edit", slug, pk)
    messages.success(request, _("The segment is active and being refreshed."))
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def deactivate(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = one_or_404(Segment, "workspace", pk=pk)
    segment_states.deactivate(segment, by=request.user)
    messages.success(
        request, _("The segment is inactive: it keeps its members and is not refreshed.")
    )
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def tag(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """Its tags are those ticked and those typed."""
    segment = one_or_404(Segment, pk=pk)
    words = [*request.POST.getlist("tag"), *tags.split(request.POST.get("more", ""))]
    try:
        tags.set_tags(segment, words, by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def rename(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = one_or_404(Segment, "workspace", pk=pk)
    try:
        segment_services.rename_segment(segment, request.POST.get("name", ""), by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("segments:segment_detail", slug, pk)


@require_POST
@requires("segment.change")
def duplicate(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = one_or_404(Segment, "workspace", pk=pk)
    try:
        copy = segment_services.duplicate_segment(segment, by=request.user)
    except RuleError as nonsense:
        messages.error(
            request,
            _("The segment can’t be duplicated until its rules are mended. %(why)s")
            % {"why": nonsense},
        )
        return redirect("segments:segment_edit", slug, pk)
    if copy.is_active:
        segment_services.request_refresh(copy)
    messages.success(request, _("This is the copy. Change what should differ, then save it."))
    return redirect("segments:segment_edit", slug, copy.pk)


@require_POST
@requires("segment.delete")
def delete(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    segment = one_or_404(Segment, "workspace", pk=pk)
    try:
        segment_services.delete_segment(segment, by=request.user)
    except segment_services.Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("segments:segment_detail", slug, pk)
    messages.success(request, _("The segment “%(name)s” is deleted.") % {"name": segment.name})
    return redirect("segments:segment_list", slug)
