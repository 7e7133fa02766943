"""The token's workspace, its schedule, and the token itself."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django import forms
from django.db import transaction
from django.http import Http404
from ninja import Field, Router, Schema
from pydantic import ConfigDict

from api.checked import posted, require_valid
from api.components import TimeZone
from api.middleware import ApiRequest
from api.models import Scope, Token
from api.operations import needs
from api.problems import Problem
from api.schemas import Body, Clock, ClockOut, Name, Page, Text
from workspaces import domains, services, two_step
from workspaces.forms import RejectedShareForm, RetentionForm, ScheduleForm, WorkspaceForm
from workspaces.models import Role, Schedule, Workspace

router = Router()
Weekday = Annotated[int, Field(ge=1, le=7)]
Soon = Literal[7, 30, 90, 180, 365]
Long = Literal[90, 180, 365, 730, 1826, 3652]
LongAudit = Literal[365, 730, 1826, 3652]
MAY_BE_EVER = {"history_days", "runs_days", "audit_days"}


class WorkspaceOut(Schema):
    slug: str = Field(examples=["harbour-books"])
    name: str = Field(examples=["Harbour Books"])
    time_zone: str = Field(examples=["Europe/Madrid"])
    created_at: datetime
    two_step_demanded: bool = Field(
        description="Whether members need two-step sign-in, for their tokens, too."
    )
    rejected_share: int = Field(
        description="Members are told of a run when more than so many percent were rejected.",
        examples=[5],
    )
    rejections_days: int = Field(
        description="Days that it is kept who was not sent, and refused rows.", examples=[90]
    )
    files_days: int = Field(description="Days that uploaded files are kept.", examples=[90])
    history_days: int | None = Field(
        description="Days that it is kept who joined and left segments; null: for ever.",
        examples=[730],
    )
    runs_days: int | None = Field(
        description="Days that runs, imports and refreshes are kept; null: for ever.",
        examples=[730],
    )
    audit_days: int | None = Field(
        description="Days that the audit log is kept; null: for ever.", examples=[None]
    )
    delete_at: datetime | None = Field(
        description="When it is deleted for good, once somebody has asked for that.",
        examples=[None],
    )


class WorkspaceChange(Body):
    """What is left out stays as it is."""

    name: Name | None = Field(None, examples=["Harbour Books"])
    time_zone: TimeZone | None = Field(None, examples=["Europe/Madrid"])
    two_step_demanded: bool | None = Field(
        None,
        description="Members need two-step sign-in. Only one’s own token, who has it, demands it.",
        examples=[False],
    )
    rejected_share: int | None = Field(None, ge=0, le=100, examples=[5])
    rejections_days: Soon | None = Field(None, examples=[90])
    files_days: Soon | None = Field(None, examples=[90])
    history_days: Long | None = Field(None, description="Null: for ever.", examples=[730])
    runs_days: Long | None = Field(None, description="Null: for ever.", examples=[730])
    audit_days: LongAudit | None = Field(None, description="Null: for ever.", examples=[365])


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
    model_config = ConfigDict(
        json_schema_extra={
            "if": {
                "properties": {"enabled": {"const": True}, "every_hours": {"const": 0}},
                "required": ["enabled"],
            },
            "then": {"properties": {"times": {"minItems": 1}}, "required": ["times"]},
        }
    )

    enabled: bool
    days: list[Weekday] = Field(
        min_length=1, max_length=7, description="Monday 1 … Sunday 7.", examples=[[1, 2, 3, 4, 5]]
    )
    times: list[Clock] = Field([], max_length=12, examples=[["06:00"]])
    every_hours: Literal[0, 1, 2, 3, 4, 6, 8, 12] = Field(
        0, description="0: at `times`; else every so many hours.", examples=[0]
    )
    time_zone: TimeZone = Field(examples=["Europe/Madrid"])


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
@needs(Scope.READ, rule="workspace.view", while_closing=True)
def get_workspace(request: ApiRequest, slug: str) -> Workspace:
    """One workspace, by the slug in its pages’ addresses."""
    if slug != request.workspace.slug:
        raise Http404
    return request.workspace


@router.patch("/workspaces/{slug:slug}", response=WorkspaceOut, summary="Change the settings")
@needs(Scope.ADMIN, rule="workspace.change")
def change_workspace(request: ApiRequest, slug: str, body: WorkspaceChange) -> Workspace:
    """Its name and time zone, and how long it keeps what. Needs an Administrator’s token."""
    workspace = get_workspace(request, slug)
    given = {
        name: value
        for name, value in body.dict(exclude_unset=True).items()
        if value is not None or name in MAY_BE_EVER
    }
    with transaction.atomic():
        for kind in (WorkspaceForm, RetentionForm):
            if given.keys() & set(kind.base_fields):
                form = _settings_form(kind, workspace, given)
                require_valid(form)
                services.save_settings(form, by=request.actor)
        if "two_step_demanded" in given:
            two_step.demand(workspace, given["two_step_demanded"], by=request.actor)
        if "rejected_share" in given:
            share = RejectedShareForm(posted(**given), instance=workspace)
            require_valid(share)
            services.save_rejected_share(
                workspace, share.cleaned_data["rejected_share"], by=request.actor
            )
    return workspace


def _settings_form(
    kind: type[forms.ModelForm], workspace: Workspace, given: dict[str, Any]
) -> forms.ModelForm:
    """The screen's form, filled in with what is given and for the rest with what is there."""
    there = kind(instance=workspace)
    values = {
        name: field.prepare_value(given.get(name, getattr(workspace, name)))
        for name, field in there.fields.items()
    }
    return kind(posted(**values), instance=workspace)


class DomainsOut(Schema):
    domains: list[str] = Field(
        description="Who signs in by OpenID Connect with an address of these becomes a Viewer.",
        examples=[["example.com"]],
    )
    offered: list[str] = Field(
        description="Those that this token may name.", examples=[["example.com"]]
    )


class DomainsIn(Body):
    domains: list[Text] = Field(max_length=100, examples=[[]])


@router.get("/sign-in-domains", response=DomainsOut, summary="Get the domains that join")
@needs(Scope.READ, rule="workspace.change")
def get_domains(request: ApiRequest) -> dict[str, Any]:
    """The e-mail domains whose people join by themselves. Needs an Administrator’s token."""
    return {"domains": domains.captured(), "offered": domains.offered(request.actor)}


@router.put("/sign-in-domains", response=DomainsOut, summary="Set the domains that join")
@needs(Scope.ADMIN, rule="workspace.change")
def set_domains(request: ApiRequest, body: DomainsIn) -> dict[str, Any]:
    """Domains whose people join by themselves, each of them one of those offered.

    Those are offered of which an issuer of the installation is trusted, and the member whose token
    this is has a confirmed address; and those named already. Needs an Administrator’s token.
    """
    offered = domains.offered(request.actor)
    if unknown := sorted(set(body.domains) - set(offered)):
        raise Problem(
            "refused",
            f"“{unknown[0][:100]}” is none of the domains that can be named with this token.",
        )
    domains.save(request.workspace, set(body.domains), by=request.actor)
    return get_domains(request)


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
