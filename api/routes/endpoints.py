"""Endpoints that events are sent to, and what was sent to them. Needs an Administrator's token."""

from datetime import datetime
from typing import Any, Literal

from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.checked import posted, require_valid
from api.choices import DeliveryState
from api.components import EventKind
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.problems import Problem
from api.schemas import Body, Name, Page, Paging, Text, page
from config.kept_queries import one_or_404
from workspaces.forms import EndpointChangeForm, EndpointForm
from workspaces.models import Endpoint, EndpointDelivery
from workspaces.notices import endpoints, outgoing

router = Router()
EVENTS = ["import.finished", "run.finished"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - an example


class EndpointOut(Schema):
    id: int = Field(examples=[2])
    name: str = Field(examples=["Data warehouse"])
    form: Literal["json", "slack"] = Field(
        description="`json`: signed, as Standard Webhooks has it; `slack`: an incoming webhook.",
        examples=["json"],
    )
    host: str = Field(
        description="Of its address, which is not shown again.", examples=["hooks.example.com"]
    )
    events: list[str] = Field(examples=[EVENTS])
    enabled: bool = Field(examples=[True])
    created_at: datetime


class NewEndpoint(EndpointOut):
    secret: str = Field(
        description="What signs its requests, shown only now; empty for Slack.", examples=[SECRET]
    )


class SecretOut(Schema):
    secret: str = Field(description="Shown only now.", examples=[SECRET])


class EndpointIn(Body):
    name: Name = Field(examples=["Data warehouse"])
    form: Literal["json", "slack"] = Field("json", examples=["json"])
    url: Text = Field(min_length=1, max_length=2000, examples=["https://hooks.example.com/segue"])
    events: list[EventKind] = Field(min_length=1, max_length=50, examples=[EVENTS])


class EndpointChange(Body):
    """What is left out stays as it is."""

    name: Name | None = Field(None, examples=["Data warehouse"])
    url: Text | None = Field(
        None, min_length=1, max_length=2000, examples=["https://hooks.example.com/segue"]
    )
    events: list[EventKind] | None = Field(None, min_length=1, max_length=50, examples=[EVENTS])
    enabled: bool | None = Field(
        None, description="What happens while it is off is not sent later.", examples=[True]
    )


class DeliveryOut(Schema):
    id: int = Field(examples=[90])
    event: str = Field(description="What its receiver knows it by.", examples=["evt_41"])
    kind: str = Field(examples=["run.finished"])
    data: dict[str, Any] = Field(examples=[{"run": 17}])
    state: DeliveryState = Field(examples=["succeeded"])
    attempts: int = Field(examples=[1])
    status: int = Field(description="Of the last answer; 0 for none.", examples=[200])
    problem: str = Field(description="What was wrong last.", examples=[""])
    due_at: datetime | None = Field(description="When it is tried next.")
    created_at: datetime
    ended_at: datetime | None

    @staticmethod
    def resolve_event(delivery: EndpointDelivery) -> str:
        return f"evt_{delivery.event_id}"

    @staticmethod
    def resolve_kind(delivery: EndpointDelivery) -> str:
        return delivery.event.kind

    @staticmethod
    def resolve_data(delivery: EndpointDelivery) -> dict[str, Any]:
        return dict(delivery.event.data)

    @staticmethod
    def resolve_problem(delivery: EndpointDelivery) -> str:
        return str(delivery.problem)


class DeliveryFilter(Paging):
    state: DeliveryState | None = Field(None, description="In this state only.")


def _endpoint(pk: int) -> Endpoint:
    return one_or_404(Endpoint, "workspace", pk=pk)


@router.get("/endpoints", response=Page[EndpointOut], summary="List endpoints")
@needs(Scope.READ, rule="endpoint.view")
def list_endpoints(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """Where events are sent to: webhooks and Slack’s channels."""
    return page(Endpoint.objects.all(), asked)


@router.post("/endpoints", response={201: NewEndpoint}, summary="Create an endpoint")
@needs(Scope.ADMIN, rule="endpoint.change")
def create_endpoint(request: ApiRequest, body: EndpointIn) -> Any:
    """Events are sent there from now on. The answer tells its secret, which nothing does again."""
    form = EndpointForm(posted(**body.dict()))
    require_valid(form)
    try:
        endpoint, secret = endpoints.create(
            request.workspace, **form.cleaned_data, by=request.actor
        )
    except outgoing.Unreachable as problem:
        raise _no_address(problem) from problem
    return Status(201, {**EndpointOut.from_orm(endpoint).dict(), "secret": secret})


@router.get("/endpoints/{int:endpoint_id}", response=EndpointOut, summary="Get an endpoint")
@needs(Scope.READ, rule="endpoint.view")
def get_endpoint(request: ApiRequest, endpoint_id: int) -> Endpoint:
    """One endpoint, without its address and its secret."""
    return _endpoint(endpoint_id)


@router.patch("/endpoints/{int:endpoint_id}", response=EndpointOut, summary="Change an endpoint")
@needs(Scope.ADMIN, rule="endpoint.change")
def change_endpoint(request: ApiRequest, endpoint_id: int, body: EndpointChange) -> Endpoint:
    """Changes what the request names; its secret stays."""
    endpoint = _endpoint(endpoint_id)
    values: dict[str, Any] = {
        "name": endpoint.name,
        "events": endpoint.events,
        "enabled": endpoint.enabled,
    }
    values |= {name: value for name, value in body.dict().items() if value is not None}
    form = EndpointChangeForm(posted(**values), endpoint=endpoint)
    require_valid(form)
    try:
        endpoints.change(endpoint, **form.cleaned_data, by=request.actor)
    except outgoing.Unreachable as problem:
        raise _no_address(problem) from problem
    return endpoint


@router.delete("/endpoints/{int:endpoint_id}", response={204: None}, summary="Remove an endpoint")
@needs(Scope.ADMIN, rule="endpoint.change")
def remove_endpoint(request: ApiRequest, endpoint_id: int) -> Any:
    """Nothing more is sent there, and the log of what was sent goes, too."""
    endpoints.remove(_endpoint(endpoint_id), by=request.actor)
    return Status(204, None)


@router.post(
    "/endpoints/{int:endpoint_id}/secret", response=SecretOut, summary="Renew an endpoint’s secret"
)
@needs(Scope.ADMIN, rule="endpoint.change")
def renew_secret(request: ApiRequest, endpoint_id: int) -> dict[str, str]:
    """Another secret from now on; the one before signs nothing any more."""
    endpoint = _endpoint(endpoint_id)
    if endpoint.form == Endpoint.Form.SLACK:
        raise Problem("refused", "Slack takes no signature, so there is no secret to renew.")
    return {"secret": endpoints.renew_secret(endpoint, by=request.actor)}


@router.post(
    "/endpoints/{int:endpoint_id}/try",
    response={202: DeliveryOut},
    summary="Try an endpoint out",
)
@needs(Scope.ADMIN, rule="endpoint.change")
@once
def try_endpoint(request: ApiRequest, endpoint_id: int) -> Any:
    """Sends an event that means nothing: its delivery tells what comes of it."""
    return Status(202, endpoints.try_out(_endpoint(endpoint_id), by=request.actor))


@router.get(
    "/endpoints/{int:endpoint_id}/deliveries",
    response=Page[DeliveryOut],
    summary="List deliveries",
)
@needs(Scope.READ, rule="endpoint.view")
def list_deliveries(
    request: ApiRequest, endpoint_id: int, asked: Query[DeliveryFilter]
) -> dict[str, Any]:
    """What was sent to the endpoint within ninety days, and what came of it, the last first."""
    found = EndpointDelivery.objects.filter(endpoint=_endpoint(endpoint_id))
    if asked.state is not None:
        found = found.filter(state=asked.state)
    return page(found.select_related("event"), asked, descending=True)


@router.get(
    "/endpoints/{int:endpoint_id}/deliveries/{int:delivery_id}",
    response=DeliveryOut,
    summary="Get a delivery",
)
@needs(Scope.READ, rule="endpoint.view")
def get_delivery(request: ApiRequest, endpoint_id: int, delivery_id: int) -> EndpointDelivery:
    """One event on its way to the endpoint, and what came of the last attempt."""
    return _delivery(endpoint_id, delivery_id)


@router.post(
    "/endpoints/{int:endpoint_id}/deliveries/{int:delivery_id}/send-again",
    response={202: DeliveryOut},
    summary="Send an event again",
)
@needs(Scope.ADMIN, rule="endpoint.change")
@once
def send_again(request: ApiRequest, endpoint_id: int, delivery_id: int) -> Any:
    """The same event once more, under the same id for its receiver, as a delivery of its own."""
    again = endpoints.send_again(_delivery(endpoint_id, delivery_id), by=request.actor)
    return Status(202, again)


def _delivery(endpoint_id: int, delivery_id: int) -> EndpointDelivery:
    found = EndpointDelivery.objects.select_related("endpoint", "event", "workspace")
    return get_object_or_404(found, endpoint_id=endpoint_id, pk=delivery_id)


def _no_address(problem: outgoing.Unreachable) -> Problem:
    errors = [{"pointer": "/url", "detail": str(problem)}]
    return Problem("invalid_request", str(problem), errors=errors)
