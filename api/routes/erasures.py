"""Erasures: of addresses without a profile, how far each is, and letting somebody back in."""

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.schemas import Body, Page, Paging, Text, page
from segments import address_erasures, erasures
from segments.models import Erasure

router = Router()


class ErasureOut(Schema):
    """An erasure knows no more who it was."""

    id: int = Field(examples=[2])
    delete_at_provider: bool
    asked_at: datetime
    finished_at: datetime | None = Field(description="When nothing was left to do.")
    lifted_at: datetime | None = Field(description="When the person was let back in.")


class EraseAddressIn(Body):
    address: Text = Field(min_length=1, max_length=254, examples=["ada@example.com"])
    delete_at_provider: bool = Field(
        False, description="Delete the contact at Constant Contact, too."
    )


@router.post("/erasures", response={202: ErasureOut}, summary="Erase an address")
@needs(Scope.WRITE, rule="profile.erase")
@once
def erase_address(request: ApiRequest, body: EraseAddressIn) -> Any:
    """Erases somebody who has no profile any more, but whom exports and lists still know.

    Whoever has a profile is erased by that: it is refused, naming it. Needs an Administrator’s
    token.
    """
    erasure = address_erasures.erase(
        request.workspace,
        body.address,
        by=request.actor,
        delete_at_provider=body.delete_at_provider,
    )
    return Status(202, erasure)


@router.get("/erasures", response=Page[ErasureOut], summary="List erasures")
@needs(Scope.READ, rule="profile.erase")
def list_erasures(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """Who was erased, the last first, without who they were. Needs an Administrator’s token."""
    return page(Erasure.objects.all(), asked, descending=True)


@router.get("/erasures/{int:erasure_id}", response=ErasureOut, summary="Get an erasure")
@needs(Scope.READ, rule="profile.erase")
def get_erasure(request: ApiRequest, erasure_id: int) -> Erasure:
    """How far an erasure is. Needs an Administrator’s token."""
    return get_object_or_404(Erasure, pk=erasure_id)


@router.post("/erasures/{int:erasure_id}/lift", response=ErasureOut, summary="Lift an erasure")
@needs(Scope.WRITE, rule="profile.erase")
def lift_erasure(request: ApiRequest, erasure_id: int) -> Erasure:
    """Lets a source bring the person back from now on. Needs an Administrator’s token."""
    erasure = get_object_or_404(Erasure.objects.select_related("workspace"), pk=erasure_id)
    erasures.lift(erasure, by=request.actor)
    erasure.refresh_from_db()
    return erasure
