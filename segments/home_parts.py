"""What sources and segments add to a workspace's home."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from segments.models import Profile, Segment
from workspaces.home import Stat, Step
from workspaces.permissions import may


def import_customers(request: HttpRequest) -> Step:
    allowed = may(request.membership, "source.change")  # type: ignore[attr-defined]
    return Step(
        label=_("Import your customers"),
        text=_("A CSV file with a row for each, as your shop or CRM exports it."),
        done=Profile.objects.exists(),
        url=reverse("segments:source_add", args=[_slug(request)]) if allowed else "",
        link=_("Add a source"),
    )


def make_a_segment(request: HttpRequest) -> Step:
    allowed = may(request.membership, "segment.change")  # type: ignore[attr-defined]
    return Step(
        label=_("Make a segment"),
        text=_("Choose who by rules; the count shows as you go."),
        done=Segment.objects.exists(),
        url=reverse("segments:segment_start", args=[_slug(request)]) if allowed else "",
        link=_("Add a segment"),
    )


def profiles(request: HttpRequest) -> Stat:
    return Stat(
        label=_("Profiles"),
        value=Profile.objects.count(),
        icon="users",
        url=reverse("segments:profile_list", args=[_slug(request)]),
    )


def segments(request: HttpRequest) -> Stat:
    return Stat(
        label=_("Segments"),
        value=Segment.objects.count(),
        icon="chart-pie",
        url=reverse("segments:segment_list", args=[_slug(request)]),
    )


def _slug(request: HttpRequest) -> str:
    return str(request.workspace.slug)  # type: ignore[attr-defined]
