"""Exports: what is sent where. The paths call them by the design's word, destinations."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from ninja import Field, Query, Router, Schema, Status

from api import etags
from api.checked import invalid, posted
from api.choices import DestinationMode, OwnSchedule
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import checks_version, needs, versioned
from api.problems import Problem
from api.schemas import Body, ClockOut, Id, Name, Page, Paging, Reference, Text, page
from api.timing import TimingIn
from connections.selectors import usable_by
from exports import destinations, forms, selectors, taken_off
from exports.lists import Way
from exports.matching import EMAIL
from exports.models import Destination, OptOut
from exports.views.objects import destination_of
from workspaces.timing import workspace_refreshes_at

router = Router()
MOST_ADDRESSES = 10_000
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


class ListIn(Body):
    """A list of the connection’s account: there already, or to be made."""

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


class DestinationChange(Body):
    """What is left out stays as it is."""

    name: Name | None = Field(None, examples=["Newsletter"])
    connection: Id | None = Field(None, examples=[1])
    contact_list: ListIn | None = None
    matching: dict[Text, Text] | None = Field(None, examples=[MATCHING])
    segments: list[Id] | None = Field(None, min_length=1, max_length=1_000, examples=[[7]])
    mode: Literal["mirror", "add"] | None = Field(None, examples=["mirror"])
    removal_share: int | None = Field(None, ge=0, le=100, examples=[20])
    moves: bool = Field(
        False,
        description="Agree that another account or list starts anew: what was sent to the one"
        " before stays there.",
    )


class DestinationFilter(Paging):
    q: Text = Field("", description="Part of the name.", examples=["news"])


class TakenOffOut(Schema):
    address: str = Field(examples=["ada@example.com"])
    since: datetime


class PutBackIn(Body):
    addresses: list[Text] = Field(
        min_length=1, max_length=MOST_ADDRESSES, examples=[["ada@example.com"]]
    )


class PutBackOut(Schema):
    put_back: int = Field(examples=[1])


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
    return _told(request, destination_of(request, destination_id))


@router.post("/destinations", response={201: DestinationOut}, summary="Create an export")
@needs(Scope.WRITE, rule="destination.create")
@versioned
def create_destination(request: ApiRequest, body: DestinationIn) -> Any:
    """An export of segments to a list; it runs with every refresh until it is scheduled otherwise.

    The list is looked up, or made, in the account at once. Names are unique, so a request that is
    repeated makes no second one.
    """
    form = _form(request, body.model_dump(), None)
    saved = destinations.create(request.workspace, by=request.actor, details=_details(form))
    return Status(201, _told(request, saved))


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
    form = _form(request, body.model_dump(exclude_unset=True, exclude={"moves"}), destination)
    if form.moves and not body.moves:
        raise Problem(
            "refused",
            "Another account or list starts anew: what was sent to the one before stays there."
            " Send `moves: true` to agree.",
        )
    seen = destination.updated_at if "If-Match" in request.headers else None
    saved = destinations.update(destination, by=request.actor, details=_details(form), seen=seen)
    return _told(request, saved)


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
    return _told(request, destination_of(request, destination_id))


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
    return _told(request, destination_of(request, destination_id))


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


@router.get(
    "/destinations/{int:destination_id}/taken-off",
    response=Page[TakenOffOut],
    summary="List who was taken off",
)
@needs(Scope.PEOPLE, rule="destination.view")
def list_taken_off(
    request: ApiRequest, destination_id: int, asked: Query[Paging]
) -> dict[str, Any]:
    """Who was taken off the list at Constant Contact; no run puts them back by itself."""
    found: QuerySet[OptOut] = taken_off.taken_off(destination_of(request, destination_id))
    return page(found, asked, by="address", kind=str)


@router.post(
    "/destinations/{int:destination_id}/put-back", response=PutBackOut, summary="Put people back"
)
@needs(Scope.WRITE, rule="destination.create")
def put_back(request: ApiRequest, destination_id: int, body: PutBackIn) -> dict[str, int]:
    """Lets the next run put these back who were taken off the list. Nobody’s permission changes."""
    destination = destination_of(request, destination_id, "destination.put_back")
    addresses = [one.strip().lower() for one in body.addresses]
    return {"put_back": taken_off.put_back(destination, addresses, by=request.actor)}


def _told(request: ApiRequest, destination: Destination) -> Destination:
    request.version = etags.version_of(destination.updated_at)
    return destination


def _form(
    request: ApiRequest, given: dict[str, Any], destination: Destination | None
) -> forms.DestinationForm:
    """The screen's form, filled in with what is given and for the rest with what is there."""
    values = forms.initial_of(destination) if destination else {}
    values |= {"matching": destination.matching if destination else {}}
    values |= {name: value for name, value in given.items() if value is not None}
    chosen = values.pop("contact_list", None)
    if chosen is not None:
        values |= _way(chosen)
    matches = dict(values.pop("matching"))
    values["email"] = matches.pop(EMAIL, "")
    data = posted(**values, field=list(matches), attribute=list(matches.values()))
    form = forms.DestinationForm(
        data, connections=usable_by(request.membership), destination=destination
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


def _details(form: forms.DestinationForm) -> destinations.Details:
    """Asks the account for its list. Raises `Problem`."""
    details = form.details()
    if details is None:
        raise _invalid(form)
    return details
