"""What a connection's account at Constant Contact offers exports: lists and custom fields."""

from typing import Any

from ninja import Field, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.routes.connections import connection_of
from api.schemas import Page
from exports import custom_fields, lists
from workspaces.permissions import require

router = Router()


class ListOut(Schema):
    id: str = Field(examples=["11111111-2222-3333-4444-555555555555"])
    name: str = Field(examples=["Newsletter"])
    members: int | None = Field(examples=[1990])


class CustomFieldOut(Schema):
    field: str = Field(description="Its name in a data matching.", examples=["cf:loyalty_tier"])
    label: str = Field(examples=["Loyalty tier"])
    is_date: bool = Field(description="Whether it takes dates alone.", examples=[False])


@router.get(
    "/connections/{int:connection_id}/lists",
    response=Page[ListOut],
    summary="List an account’s lists",
)
@needs(Scope.READ, rule="destination.create")
def list_lists(request: ApiRequest, connection_id: int) -> dict[str, Any]:
    """The account’s lists, as Constant Contact told them at most a minute ago."""
    connection = connection_of(request, connection_id)
    require(request.membership, "connection.use", connection)
    return {"items": lists.lists_of(connection), "next": None}


@router.get(
    "/connections/{int:connection_id}/custom-fields",
    response=Page[CustomFieldOut],
    summary="List an account’s custom fields",
)
@needs(Scope.READ, rule="destination.create")
def list_custom_fields(request: ApiRequest, connection_id: int) -> dict[str, Any]:
    """What data matching may feed besides the usual fields, as told at most a minute ago."""
    connection = connection_of(request, connection_id)
    require(request.membership, "connection.use", connection)
    found = [
        {"field": one.target, "label": one.label, "is_date": one.is_date}
        for one in custom_fields.custom_fields_of(connection)
    ]
    return {"items": found, "next": None}
