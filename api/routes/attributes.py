"""Attributes: what they are called and of which type; changes for all profiles."""

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.choices import AttributeChangeState
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.schemas import Body, Page, Paging, Text, page
from config.kept_queries import one_or_404
from segments import attribute_changes, attributes
from segments.conversion import read_typed, typed
from segments.models import Attribute, AttributeChange, AttributeType

router = Router()


class AttributeOut(Schema):
    id: int = Field(examples=[9])
    name: str = Field(
        description="Its key in profiles and rules; it never changes.", examples=["City"]
    )
    label: str = Field(description="What people call it.", examples=["City"])
    type: AttributeType = Field(examples=["text"])
    format: str = Field(description="How its source writes dates or lists.", examples=[""])
    source_id: int | None = Field(description="The source that fills it.", examples=[3])


class AttributeLabel(Body):
    label: Text = Field(min_length=1, max_length=255, examples=["Town"])


class AttributeKind(Body):
    type: AttributeType = Field(examples=["date"])
    format: Text = Field(
        "",
        description="Of a date: `%d/%m/%Y` …; of a list: `;`, `|`, `,` or `json`.",
        examples=["%d/%m/%Y"],
    )
    empties: bool = Field(False, description="Empty the values that do not convert.")


class AttributeChangeOut(Schema):
    id: int = Field(examples=[5])
    attribute_id: int | None = Field(description="Null once it is removed.", examples=[9])
    name: str = Field(examples=["City"])
    removes: bool
    type: str = Field(examples=["date"])
    state: AttributeChangeState = Field(examples=["succeeded"])
    reason: str = Field(description="Why it failed, and what to do.", examples=[""])
    values: int = Field(description="Profiles with a value.", examples=[2000])
    changed: int = Field(description="Profiles written to.", examples=[2000])
    failing: int = Field(description="Values that do not convert.", examples=[0])
    created_at: datetime
    finished_at: datetime | None

    @staticmethod
    def resolve_reason(change: AttributeChange) -> str:
        return attribute_changes.explanation(change)


def attribute_of(pk: int) -> Attribute:
    return one_or_404(Attribute, "workspace", pk=pk)


def read_kind(kind: AttributeType, form: str) -> tuple[str, str]:
    """The type with the way of writing that it has; of another type’s way, its usual one."""
    known = form if typed(kind, form).endswith(f":{form}") else ""
    return read_typed(f"{kind}:{known}") or (kind, "")


@router.get("/attributes", response=Page[AttributeOut], summary="List attributes")
@needs(Scope.READ, rule="attribute.view")
def list_attributes(request: ApiRequest, asked: Query[Paging]) -> dict[str, Any]:
    """The typed fields of the workspace’s profiles."""
    return page(Attribute.objects.all(), asked)


@router.get("/attributes/{int:attribute_id}", response=AttributeOut, summary="Get an attribute")
@needs(Scope.READ, rule="attribute.view")
def get_attribute(request: ApiRequest, attribute_id: int) -> Attribute:
    """One attribute."""
    return attribute_of(attribute_id)


@router.patch(
    "/attributes/{int:attribute_id}", response=AttributeOut, summary="Rename an attribute"
)
@needs(Scope.WRITE, rule="attribute.change")
def rename_attribute(request: ApiRequest, attribute_id: int, body: AttributeLabel) -> Attribute:
    """What people call the attribute; rules and profiles keep its `name`."""
    attribute = attribute_of(attribute_id)
    attributes.rename(attribute, body.label, by=request.actor)
    return attribute


@router.post(
    "/attributes/{int:attribute_id}/type",
    response={200: AttributeOut, 202: AttributeChangeOut},
    summary="Change an attribute’s type",
)
@needs(Scope.WRITE, rule="attribute.change")
@once
def change_attribute_type(request: ApiRequest, attribute_id: int, body: AttributeKind) -> Any:
    """Converts every profile’s value, by a worker: 202 with the change to watch.

    Where only the way of writing changes, it is done at once: 200. A change that would break a
    segment or an export is refused, naming it.
    """
    attribute = attribute_of(attribute_id)
    kind, form = read_kind(body.type, body.format)
    change = attributes.request_change(
        attribute, kind, form, empties=body.empties, by=request.actor
    )
    return Status(200, attribute_of(attribute_id)) if change is None else Status(202, change)


@router.delete(
    "/attributes/{int:attribute_id}",
    response={202: AttributeChangeOut},
    summary="Remove an attribute",
)
@needs(Scope.WRITE, rule="attribute.change")
def remove_attribute(request: ApiRequest, attribute_id: int) -> Any:
    """Removes the attribute from every profile, by a worker. Refused while something uses it."""
    return Status(202, attributes.request_removal(attribute_of(attribute_id), by=request.actor))


@router.get(
    "/attribute-changes/{int:change_id}",
    response=AttributeChangeOut,
    summary="Get a change of an attribute",
)
@needs(Scope.READ, rule="attribute.view")
def get_attribute_change(request: ApiRequest, change_id: int) -> AttributeChange:
    """How far a new type or a removal is."""
    found = AttributeChange.objects.select_related("attribute__workspace")
    return get_object_or_404(found, pk=change_id)
