"""What is counted of segments when somebody asks: their rules one by one, and how they overlap."""

from typing import Any

from ninja import Field, Query, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.problems import Problem
from api.routes.segments import segment_of
from api.rules_document import RULES
from api.schemas import Id
from segments import overlap
from segments.models import Segment
from segments.rule_counts import count_rules
from segments.rule_sentence import sentence
from segments.rule_tree import write
from segments.selectors import words

router = Router()


class RuleCountOut(Schema):
    rule: str = Field(description="In words.", examples=["City is Barcelona"])
    found: int = Field(description="Profiles that meet it by itself.", examples=[2100])
    kept: int = Field(description="In after it and all those above.", examples=[1990])


class RuleCountsOut(Schema):
    match: str = Field(description="Of the outermost group.", examples=["all"])
    profiles: int = Field(examples=[20_000])
    rules: list[RuleCountOut]


class OverlapFilter(Schema):
    segment: list[Id] = Field(
        min_length=2,
        max_length=overlap.MOST,
        description="Two or three segments, no drafts.",
        examples=[[7, 8]],
    )


class PartOut(Schema):
    """Who is in just these of the segments."""

    inside: list[int] = Field(description="Ids of those.", examples=[[7]])
    size: int = Field(examples=[1200])
    name: str = Field(examples=["Newsletter readers, not Buyers"])
    rules: dict[str, Any] = Field(
        description="Make a segment of the part with them.", json_schema_extra=RULES
    )


class OverlapOut(Schema):
    total: int = Field(description="Who is in any of them.", examples=[1990])
    parts: list[PartOut] = Field(description="The largest first.")


@router.get(
    "/segments/{int:segment_id}/rule-counts",
    response=RuleCountsOut,
    summary="Count a segment’s rules",
)
@needs(Scope.READ, rule="segment.view")
def count_segment_rules(request: ApiRequest, segment_id: int) -> dict[str, Any]:
    """How many profiles each of its outermost rules finds now, and how many are left after it."""
    segment = segment_of(segment_id)
    counted = count_rules(request.workspace, segment.rules)
    labels, names = words()
    rules = [
        {
            "rule": sentence(write(one.rule), labels, names),
            "found": one.found,
            "kept": one.kept,
        }
        for one in counted.rules
    ]
    return {"match": counted.match, "profiles": counted.profiles, "rules": rules}


@router.get("/segments/overlap", response=OverlapOut, summary="Compare segments")
@needs(Scope.READ, rule="segment.view")
def compare_segments(request: ApiRequest, asked: Query[OverlapFilter]) -> dict[str, Any]:
    """How two or three segments overlap, as of their last refreshes, part by part."""
    chosen = [segment_of(pk) for pk in dict.fromkeys(asked.segment)]
    if len(chosen) < 2 or any(one.state == Segment.State.DRAFT for one in chosen):
        raise Problem("refused", "Name two or three different segments, none of them a draft.")
    found = overlap.overlap(chosen)
    parts = [
        {
            "inside": [one.pk for one, there in zip(chosen, part.inside, strict=True) if there],
            "size": part.size,
            "name": overlap.name_for(chosen, part.number),
            "rules": overlap.rules(chosen, part.number),
        }
        for part in found.parts
    ]
    return {"total": found.total, "parts": parts}
