"""Suppressions: addresses that no export of the workspace sends."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpResponseBase
from ninja import Field, Query, Router, Schema

from api.choices import SuppressionOrigin
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import blocks, needs, takes_file
from api.schemas import Body, Page, Paging, Text, page
from api.streams import ROWS_AT_ONCE, Form, stream
from segments import suppressions
from segments.models import Suppression
from workspaces import audit

router = Router()
MOST_ADDRESSES = 10_000
FIELDS = ("address", "reason", "origin", "added_at")


class SuppressionOut(Schema):
    address: str = Field(examples=["ada@example.com"])
    reason: str = Field(examples=["Asked us by telephone"])
    origin: SuppressionOrigin = Field(examples=["member"])
    added_at: datetime


class Addresses(Body):
    addresses: list[Text] = Field(
        min_length=1, max_length=MOST_ADDRESSES, examples=[["ada@example.com"]]
    )


class NewSuppressions(Addresses):
    reason: Text = Field("", max_length=200, examples=["Asked us by telephone"])


class Refused(Schema):
    line: int = Field(examples=[3])
    text: str = Field(examples=["no address"])


class Added(Schema):
    found: int = Field(description="Addresses in the request.", examples=[2])
    added: int = Field(description="Of them, those new to the list.", examples=[1])
    known: int = Field(description="Those on it already.", examples=[1])
    refused: int = Field(description="Lines without an address.", examples=[0])
    first_refused: list[Refused]

    @staticmethod
    def resolve_first_refused(added: suppressions.Added) -> list[dict[str, Any]]:
        return [{"line": number, "text": text} for number, text in added.first_refused]


class Removed(Schema):
    removed: int = Field(examples=[1])


class SuppressionFilter(Paging):
    q: Text = Field("", description="What the address begins with.", examples=["ada@"])


class Reason(Schema):
    reason: Text = Field("", max_length=200, description="Kept with each of them.")


@router.get("/suppressions", response=Page[SuppressionOut], summary="List suppressions")
@needs(Scope.PEOPLE, rule="suppression.view")
def list_suppressions(request: ApiRequest, asked: Query[SuppressionFilter]) -> dict[str, Any]:
    """The addresses that no export sends, in their order."""
    found = Suppression.objects.all()
    if asked.q:
        found = found.filter(address__startswith=asked.q.strip().lower())
    return page(found, asked, by="address", kind=str)


@router.get("/suppressions.{form}", summary="Download suppressions")
@needs(Scope.PEOPLE, rule="suppression.view")
def stream_suppressions(request: ApiRequest, form: Form) -> HttpResponseBase:
    """The whole list, streamed as JSON Lines (`jsonl`) or `csv`."""
    audit.record(
        request.workspace, "suppression.downloaded", actor=request.actor, target=request.workspace
    )
    return stream(request.workspace, form, "suppressions", FIELDS, _all())


def _all() -> Iterator[dict[str, Any]]:
    found = Suppression.objects.order_by("address").values(*FIELDS)
    yield from found.iterator(chunk_size=ROWS_AT_ONCE)


@router.post("/suppressions", response=Added, summary="Add suppressions")
@needs(Scope.WRITE, rule="suppression.change")
def add_suppressions(request: ApiRequest, body: NewSuppressions) -> suppressions.Added:
    """Adds addresses. Those on the list already stay as they are, so it may be repeated."""
    text = "\n".join(" ".join(one.split()) for one in body.addresses)
    return suppressions.add_text(request.workspace, text, reason=body.reason, by=request.actor)


@router.post("/suppressions/file", response=Added, summary="Add suppressions from a file")
@needs(Scope.WRITE, rule="suppression.change")
@takes_file
def add_suppression_file(request: ApiRequest, asked: Query[Reason]) -> suppressions.Added:
    """Adds the first address of every line of the text file in the body."""
    return suppressions.add_file(
        request.workspace, blocks(request), reason=asked.reason, by=request.actor
    )


@router.post("/suppressions/remove", response=Removed, summary="Remove suppressions")
@needs(Scope.WRITE, rule="suppression.change")
def remove_suppressions(request: ApiRequest, body: Addresses) -> dict[str, int]:
    """Lets these addresses be sent again."""
    addresses = [one.strip().lower() for one in body.addresses]
    return {"removed": suppressions.remove(request.workspace, addresses, by=request.actor)}
