"""Who was taken off an export's list at Constant Contact, and putting them back."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from ninja import Field, Query, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.schemas import Body, Page, Paging, Text, page
from exports import taken_off
from exports.models import OptOut
from exports.views.objects import destination_of

router = Router()
MOST_ADDRESSES = 10_000


class TakenOffOut(Schema):
    address: str = Field(examples=["ada@example.com"])
    since: datetime


class PutBackIn(Body):
    addresses: list[Text] = Field(
        min_length=1, max_length=MOST_ADDRESSES, examples=[["ada@example.com"]]
    )


class PutBackOut(Schema):
    put_back: int = Field(examples=[1])


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
