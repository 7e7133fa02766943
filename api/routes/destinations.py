"""Exports: what is sent where. The paths call them by the design's word, destinations."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from ninja import Field, Query, Router, Schema, Status
from pydantic import ConfigDict

from api import etags
from api.checked import invalid, posted
from api.choices import DestinationMode, OwnSchedule
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import checks_version, needs, once, versioned
from api.problems import Problem
from api.schemas import Body, ClockOut, Id, Name, Page, Paging, Reference, Text, page
from api.timing import TimingIn
from connections.selectors import usable_by
from exports import destinations, entered, forms, selectors
from exports.lists import Way
from exports.matching import EMAIL
from exports.models import Destination
from exports.views.objects import destination_of
from workspaces.timing import workspace_refreshes_at

router = Router()
MATCHING = {"email": "EMail", "first_name": "FirstName", "last_name": "LastName"}
LIST_ID = "11111111-2222-3333-4444-555555555555"


class ListReference(Schema):
    id: str = Field(examples=[LIST_ID])
    name: str = Field(examples=["Newsletter"])


class DestinationOut(Schema):
    id: int = Field(examples=[4])
    name: str = Field(examples=["Newsletter"])
    connection_id: int | None = Field(description="Null: the export rests.", examples=[1])
    contact_list: ListReference
    matching: dict[str, str] = Field(description="Contact field → attribute.", examples=[MATCHING])
    segments: list[Reference]
    mode: DestinationMode = Field(
        description="`mirror`: who leaves the segments is taken off the list; `add`: nobody is.",
        examples=["mirror"],
    )
    removal_share: int = Field(
        description="A run that would take off more than so many percent asks.", examples=[20]
    )
    schedule: OwnSchedule = Field(examples=["refresh"])
    days: list[int] = Field(examples=[[]])
    times: list[ClockOut] = Field(examples=[[]])
    time_zone: str = Field(examples=["Europe/Madrid"])
    next_run_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_contact_list(destination: Destination) -> dict[str, str]:
        return {"id": destination.list_id, "name": destination.list_name}

    @staticmethod
    def resolve_segments(destination: Destination) -> list[dict[str, Any]]:
        return [
            {"id": one.pk, "name": one.name} for one in selectors.selected_segments(destination)
        ]

    @staticmethod
    def resolve_next_run_at(destination: Destination) -> datetime | None:
        return selectors.next_run_at(destination, workspace_refreshes_at(destination.workspace))


def _said(name: str, other: str) -> dict[str, Any]:
    return {
        "required": [name],
        "properties": {name: {"type": "string", "minLength": 1}, other: {"enum": [None, ""]}},
    }


class ListIn(Body):
    """A list of the connection’s account: there already, or to be made."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [_said("id", "create"), _said("create", "id")]}
    )

    id: Text | None = Field(None, max_length=36, examples=[LIST_ID])
    create: Text | None = Field(
        None, max_length=255, description="The name of a list to make.", examples=[None]
    )


class DestinationIn(Body):
    name: Name = Field(examples=["Newsletter"])
    connection: Id = Field(examples=[1])
    contact_list: ListIn
    matching: dict[Text, Text] = Field(
        description="Contact field → attribute’s name; `email` is needed. Custom fields are"
        " `cf:ID`.",
        examples=[MATCHING],
    )
    segments: list[Id] = Field(min_length=1, max_length=1_000, examples=[[7]])
    mode: Literal["mirror", "add"] = Field("mirror", examples=["mirror"])
    removal_share: int = Field(20, ge=0, le=100, examples=[20])


class DestinationOther(Body):
    """What is left out is as it is there."""

    name: Name | None = Field(None, examples=["Newsletter"])
    connection: Id | None = Field(None, examples=[1])
    contact_list: ListIn | None = None
    matching: dict[Text, Text] | None = Field(None, examples=[MATCHING])
    segments: list[Id] | None = Field(None, min_length=1, max_length=1_000, examples=[[7]])
    mode: Literal["mirror", "add"] | None = Field(None, examples=["mirror"])
    removal_share: int | None = Field(None, ge=0, le=100, examples=[20])


class DestinationChange(DestinationOther):
    """What is left out stays as it is."""

    moves: bool = Field(
        False,
        description="Agree that another account or list starts anew: what was sent to the one"
        " before stays there.",
    )


class DestinationFilter(Paging):
    q: Text = Field("", description="Part of the name.", examples=["news"])


def _destinations() -> QuerySet[Destination]:
    return Destination.objects.select_related("workspace", "connection")


@router.get("/destinations", response=Page[DestinationOut], summary="List exports")
@needs(Scope.READ, Scope.RUN, rule="destination.view")
def list_destinations(request: ApiRequest, asked: Query[DestinationFilter]) -> dict[str, Any]:
    """The workspace’s exports, in the order in which they were made."""
    found = _destinations()
    return page(found.filter(name__icontains=asked.q) if asked.q else found, asked)


@router.get("/destinations/{int:destination_id}", response=DestinationOut, summary="Get an export")
@needs(Scope.READ, Scope.RUN, rule="destination.view")
@versioned
def get_destination(request: ApiRequest, destination_id: int) -> Destination:
    """One export. Its ETag in `If-Match` makes a change that overwrites nobody’s."""
    return told(request, destination_of(request, destination_id))


