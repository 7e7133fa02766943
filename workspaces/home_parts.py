"""What workspaces themselves add to the home page: the refreshes."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from workspaces import services
from workspaces.home import Card, Notice, Step
from workspaces.models import Refresh


def make_a_workspace(request: HttpRequest) -> Step:
    """Taken by whoever can see it; it says that something is behind one already."""
    return Step(label=_("Make a workspace"), text="", done=True)


def failed_refresh(request: HttpRequest) -> list[Notice]:
    ended = Refresh.objects.exclude(state__in=Refresh.ACTIVE).select_related("workspace")
    last = ended.order_by("-created_at").first()
    if last is None or last.state != Refresh.State.FAILED:
        return []
    return [
        Notice(
            text=_("The last refresh failed: %(reason)s") % {"reason": last.reason},
            url=reverse("workspaces:refresh_detail", args=[last.workspace.slug, last.pk]),
            link=_("See the refresh"),
            tone="danger",
        )
    ]


def refreshes(request: HttpRequest) -> Card:
    workspace = request.workspace  # type: ignore[attr-defined]
    return Card(
        "workspaces/_home_refreshes.html",
        {
            "last": Refresh.objects.order_by("-created_at").first(),
            "schedule": services.schedule_of(workspace),
            "schedule_url": _schedule_url(request),
        },
    )


def _schedule_url(request: HttpRequest) -> str:
    return reverse("workspaces:schedule", args=[request.workspace.slug])  # type: ignore[attr-defined]
