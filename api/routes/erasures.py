"""Erasures: of addresses without a profile, how far each is, and letting somebody back in."""

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.schemas import Body, Page, Paging, Reference, Text, page
from config.kept_queries import one_or_404
from exports import erased_at_provider
from exports.models import ErasurePlace
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


class PlaceOut(Schema):
    """An account where the person is to be taken off lists, or deleted."""

    id: int = Field(examples=[3])
    account: str = Field(examples=["Harbour Books"])
    lists: list[str] = Field(examples=[["Newsletter"]])
    deletes_contact: bool = Field(description="Or else takes them off the lists only.")
    done_at: datetime | None
    waits_for: str = Field(description="Why it is not done yet.", examples=[""])
    next_look_at: datetime

    @staticmethod
    def resolve_account(place: ErasurePlace) -> str:
        return str(place)

    @staticmethod
    def resolve_lists(place: ErasurePlace) -> list[str]:
        return [one["name"] for one in place.lists]

    @staticmethod
    def resolve_waits_for(place: ErasurePlace) -> str:
        return place.reason


class ErasureDetail(ErasureOut):
    places: list[PlaceOut] = Field(description="Where it is, or was, still to be done.")

    @staticmethod
    def resolve_places(erasure: Erasure) -> list[ErasurePlace]:
        return list(ErasurePlace.objects.filter(erasure=erasure).order_by("pk"))


class WantedAddress(Body):
    address: Text = Field(min_length=1, max_length=254, examples=["ada@example.com"])


class KnownOut(Schema):
    """What erasing an address would find."""

    holders: list[Reference] = Field(
        description="Profiles that have it: erase those.", examples=[[]]
    )
    was_erased: bool = Field(description="Whether it was erased before.")
    suppressed: int = Field(examples=[0])
    on_lists: int = Field(description="Static segments’ entries.", examples=[1])
    in_refused_rows: int = Field(examples=[0])
    naming_rules: list[Reference] = Field(
        description="Segments whose rules name it: change them yourself.", examples=[[]]
    )
    kept_files: int = Field(description="Files that may name it, and are deleted.", examples=[0])
    waiting_files: int = Field(description="Files that are deleted once loaded.", examples=[0])

    @staticmethod
    def resolve_holders(foreseen: address_erasures.Foreseen) -> list[dict[str, Any]]:
        return [{"id": pk, "name": key} for key, pk in foreseen.holders]

    @staticmethod
    def resolve_naming_rules(foreseen: address_erasures.Foreseen) -> list[dict[str, Any]]:
        return [{"id": one.pk, "name": one.name} for one in foreseen.naming_rules]


class EraseAddressIn(WantedAddress):
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


@router.post("/erasures/foresee", response=KnownOut, summary="Foresee an address’s erasure")
@needs(Scope.PEOPLE, rule="profile.erase")
def foresee_address_erasure(request: ApiRequest, body: WantedAddress) -> address_erasures.Foreseen:
    """What is known here of an address without a profile; nothing has happened yet.

    Needs an Administrator’s token.
    """
    return address_erasures.foresee(request.workspace, body.address)


@router.get("/erasures", response=Page[ErasureOut], summary="List erasures")
@needs(Scope.READ, rule="profile.erase")
def list_erasures(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """Who was erased, the last first, without who they were. Needs an Administrator’s token."""
    return page(Erasure.objects.all(), asked, descending=True)


@router.get("/erasures/{int:erasure_id}", response=ErasureDetail, summary="Get an erasure")
@needs(Scope.READ, rule="profile.erase")
def get_erasure(request: ApiRequest, erasure_id: int) -> Erasure:
    """How far an erasure is. Needs an Administrator’s token."""
    return one_or_404(Erasure, pk=erasure_id)


@router.post("/erasures/{int:erasure_id}/lift", response=ErasureOut, summary="Lift an erasure")
@needs(Scope.WRITE, rule="profile.erase")
def lift_erasure(request: ApiRequest, erasure_id: int) -> Erasure:
    """Lets a source bring the person back from now on. Needs an Administrator’s token."""
    erasure = one_or_404(Erasure, "workspace", pk=erasure_id)
    erasures.lift(erasure, by=request.actor)
    erasure.refresh_from_db()
    return erasure


@router.post(
    "/erasures/{int:erasure_id}/places/{int:place_id}/done",
    response=ErasureDetail,
    summary="Say that an erasure is done by hand",
)
@needs(Scope.WRITE, rule="profile.erase")
def settle_erasure_by_hand(request: ApiRequest, erasure_id: int, place_id: int) -> Erasure:
    """Somebody has taken the person off in the account itself: no more is tried there."""
    places = ErasurePlace.objects.select_related("erasure__workspace", "workspace")
    place = get_object_or_404(places, erasure_id=erasure_id, pk=place_id)
    erased_at_provider.settle_by_hand(place, by=request.actor)
    return one_or_404(Erasure, pk=erasure_id)
