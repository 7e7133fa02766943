"""Profiles: looked up, and one at a time."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from segments import profile_panels
from segments.models import Attribute, Profile, Segment, SegmentMember
from segments.selectors import PAGE, search_profiles, shown_profiles, shown_value
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@requires("profile.view")
def profile_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    searched = request.GET.get("q", "").strip()
    found = list(search_profiles(searched, request.GET.get("after", ""))[: PAGE + 1])
    context = {
        "searched": searched,
        "following": found[PAGE - 1].key if len(found) > PAGE else "",
        "started": bool(request.GET.get("after")),
        **shown_profiles(found[:PAGE]),
    }
    return render(request, "segments/profiles/list.html", context)


@requires("profile.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    profile = get_object_or_404(Profile, pk=pk)
    attributes = Attribute.objects.select_related("source")
    mine = SegmentMember.objects.filter(profile_id=profile.pk).values("segment_id")
    context = {
        "profile": profile,
        "values": [(one, shown_value(profile.attributes.get(one.name))) for one in attributes],
        "segments": Segment.objects.filter(pk__in=mine).order_by("name"),
        "panels": profile_panels.of(profile),
    }
    return render(request, "segments/profiles/detail.html", context)
