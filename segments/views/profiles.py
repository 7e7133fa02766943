"""Profiles: looked up, and one at a time."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render

from config.kept_queries import one_or_404
from segments import address_erasures, profile_panels, profile_search
from segments.history import belongings_of
from segments.models import Profile
from segments.selectors import MOST_COLUMNS, offered_attributes, shown_profiles, values_of
from workspaces.columns import NAME, Columns
from workspaces.middleware import WorkspaceRequest
from workspaces.permissions import requires


@requires("profile.view")
def profile_list(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """A page of profiles, or for a search that goes on more rows of the page at hand."""
    searched = request.GET.get("q", "").strip()
    shown, looked_at = _count(request, "shown"), _count(request, "looked_at")
    found = profile_search.find(
        request.workspace,
        searched,
        after=request.GET.get("after", ""),
        looked_at=looked_at,
        most=max(1, profile_search.PAGE - shown),
    )
    shown += len(found.profiles)
    goes_on = bool(found.after) and shown < profile_search.PAGE
    attributes = {one.name: one for one in offered_attributes()}
    labels = {name: one.label for name, one in attributes.items()}
    columns = Columns(request.GET, labels, usual=list(labels)[:MOST_COLUMNS])
    onward = {
        "q": searched,
        "after": found.after,
        "looked_at": found.looked_at,
        NAME: columns.chosen,
    }
    context = {
        "searched": searched,
        "previous_url": _first(columns) if request.GET.get("after") and not searched else "",
        "goes_on": urlencode({**onward, "shown": shown}, doseq=True) if goes_on else "",
        "next_url": f"?{urlencode(onward, doseq=True)}" if found.after and not goes_on else "",
        "shown": shown,
        "looked_at": found.looked_at,
        "is_address": address_erasures.is_address(searched),
        "columns": columns,
        **shown_profiles(found.profiles, [attributes[one.name] for one in columns.shown]),
    }
    part = request.headers.get("HX-Target", "").startswith("search-on")
    template = "_found" if part else "list"
    return render(request, f"segments/profiles/{template}.html", context)


@requires("profile.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    profile = one_or_404(Profile, pk=pk)
    context = {
        "profile": profile,
        "values": values_of(profile),
        "belongings": belongings_of(profile),
        "panels": profile_panels.of(profile),
    }
    return render(request, "segments/profiles/detail.html", context)


def _first(columns: Columns) -> str:
    return f"?{urlencode({NAME: columns.chosen}, doseq=True)}"


def _count(request: WorkspaceRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0
