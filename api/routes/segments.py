"""Segments: their rules, their lives, who is in them."""

from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api import etags
from api.choices import SegmentKind, SegmentRefreshState, SegmentState
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import checks_version, needs, once, require_scope, versioned
from api.problems import Problem
from api.routes.profiles import ProfileOut
from api.rules_document import RULES
from api.schemas import Body, Name, Page, Paging, Text, page
from segments import preview, segment_services, segment_states, static_segments, tags
from segments.models import Segment
from segments.rule_sentence import sentence
from segments.selectors import words

router = Router()
MOST_TAGS = 50


class SegmentOut(Schema):
    id: int = Field(examples=[7])
    name: str = Field(examples=["Newsletter readers"])
    description: str = Field(examples=["Everyone in Barcelona with an address"])
    kind: SegmentKind = Field(examples=["dynamic"])
    state: SegmentState = Field(examples=["active"])
    tags: list[str] = Field(examples=[["newsletter"]])
    rules: dict[str, Any] = Field(json_schema_extra=RULES)
    sentence: str = Field(description="The rules in words.", examples=["All of: City is Barcelona"])
    member_count: int = Field(description="As of the last refresh.", examples=[1990])
    refresh_state: SegmentRefreshState = Field(examples=["succeeded"])
    refresh_reason: str = Field(description="Why the last refresh failed.", examples=[""])
    refreshed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @staticmethod
    def resolve_sentence(segment: Segment) -> str:
        return sentence(segment.rules, *words(), most_values=None)


class SegmentIn(Body):
    name: Name = Field(examples=["Newsletter readers"])
    description: Text = Field("", examples=["Everyone in Barcelona with an address"])
    rules: dict[str, Any] = Field(json_schema_extra=RULES)
    draft: bool = Field(False, description="Keep it as a draft, whose rules may make no sense yet.")
    tags: list[Text] = Field([], max_length=MOST_TAGS, examples=[["newsletter"]])


class SegmentChange(Body):
    """What is left out stays as it is."""

    name: Name | None = Field(None, examples=["Newsletter readers"])
    description: Text | None = Field(None, examples=["Everyone with an address"])
    rules: dict[str, Any] | None = Field(None, json_schema_extra=RULES)
    state: Literal["active", "inactive"] | None = Field(
        None, description="`active`: refreshed, at once and from now on. `inactive`: it rests."
    )
    tags: list[Text] | None = Field(None, max_length=MOST_TAGS, examples=[["newsletter"]])
    attribute: Text | None = Field(
        None,
        max_length=255,
        description="Of a static segment: what its entries are values of; empty: profiles’ keys.",
        examples=[None],
    )


class PreviewIn(Body):
    rules: dict[str, Any] = Field(json_schema_extra=RULES)
    exact: bool = Field(True, description="False: about, and in a moment, of however many.")
    sample: bool = Field(False, description="Show some of them; needs the scope `people`, too.")


class PreviewOut(Schema):
    count: int = Field(description="How many the rules find now.", examples=[1990])
    of: int = Field(description="Of so many profiles.", examples=[2000])
    margin: int = Field(description="0: exact. Else the count is about so many off.", examples=[0])
    sample: list[ProfileOut]


class SegmentFilter(Paging):
    q: Text = Field("", description="Part of the name.", examples=["news"])
    state: SegmentState | None = Field(None, description="In this state only.")
    kind: SegmentKind | None = Field(None, description="Of this kind only.")
    tag: Text = Field("", description="With this tag only.", examples=["newsletter"])


def _segments() -> QuerySet[Segment]:
    return Segment.objects.select_related("workspace")


def segment_of(pk: int) -> Segment:
    return get_object_or_404(_segments(), pk=pk)


@router.get("/segments", response=Page[SegmentOut], summary="List segments")
@needs(Scope.READ, rule="segment.view")
def list_segments(request: ApiRequest, asked: Query[SegmentFilter]) -> dict[str, Any]:
    """The workspace’s segments, in the order in which they were made."""
    found = _segments()
    if asked.q:
        found = found.filter(name__icontains=asked.q)
    if asked.state is not None:
        found = found.filter(state=asked.state)
    if asked.kind is not None:
        found = found.filter(kind=asked.kind)
    if asked.tag:
        found = found.filter(tags__contains=[asked.tag])
    return page(found, asked)


@router.post("/segments", response={201: SegmentOut}, summary="Create a segment")
@needs(Scope.WRITE, rule="segment.change")
@once
def create_segment(request: ApiRequest, body: SegmentIn) -> Any:
    """Makes a segment of everyone whom the rules find, and refreshes it."""
    with transaction.atomic():
        segment = segment_services.create_segment(
            request.workspace,
            body.name,
            body.rules,
            request.actor,
            body.description,
            is_draft=body.draft,
        )
        if body.tags:
            tags.set_tags(segment, body.tags, by=request.actor)
        if segment.is_active:
            segment_services.request_refresh(segment)
    return Status(201, segment_of(segment.pk))


