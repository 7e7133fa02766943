"""The token's workspace, its schedule, and the token itself."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import Http404
from ninja import Field, Router, Schema

from api.checked import posted, require_valid
from api.middleware import ApiRequest
from api.models import Scope, Token
from api.operations import needs
from api.schemas import Body, Clock, ClockOut, Page
from workspaces import services
from workspaces.forms import ScheduleForm
from workspaces.models import Role, Schedule, Workspace

router = Router()
Weekday = Annotated[int, Field(ge=1, le=7)]


class WorkspaceOut(Schema):
    slug: str = Field(examples=["harbour-books"])
    name: str = Field(examples=["Harbour Books"])
    time_zone: str = Field(examples=["Europe/Madrid"])
    created_at: datetime


class TokenOut(Schema):
    """The token that the request came with."""

    name: str = Field(examples=["nightly import"])
    kind: str = Field(description="`personal` or `service`.", examples=["service"])
    role: Role = Field(description="What it may be now: never more than its member is.")
    scopes: list[Scope]
    workspace: str = Field(description="The workspace’s slug.", examples=["harbour-books"])
    expires_at: datetime | None


class ScheduleOut(Schema):
    enabled: bool
    days: list[int] = Field(description="Monday 1 … Sunday 7.", examples=[[1, 2, 3, 4, 5]])
    times: list[ClockOut] = Field(examples=[["06:00"]])
    every_hours: int = Field(description="0: at `times`; else from midnight on.", examples=[0])
    time_zone: str = Field(examples=["Europe/Madrid"])
    next_run_at: datetime | None


class ScheduleIn(Body):
    enabled: bool
    days: list[Weekday] = Field(
        min_length=1, max_length=7, description="Monday 1 … Sunday 7.", examples=[[1, 2, 3, 4, 5]]
    )
    times: list[Clock] = Field([], max_length=12, examples=[["06:00"]])
    every_hours: Literal[0, 1, 2, 3, 4, 6, 8, 12] = Field(
        0, description="0: at `times`; else every so many hours.", examples=[0]
    )
    time_zone: str = Field(max_length=60, examples=["Europe/Madrid"])


@router.get("/token", response=TokenOut, summary="The token in use")
@needs(*Scope)
def show_token(request: ApiRequest) -> dict[str, Any]:
    """What the token that the request comes with may do: the first thing to call."""
    token: Token = request.token
    return {
        "name": token.name,
        "kind": "service" if token.is_service else "personal",
        "role": request.membership.role,
        "scopes": token.scopes,
        "workspace": request.workspace.slug,
        "expires_at": token.expires_at,
    }


@router.get("/workspaces", response=Page[WorkspaceOut], summary="List workspaces")
@needs(Scope.READ, rule="workspace.view")
def list_workspaces(request: ApiRequest) -> dict[str, Any]:
    """The workspaces that the token reaches: the one it belongs to."""
    return {"items": [request.workspace], "next": None}


@router.get("/workspaces/{slug:slug}", response=WorkspaceOut, summary="Get a workspace")
@needs(Scope.READ, rule="workspace.view")
def get_workspace(request: ApiRequest, slug: str) -> Workspace:
    """One workspace, by the slug in its pages’ addresses."""
    if slug != request.workspace.slug:
        raise Http404
    return request.workspace


@router.get("/schedule", response=ScheduleOut, summary="Get the schedule")
@needs(Scope.READ, rule="schedule.view")
def get_schedule(request: ApiRequest) -> Schedule:
    """When the workspace refreshes by itself."""
    return services.schedule_of(request.workspace)


@router.put("/schedule", response=ScheduleOut, summary="Set the schedule")
@needs(Scope.WRITE, rule="schedule.change")
def set_schedule(request: ApiRequest, body: ScheduleIn) -> Schedule:
    """When the workspace refreshes from now on. Needs an Administrator’s token."""
    form = ScheduleForm(
        posted(
            enabled=body.enabled,
            days=body.days,
            times=body.times,
            every_hours=body.every_hours,
            time_zone=body.time_zone,
        )
    )
    require_valid(form)
    return services.save_schedule(request.workspace, **form.cleaned_data, by=request.actor)
