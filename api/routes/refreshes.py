"""Refreshes: sources, then segments, then every export."""

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.choices import RefreshState, RefreshStepState, RefreshTrigger
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.schemas import Body, Id, Page, Paging, page
from config.kept_queries import one_or_404
from workspaces import services
from workspaces.models import Refresh, RefreshStep

router = Router()


class RefreshOut(Schema):
    id: int = Field(examples=[12])
    state: RefreshState = Field(examples=["succeeded"])
    reason: str = Field(examples=[""])
    trigger: RefreshTrigger = Field(examples=["api"])
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @staticmethod
    def resolve_reason(refresh: Refresh) -> str:
        return str(refresh.reason)


class StepOut(Schema):
    id: int = Field(examples=[101])
    position: int = Field(examples=[0])
    kind: str = Field(description="`source`, `segment` or `export`.", examples=["segment"])
    object_id: int = Field(examples=[7])
    name: str = Field(examples=["Newsletter readers"])
    needs: list[int] = Field(
        description="Positions of the steps that must succeed before.", examples=[[]]
    )
    state: RefreshStepState = Field(examples=["succeeded"])
    reason: str = Field(examples=[""])
    counts: dict[str, Any] = Field(examples=[{"members": 1990, "joined": 12, "left": 3}])
    started_at: datetime | None
    finished_at: datetime | None

    @staticmethod
    def resolve_reason(step: RefreshStep) -> str:
        return str(step.reason)


class RefreshDetail(RefreshOut):
    steps: list[StepOut]

    @staticmethod
    def resolve_steps(refresh: Refresh) -> list[RefreshStep]:
        return list(refresh.steps.order_by("position"))


class RetryIn(Body):
    step: Id | None = Field(None, description="One failed step only, by its id.", examples=[101])


@router.get("/refreshes", response=Page[RefreshOut], summary="List refreshes")
@needs(Scope.READ, rule="schedule.view")
def list_refreshes(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """The refreshes, the last first."""
    return page(Refresh.objects.all(), asked, descending=True)


@router.get("/refreshes/{int:refresh_id}", response=RefreshDetail, summary="Get a refresh")
@needs(Scope.READ, rule="schedule.view")
def get_refresh(request: ApiRequest, refresh_id: int) -> Refresh:
    """One refresh with the tree of its steps: each names those it waits for in `needs`."""
    return one_or_404(Refresh, pk=refresh_id)


@router.post("/refreshes", response={202: RefreshDetail}, summary="Start a refresh")
@needs(Scope.RUN, rule="refresh.start")
@once
def start_refresh(request: ApiRequest) -> Any:
    """Loads every source of a database, then refreshes every segment, then runs every export."""
    refresh = services.start_refresh(
        request.workspace, trigger=Refresh.Trigger.API, by=request.actor
    )
    return Status(202, refresh)


@router.post(
    "/refreshes/{int:refresh_id}/retry",
    response={202: RefreshDetail},
    summary="Try a refresh again",
)
@needs(Scope.RUN, rule="refresh.start")
@once
def retry_refresh(request: ApiRequest, refresh_id: int, body: RetryIn) -> Any:
    """Does again what did not succeed: one failed step with what was skipped for it, or all."""
    refresh = one_or_404(Refresh, "workspace", pk=refresh_id)
    step = None
    if body.step is not None:
        step = get_object_or_404(RefreshStep, refresh=refresh, pk=body.step)
    services.retry_refresh(refresh, step=step, by=request.actor)
    refresh.refresh_from_db()
    return Status(202, refresh)
