"""Profiles: looked up and erased."""

from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema, Status

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.routes.erasures import ErasureOut
from api.schemas import MOST, Body, Page, Paging, Reference, Text, cursor, read_cursor
from config.kept_queries import one_or_404
from exports import fates
from segments import erasures, profile_search
from segments.history import belongings_of
from segments.models import Profile

router = Router()
MOST_ADDRESSES = 50
VALUES = {"FirstName": "Ada", "City": "Barcelona", "LastOrder": "2026-10-03"}


class ProfileOut(Schema):
    id: int = Field(examples=[120934])
    key: str = Field(examples=["C-1815"])
    attributes: dict[str, Any] = Field(
        description="Values by attribute name: text, number, yes/no as JSON’s; dates as"
        " `YYYY-MM-DD`, moments in UTC as `YYYY-MM-DDTHH:MM:SSZ`. What is empty is not there.",
        examples=[VALUES],
    )
    created_at: datetime
    updated_at: datetime = Field(description="When a value last changed.")


class ProfileDetail(ProfileOut):
    segments: list[Reference] = Field(description="The segments that it is a member of.")

    @staticmethod
    def resolve_segments(profile: Profile) -> list[dict[str, Any]]:
        segments = (one.segment for one in belongings_of(profile))
        return [{"id": one.pk, "name": one.name} for one in segments]


class ProfileFilter(Paging):
    q: Text = Field(
        "",
        max_length=200,
        description="The beginning of a key, an address or a name.",
        examples=["ada@example.com"],
    )
    key: Text | None = Field(None, max_length=255, description="Exactly this key.")


class EraseIn(Body):
    addresses: list[Text] | None = Field(
        None,
        max_length=MOST_ADDRESSES,
        description="The person’s e-mail addresses; left out: those that seem to be theirs.",
        examples=[["ada@example.com"]],
    )
    delete_at_provider: bool = Field(
        False, description="Delete the contact at Constant Contact, too."
    )


class AddressOut(Schema):
    address: str = Field(examples=["ada@example.com"])
    is_theirs: bool = Field(
        description="Whether it is erased unless the request names others.", examples=[True]
    )
    others: int = Field(description="Other profiles that have it, 20 at most.", examples=[0])

    @staticmethod
    def resolve_others(address: erasures.Address) -> int:
        return len(address.others)


class ForeseenOut(Schema):
    """What erasing the person would do; nothing has happened yet."""

    addresses: list[AddressOut]
    segments: list[Reference] = Field(description="Those that the person is a member of.")
    naming_rules: list[Reference] = Field(
        description="Segments whose rules name the person: change them yourself."
    )
    kept_files: int = Field(description="Files that may name them, and are deleted.", examples=[0])
    waiting_files: int = Field(description="Files that are deleted once loaded.", examples=[0])

    @staticmethod
    def resolve_segments(foreseen: erasures.Foreseen) -> list[dict[str, Any]]:
        return [{"id": one.pk, "name": one.name} for one in foreseen.segments]

    @staticmethod
    def resolve_naming_rules(foreseen: erasures.Foreseen) -> list[dict[str, Any]]:
        return [{"id": one.pk, "name": one.name} for one in foreseen.naming_rules]


class FateInExport(Schema):
    destination: Reference
    run: int = Field(description="The export’s last run.", examples=[17])
    at: datetime
    fate: str = Field(
        description="`sent`, `held` from before, `sent_later`, `left_out` or `not_in_run`.",
        examples=["sent"],
    )
    reason: str = Field(description="Why it was left out.", examples=[""])


@router.get("/profiles", response=Page[ProfileOut], summary="Search profiles")
@needs(Scope.PEOPLE, rule="profile.view")
def list_profiles(request: ApiRequest, asked: Query[ProfileFilter]) -> dict[str, Any]:
    """Profiles by key, by what their keys begin with, or by an address or a name.

    A search looks at part of the profiles at a time: a page may hold few, or none, and still have
    a `next`. It is over when `next` is null.
    """
    if asked.key is not None:
        return {"items": list(Profile.objects.filter(key=asked.key)), "next": None}
    after, looked_at = read_cursor(asked.after, str, int) if asked.after else ("", 0)
    found = profile_search.find(
        request.workspace,
        asked.q,
        after=after,
        looked_at=max(0, min(looked_at, 2**53)),
        most=min(asked.limit, MOST),
    )
    onward = cursor(found.after, found.looked_at) if found.after else None
    return {"items": found.profiles, "next": onward}


@router.get("/profiles/{int:profile_id}", response=ProfileDetail, summary="Get a profile")
@needs(Scope.PEOPLE, rule="profile.view")
def get_profile(request: ApiRequest, profile_id: int) -> Profile:
    """One profile with its values and the segments it is in."""
    return one_or_404(Profile, pk=profile_id)


@router.get(
    "/profiles/{int:profile_id}/exports",
    response=Page[FateInExport],
    summary="List where a profile was sent",
)
@needs(Scope.PEOPLE, rule="profile.view")
def list_profile_exports(request: ApiRequest, profile_id: int) -> dict[str, Any]:
    """What the last run of each export did with it."""
    profile = one_or_404(Profile, pk=profile_id)
    found = [
        {
            "destination": {"id": run.destination_id, "name": run.destination.name},
            "run": run.pk,
            "at": run.created_at,
            "fate": fate.name,
            "reason": fate.reason,
        }
        for run, fate in fates.latest(profile)
    ]
    return {"items": found, "next": None}


@router.get(
    "/profiles/{int:profile_id}/erasure", response=ForeseenOut, summary="Foresee an erasure"
)
@needs(Scope.PEOPLE, rule="profile.erase")
def foresee_erasure(request: ApiRequest, profile_id: int) -> erasures.Foreseen:
    """What erasing the person would do, and which addresses seem theirs: read it first."""
    profile = one_or_404(Profile, "workspace", pk=profile_id)
    return erasures.foresee(profile)


@router.post(
    "/profiles/{int:profile_id}/erase", response={202: ErasureOut}, summary="Erase a person"
)
@needs(Scope.WRITE, rule="profile.erase")
@once
def erase_profile(request: ApiRequest, profile_id: int, body: EraseIn) -> Any:
    """Erases the person for good: the profile is gone at once, and no source brings it back.

    What is left to do, at Constant Contact for instance, goes on and is told by the erasure. Needs
    an Administrator’s token.
    """
    profile = one_or_404(Profile, "workspace", pk=profile_id)
    erasure = erasures.erase(
        profile,
        by=request.actor,
        addresses=body.addresses,
        delete_at_provider=body.delete_at_provider,
    )
    return Status(202, erasure)
