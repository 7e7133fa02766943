"""What profiles have in an attribute, and what would become of it under another type."""

from typing import Any

from django.conf import settings
from ninja import Field, Query, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, require_scope
from api.routes.attributes import AttributeType, attribute_of, read_kind
from api.schemas import Body, Text
from segments import attribute_changes, attribute_uses
from segments.attribute_facts import facts
from segments.suggestions import suggest

router = Router()
SHOWN = 10


class ValueOut(Schema):
    value: str = Field(examples=["Barcelona"])
    profiles: int = Field(description="So many of those looked at have it.", examples=[1200])


class UseOut(Schema):
    name: str = Field(examples=["Newsletter readers"])
    page: str = Field(examples=["https://segue.example.com/w/harbour-books/data/segments/7/"])


class FactsOut(Schema):
    looked_at: int = Field(examples=[2000])
    is_sample: bool = Field(description="Whether there are more profiles than were looked at.")
    filled: int = Field(description="So many of them have a value.", examples=[1990])
    values: list[ValueOut] = Field(description="Those met most often.")
    used_by: list[UseOut]


class ValuesFilter(Schema):
    q: Text = Field("", max_length=80, description="Part of the value.", examples=["bar"])


class ValuesOut(Schema):
    looked_at: int = Field(examples=[2000])
    of: int = Field(description="So many profiles there are.", examples=[2000])
    values: list[ValueOut] = Field(description="The most frequent first; about so many of all.")


class KindIn(Body):
    type: AttributeType = Field(examples=["date"])
    format: Text = Field("", examples=["%d/%m/%Y"])
    sample: bool = Field(False, description="Show some that do not convert; needs `people`, too.")


class ProblemOut(UseOut):
    reason: str = Field(examples=["“contains” is for text."])


class FailingOut(Schema):
    profile_id: int = Field(examples=[120934])
    profile_key: str = Field(examples=["C-1815"])
    value: str = Field(examples=["31/02/1990"])


class TypePreviewOut(Schema):
    values: int = Field(description="So many were tried.", examples=[2000])
    failing: int = Field(description="So many of them do not convert.", examples=[3])
    is_part: bool = Field(description="Whether there are more, or trying took too long.")
    problems: list[ProblemOut] = Field(description="What would not work any more.")
    examples: list[FailingOut]


@router.get(
    "/attributes/{int:attribute_id}/facts", response=FactsOut, summary="Get facts of an attribute"
)
@needs(Scope.PEOPLE, rule="attribute.view")
def get_attribute_facts(request: ApiRequest, attribute_id: int) -> dict[str, Any]:
    """How many profiles have it, with what most often, and what rests on it."""
    attribute = attribute_of(attribute_id)
    known = facts(request.workspace, [attribute], SHOWN)
    fact = known.by_name[attribute.name]
    return {
        "looked_at": known.looked_at,
        "is_sample": known.is_sample,
        "filled": fact.filled,
        "values": [_value(*one) for one in fact.values],
        "used_by": [_use(one) for one in attribute_uses.of(attribute)],
    }


@router.get("/attributes/{int:attribute_id}/values", response=ValuesOut, summary="Suggest values")
@needs(Scope.PEOPLE, rule="segment.change")
def suggest_values(
    request: ApiRequest, attribute_id: int, asked: Query[ValuesFilter]
) -> dict[str, Any]:
    """Values to use in rules, the most frequent first; none where it takes too long."""
    found = suggest(request.workspace, attribute_of(attribute_id).name, asked.q)
    values = [_value(*one) for one in found.values]
    return {"looked_at": found.looked_at, "of": found.of, "values": values}


@router.post(
    "/attributes/{int:attribute_id}/type/preview",
    response=TypePreviewOut,
    summary="Preview another type",
)
@needs(Scope.READ, rule="attribute.change")
def preview_attribute_type(request: ApiRequest, attribute_id: int, body: KindIn) -> dict[str, Any]:
    """What would become of the values under the type; nothing is changed."""
    if body.sample:
        require_scope(request, Scope.PEOPLE)
    attribute = attribute_of(attribute_id)
    found = attribute_changes.foresee(attribute, *read_kind(body.type, body.format))
    outcome = found.outcome
    examples = outcome.examples if outcome and body.sample else []
    return {
        "values": outcome.values if outcome else 0,
        "failing": outcome.failing if outcome else 0,
        "is_part": found.is_part,
        "problems": [{**_use(use), "reason": why} for use, why in found.problems],
        "examples": [
            {"profile_id": one.profile_id, "profile_key": one.key, "value": one.value}
            for one in examples
        ],
    }


def _value(value: str, profiles: int) -> dict[str, Any]:
    return {"value": value, "profiles": profiles}


def _use(use: attribute_uses.Use) -> dict[str, Any]:
    return {"name": use.label, "page": f"{settings.BASE_URL}{use.url}"}