@router.post("/destinations", response={201: DestinationOut}, summary="Create an export")
@needs(Scope.WRITE, rule="destination.create")
@versioned
def create_destination(request: ApiRequest, body: DestinationIn) -> Any:
    """An export of segments to a list; it runs with every refresh until it is scheduled otherwise.

    The list is looked up, or made, in the account at once. Names are unique, so a request that is
    repeated makes no second one.
    """
    form = form_of(request, body.model_dump(), None)
    saved = destinations.create(request.workspace, by=request.actor, details=details_of(form))
    return Status(201, told(request, saved))


@router.patch(
    "/destinations/{int:destination_id}", response=DestinationOut, summary="Change an export"
)
@needs(Scope.WRITE, rule="destination.create")
@versioned
@checks_version
def change_destination(
    request: ApiRequest, destination_id: int, body: DestinationChange
) -> Destination:
    """Changes what the request names; nothing is sent until the next run.

    With `If-Match`, only as long as the export’s configuration is that of the ETag.
    """
    destination = destination_of(request, destination_id, "destination.change")
    etags.require_version(request, destination.updated_at)
    form = form_of(request, body.model_dump(exclude_unset=True, exclude={"moves"}), destination)
    if form.moves and not body.moves:
        raise Problem(
            "refused",
            "Another account or list starts anew: what was sent to the one before stays there."
            " Send `moves: true` to agree.",
        )
    seen = destination.updated_at if "If-Match" in request.headers else None
    saved = destinations.update(destination, by=request.actor, details=details_of(form), seen=seen)
    return told(request, saved)


@router.post(
    "/destinations/{int:destination_id}/duplicate",
    response={201: DestinationOut},
    summary="Duplicate an export",
)
@needs(Scope.WRITE, rule="destination.create")
@once
def duplicate_destination(request: ApiRequest, destination_id: int, body: DestinationOther) -> Any:
    """Another export like this one, scheduled like it, under a name of its own.

    It differs in what the request names. Nothing is sent until it runs.
    """
    original = destination_of(request, destination_id, "destination.duplicate")
    given = body.model_dump(exclude_unset=True)
    form = form_of(
        request, {"name": destinations.free_name(original.name)} | given, None, like=original
    )
    saved = destinations.create(
        request.workspace, by=request.actor, details=details_of(form), like=original
    )
    return Status(201, told(request, saved))


@router.put(
    "/destinations/{int:destination_id}/schedule",
    response=DestinationOut,
    summary="Schedule an export",
)
@needs(Scope.WRITE, rule="destination.create")
@versioned
def schedule_destination(request: ApiRequest, destination_id: int, body: TimingIn) -> Destination:
    """When the export runs by itself from now on."""
    destination = destination_of(request, destination_id, "destination.schedule")
    destinations.reschedule(destination, by=request.actor, timing=body.over(destination))
    return told(request, destination_of(request, destination_id))


@router.post(
    "/destinations/{int:destination_id}/detach",
    response=DestinationOut,
    summary="Take an export’s connection away",
)
@needs(Scope.WRITE, rule="destination.create")
@versioned
def detach_destination(request: ApiRequest, destination_id: int) -> Destination:
    """The export rests until it is given another connection."""
    destination = destination_of(request, destination_id, "destination.detach")
    destinations.detach(destination, by=request.actor)
    return told(request, destination_of(request, destination_id))


@router.delete(
    "/destinations/{int:destination_id}", response={204: None}, summary="Remove an export"
)
@needs(Scope.WRITE, rule="destination.create")
@checks_version
def remove_destination(request: ApiRequest, destination_id: int) -> Any:
    """Removes an export with its runs. What it sent stays at Constant Contact."""
    destination = destination_of(request, destination_id, "destination.remove")
    etags.require_version(request, destination.updated_at)
    destinations.remove(destination, by=request.actor)
    return Status(204, None)


def told(request: ApiRequest, destination: Destination) -> Destination:
    request.version = etags.version_of(destination.updated_at)
    return destination


def form_of(
    request: ApiRequest,
    given: dict[str, Any],
    destination: Destination | None,
    *,
    like: Destination | None = None,
    for_preview: bool = False,
) -> forms.DestinationForm:
    """The screen's form, filled in with what is given and for the rest with what is there.

    Or for a new export with what the one has that it is `like`. Raises `Problem`.
    """
    there = destination or like
    values = entered.initial_of(there) if there else {"matching": {}}
    values |= {name: value for name, value in given.items() if value is not None}
    chosen = values.pop("contact_list", None)
    if chosen is not None:
        values |= _way(chosen)
    matches = dict(values.pop("matching"))
    values["email"] = matches.pop(EMAIL, "")
    data = posted(**values, field=list(matches), attribute=list(matches.values()))
    form = forms.DestinationForm(
        data,
        connections=usable_by(request.membership),
        destination=destination,
        for_preview=for_preview,
    )
    if not form.is_valid():
        raise _invalid(form)
    return form


def _way(chosen: dict[str, Any]) -> dict[str, Any]:
    if bool(chosen["id"]) == bool(chosen["create"]):
        raise Problem("invalid_request", "Name the list by `id`, or by `create` one to be made.")
    if chosen["id"]:
        return {"way": Way.PICK.value, "picked": chosen["id"]}
    return {"way": Way.MAKE.value, "made": chosen["create"]}


def _invalid(form: forms.DestinationForm) -> Problem:
    """With the lines of the data matching, which are no fields of the form."""
    problem = invalid(form)
    problem.more["errors"] += [
        {"pointer": f"/matching/{row.target}", "detail": str(text)}
        for row in form.rows
        for text in row.errors
    ]
    return problem


def details_of(form: forms.DestinationForm) -> destinations.Details:
    """Asks the account for its list. Raises `Problem`."""
    details = form.details()
    if details is None:
        raise _invalid(form)
    return details
