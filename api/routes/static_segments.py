"""Static segments: made from a list, and the list changed."""

from typing import Any, Literal

from django.shortcuts import get_object_or_404
from ninja import Field, Query, Router, Schema, Status

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import blocks, needs, once, takes_file
from api.routes.segments import SegmentOut, segment_of
from api.schemas import Body, Name, Text
from segments import entries, segment_services, static_segments
from segments.models import Segment

router = Router()
MOST_ENTRIES = 10_000


class Listed(Body):
    entries: list[Text] = Field(
        min_length=1, max_length=MOST_ENTRIES, examples=[["C-1815", "C-1852"]]
    )


class StaticIn(Listed):
    name: Name = Field(examples=["Guests of the opening"])
    description: Text = Field("", examples=[""])
    attribute: Text = Field(
        "",
        max_length=255,
        description="What the entries are values of; empty: profiles’ keys.",
        examples=[""],
    )


class EntriesIn(Listed):
    how: Literal["add", "remove", "replace"] = Field(examples=["add"])


class How(Schema):
    how: Literal["add", "remove", "replace"] = Field("add", description="What becomes of the list.")


class RefusedEntry(Schema):
    line: int = Field(examples=[3])
    text: str = Field(examples=["?"])


class ChangedOut(Schema):
    given: int = Field(description="Values in the request.", examples=[2])
    repeated: int = Field(examples=[0])
    refused: int = Field(description="Values that can’t be an entry.", examples=[0])
    first_refused: list[RefusedEntry]
    added: int = Field(examples=[2])
    removed: int = Field(examples=[0])
    entries: int = Field(description="On the list now.", examples=[2])

    @staticmethod
    def resolve_first_refused(changed: static_segments.Changed) -> list[dict[str, Any]]:
        return [{"line": number, "text": text} for number, text in changed.first_refused]


@router.post("/segments/static", response={201: SegmentOut}, summary="Create a static segment")
@needs(Scope.WRITE, rule="segment.change")
@once
def create_static_segment(request: ApiRequest, body: StaticIn) -> Any:
    """A segment of exactly those on a list, by key or by another attribute, whether they are there
    yet or not.
    """
    segment, _changed = static_segments.create(
        request.workspace,
        name=body.name,
        description=body.description,
        listed_by=body.attribute,
        rows=[[one] for one in body.entries],
        by=request.actor,
    )
    segment_services.request_refresh(segment)
    return Status(201, segment_of(segment.pk))


@router.post(
    "/segments/{int:segment_id}/entries",
    response=ChangedOut,
    summary="Change a static segment’s list",
)
@needs(Scope.WRITE, rule="segment.change")
@once
def change_entries(request: ApiRequest, segment_id: int, body: EntriesIn) -> Any:
    """Adds to the list, removes from it, or replaces it."""
    return _change(request, segment_id, body.how, [[one] for one in body.entries])


@router.post(
    "/segments/{int:segment_id}/entries/file",
    response=ChangedOut,
    summary="Change a static segment’s list by a file",
)
@needs(Scope.WRITE, rule="segment.change")
@takes_file
@once
def change_entries_by_file(request: ApiRequest, segment_id: int, asked: Query[How]) -> Any:
    """As the list of entries, with a text or CSV file as the body: the first column counts."""
    with entries.of_file(blocks(request)) as rows:
        return _change(request, segment_id, asked.how, rows)


def _change(
    request: ApiRequest, segment_id: int, how: str, rows: entries.Rows
) -> static_segments.Changed:
    found = Segment.objects.filter(kind=Segment.Kind.STATIC).select_related("workspace")
    segment = get_object_or_404(found, pk=segment_id)
    changed = static_segments.change_list(segment, how, rows, by=request.actor)
    if (changed.added or changed.removed) and segment.is_active:
        segment_services.request_refresh(segment)
    return changed