@router.post("/segments/preview", response=PreviewOut, summary="Preview rules")
@needs(Scope.READ, rule="segment.change")
def preview_rules(request: ApiRequest, body: PreviewIn) -> dict[str, Any]:
    """How many profiles rules find now; nothing is kept.

    It is given ten seconds: what takes longer is answered with 503 `too_slow`.
    """
    if body.sample:
        require_scope(request, Scope.PEOPLE)
    look = (preview.look if body.exact else preview.glance)(request.workspace, body.rules)
    sample = look.sample if body.sample else []
    return {"count": look.count, "of": look.of, "margin": look.margin, "sample": sample}


@router.get("/segments/{int:segment_id}", response=SegmentOut, summary="Get a segment")
@needs(Scope.READ, rule="segment.view")
@versioned
def get_segment(request: ApiRequest, segment_id: int) -> Segment:
    """One segment. Its ETag in `If-Match` makes a change that overwrites nobody’s."""
    segment = segment_of(segment_id)
    request.version = etags.version_of(segment.updated_at)
    return segment


@router.patch("/segments/{int:segment_id}", response=SegmentOut, summary="Change a segment")
@needs(Scope.WRITE, rule="segment.change")
@versioned
@checks_version
def change_segment(request: ApiRequest, segment_id: int, body: SegmentChange) -> Segment:
    """Changes what the request names; other rules are refreshed at once.

    With `If-Match`, only as long as the segment’s configuration is that of the ETag.
    """
    with transaction.atomic():
        segment_services.wait_for_other_changes(request.workspace)
        segment = segment_of(segment_id)
        etags.require_version(request, segment.updated_at)
        _change(request, segment, body)
        segment = segment_of(segment_id)
    request.version = etags.version_of(segment.updated_at)
    return segment


def _change(request: ApiRequest, segment: Segment, body: SegmentChange) -> None:
    if body.rules is not None and segment.is_static:
        raise Problem("refused", "A static segment’s rules are its list. Change its entries.")
    if body.attribute is not None and not segment.is_static:
        raise Problem("refused", "Only a static segment’s list has an attribute.")
    if any(one is not None for one in (body.rules, body.description, body.attribute)):
        _rewrite(request, segment, body)
    elif body.name is not None:
        segment_services.rename_segment(segment, body.name, by=request.actor)
    if body.tags is not None:
        tags.set_tags(segment, body.tags, by=request.actor)
    if body.state == "active":
        segment_states.activate(segment, by=request.actor)
    elif body.state == "inactive":
        segment_states.deactivate(segment, by=request.actor)
    elif not (body.rules is None and body.attribute is None) and segment.is_active:
        segment_services.request_refresh(segment)


def _rewrite(request: ApiRequest, segment: Segment, body: SegmentChange) -> None:
    name = segment.name if body.name is None else body.name.strip()
    description = segment.description if body.description is None else body.description
    if segment.is_static:
        if body.attribute is not None:
            static_segments.describe(
                segment,
                name=name,
                description=description,
                listed_by=body.attribute,
                by=request.actor,
            )
            return
        segment.name, segment.description = name, description
        segment_services.save(segment, "segment.changed", request.actor)
        return
    segment_services.change_segment(
        segment,
        name=name,
        rules=segment.rules if body.rules is None else body.rules,
        description=description,
        by=request.actor,
        is_draft=segment.is_draft and body.state != "active",
    )


@router.delete("/segments/{int:segment_id}", response={204: None}, summary="Delete a segment")
@needs(Scope.WRITE, rule="segment.delete")
@checks_version
def delete_segment(request: ApiRequest, segment_id: int) -> Any:
    """Deletes a segment with its history. Refused while something uses it, naming what."""
    with transaction.atomic():
        segment_services.wait_for_other_changes(request.workspace)
        segment = segment_of(segment_id)
        etags.require_version(request, segment.updated_at)
        segment_services.delete_segment(segment, by=request.actor)
    return Status(204, None)


@router.post(
    "/segments/{int:segment_id}/refresh", response={202: SegmentOut}, summary="Refresh a segment"
)
@needs(Scope.RUN, rule="segment.refresh")
@once
def refresh_segment(request: ApiRequest, segment_id: int) -> Any:
    """Finds its members anew, by a worker."""
    segment_services.request_refresh(segment_of(segment_id), by=request.actor)
    return Status(202, segment_of(segment_id))


@router.post(
    "/segments/{int:segment_id}/duplicate",
    response={201: SegmentOut},
    summary="Duplicate a segment",
)
@needs(Scope.WRITE, rule="segment.change")
@once
def duplicate_segment(request: ApiRequest, segment_id: int) -> Any:
    """A copy under a name of its own."""
    copy = segment_services.duplicate_segment(segment_of(segment_id), by=request.actor)
    if copy.is_active:
        segment_services.request_refresh(copy)
    return Status(201, segment_of(copy.pk))
