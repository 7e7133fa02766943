"""One refresh as a tree of steps, live, and trying again what did not succeed."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from config.kept_queries import one_or_404
from workspaces import home_answers, home_parts, refreshes, services
from workspaces.live import figures, streams
from workspaces.middleware import WorkspaceRequest
from workspaces.models import Refresh, RefreshStep
from workspaces.permissions import requires
from workspaces.refresh_progress import progress_of

# So many steps of a kind are shown at first, besides those that stand out.
SHOWN = 50
# So many of those that go on are told at the top.
AT_ONCE = 5


@dataclass(frozen=True)
class Row:
    """A step as its page shows it."""

    step: RefreshStep
    told: refreshes.Told | None
    after: list[str]

    @property
    def counts(self) -> list[str]:
        return refreshes.counted(self.step.counts)

    @property
    def speaks_for_itself(self) -> bool:
        """Whether what the step began tells more than that it was begun."""
        succeeded = self.step.state == RefreshStep.State.SUCCEEDED
        return succeeded and self.told is not None and self.told.state != ""

    @property
    def has_succeeded(self) -> bool:
        """With what the step began, where that speaks for itself."""
        if self.speaks_for_itself and self.told is not None:
            return self.told.state.startswith("succeeded")
        return self.step.state == RefreshStep.State.SUCCEEDED

    @property
    def goes_on(self) -> bool:
        """Itself, or what it began."""
        return self.step.state == RefreshStep.State.RUNNING or bool(self.told and self.told.goes_on)

    @property
    def stands_out(self) -> bool:
        """Whether it failed, or is going on: what people look for."""
        if self.speaks_for_itself:
            return not self.has_succeeded
        return self.step.state in (RefreshStep.State.FAILED, RefreshStep.State.RUNNING)


@dataclass(frozen=True)
class Group:
    """The steps of one kind; some of them, unless all are asked for."""

    label: str
    rows: list[Row]
    is_whole: bool

    @property
    def shown(self) -> list[Row]:
        if self.is_whole or len(self.rows) <= SHOWN:
            return self.rows
        return [row for place, row in enumerate(self.rows) if place < SHOWN or row.stands_out]

    @property
    def is_cut(self) -> bool:
        return len(self.shown) < len(self.rows)

    @property
    def succeeded(self) -> int:
        return sum(row.has_succeeded for row in self.rows)


@requires("workspace.view")
def home_refreshes(request: WorkspaceRequest, slug: str) -> HttpResponse:
    """The home page's refreshes, while one goes on."""
    moves = figures.name("refreshes", request.workspace.pk)
    return home_answers.of_card(request, home_parts.refreshes(request), moves)


@requires("schedule.view")
def detail(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    refresh = _refresh(pk)
    return render(request, "workspaces/refresh.html", _tree(refresh, is_whole="all" in request.GET))


@requires("schedule.view")
def tree(request: WorkspaceRequest, slug: str, pk: int) -> HttpResponse:
    """The part of the page that lives while the refresh goes on."""
    refresh = _refresh(pk)
    response = render(
        request, "workspaces/_refresh_tree.html", _tree(refresh, is_whole="all" in request.GET)
    )
    if refresh.is_active:
        response[streams.FOR_EVERY_ROLE] = "yes"
    return response


@require_POST
@requires("refresh.start")
def retry(request: WorkspaceRequest, slug: str, pk: int, step: int | None = None) -> HttpResponse:
    refresh = one_or_404(Refresh, pk=pk)
    chosen = None if step is None else get_object_or_404(RefreshStep, refresh=refresh, pk=step)
    try:
        services.retry_refresh(refresh, step=chosen, by=request.user)
    except (services.RefreshActive, services.RefreshOver) as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _("It is tried again."))
    return redirect("workspaces:refresh_detail", slug, pk)


def _refresh(pk: int) -> Refresh:
    return one_or_404(Refresh, "started_by", "workspace", pk=pk)


def _tree(refresh: Refresh, *, is_whole: bool) -> dict[str, Any]:
    steps = list(refresh.steps.order_by("position"))
    names = {step.position: step.name for step in steps}
    groups = []
    going_on = refresh.is_active
    for kind in refreshes.kinds():
        own = [step for step in steps if step.kind == kind.name]
        told = kind.tell(own) if own else {}
        rows = [
            Row(step, told.get(step.object_id), [names[need] for need in step.needs])
            for step in own
        ]
        going_on = going_on or any(one.goes_on for one in told.values())
        if rows:
            groups.append(Group(str(kind.label), rows, is_whole))
    return {
        "refresh": refresh,
        "is_whole": is_whole,
        "groups": groups,
        "now": [row for group in groups for row in group.rows if row.goes_on][:AT_ONCE],
        "progress": progress_of(refresh, steps) if refresh.is_active else None,
        "going_on": going_on,
        "is_last": not Refresh.objects.filter(created_at__gt=refresh.created_at).exists(),
        "can_be_tried_again": any(
            step.state in (RefreshStep.State.FAILED, RefreshStep.State.SKIPPED) for step in steps
        ),
    }
