"""What workspaces themselves add to the home page: the refreshes."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from config.kept_queries import KeptQuery
from workspaces import home, services
from workspaces.home import Card, Notice, Step
from workspaces.models import Refresh, Schedule
from workspaces.refresh_progress import progress_of


def make_a_workspace(request: HttpRequest) -> Step:
    """Taken by whoever can see it; it says that something is behind one already."""
    return Step(label=_("Make a workspace"), text="", done=True)


def failed_refresh(request: HttpRequest) -> list[Notice]:
    last = next((one for one in _last(request) if not one.is_active), None)
    if last is None or last.state != Refresh.State.FAILED:
        return []
    return [
        Notice(
            text=_("The last refresh failed: %(reason)s") % {"reason": last.reason},
            url=reverse("workspaces:refresh_detail", args=[_slug(request), last.pk]),
            link=_("See the refresh"),
            tone="danger",
        )
    ]


def refreshes(request: HttpRequest) -> Card:
    last = next(iter(_last(request)), None)
    return Card(
        "workspaces/_home_refreshes.html",
        {
            "last": last,
            "progress": progress_of(last) if last and last.is_active else None,
            "schedule": schedule_of(request),
            "schedule_url": _schedule_url(request),
        },
    )


def schedule_of(request: HttpRequest) -> Schedule:
    workspace = request.workspace  # type: ignore[attr-defined]
    return home.once(request, "schedule", lambda: services.schedule_of(workspace))


def _last(request: HttpRequest) -> list[Refresh]:
    """The last two: of any two one has ended."""
    return home.once(request, "refreshes", _newest)


@KeptQuery
def _newest() -> QuerySet[Refresh]:
    return Refresh.objects.order_by("-created_at")[:2]


def _schedule_url(request: HttpRequest) -> str:
    return reverse("workspaces:schedule", args=[_slug(request)])


def _slug(request: HttpRequest) -> str:
    return str(request.workspace.slug)  # type: ignore[attr-defined]
