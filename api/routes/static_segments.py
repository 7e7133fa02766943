"""Static segments: made from a list, and the list changed."""

from typing import Any, Literal

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from ninja import Field, Query, Router, Schema, Status

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import blocks, needs, once, takes_file
from api.routes.segments import SegmentOut, segment_of
from api.schemas import Body, Name, Text
from api.streams import Form, stream
from segments import entries, segment_services, static_segments
from segments.models import Segment
from workspaces import audit

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


class EntriesOut(Schema):
    attribute: str = Field(
        description="What the entries are values of; empty: profiles’ keys.", examples=[""]
    )
    entries: int = Field(examples=[2])
    found: int = Field(description="So many of them profiles have.", examples=[1])
    missing: int = Field(examples=[1])
    first_missing: list[str] = Field(examples=[["C-1852"]])


class RemovedOut(Schema):
    removed: int = Field(examples=[1])


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


@router.get(
    "/segments/{int:segment_id}/entries",
    response=EntriesOut,
    summary="Look a static segment’s list up",
)
@needs(Scope.PEOPLE, rule="segment.view")
def get_entries(request: ApiRequest, segment_id: int) -> dict[str, Any]:
    """How many of the entries profiles have now, and the first that none has."""
    segment = _static(segment_id)
    found = static_segments.found(segment)
    return {
        "attribute": static_segments.listed_by(segment),
        "entries": found.entries,
        "found": found.found,
        "missing": found.missing,
        "first_missing": found.first_missing,
    }


@router.get("/segments/{int:segment_id}/missing.{form}", summary="Download missing entries")
@needs(Scope.PEOPLE, rule="segment.download")
def stream_missing(request: ApiRequest, segment_id: int, form: Form) -> HttpResponseBase:
    """The entries that no profile has, streamed as JSON Lines (`jsonl`) or `csv`."""
    segment = _static(segment_id)
    audit.record(
        segment.workspace, "segment.missing_downloaded", actor=request.actor, target=segment
    )
    rows = ({"entry": value} for (value,) in static_segments.missing(segment))
    name = f"{slugify(segment.name) or 'segment'}-missing"
    return stream(request.workspace, form, name, ["entry"], rows)


@router.post(
    "/segments/{int:segment_id}/missing/remove",
    response=RemovedOut,
    summary="Remove missing entries",
)
@needs(Scope.WRITE, rule="segment.change")
@once
def remove_missing_entries(request: ApiRequest, segment_id: int) -> Any:
    """Takes those entries off the list that no profile has."""
    segment = _static(segment_id)
    return {"removed": static_segments.remove_missing(segment, by=request.actor)}


def _static(segment_id: int) -> Segment:
    found = Segment.objects.filter(kind=Segment.Kind.STATIC).select_related("workspace")
    return get_object_or_404(found, pk=segment_id)


def _change(
    request: ApiRequest, segment_id: int, how: str, rows: entries.Rows
) -> static_segments.Changed:
    segment = _static(segment_id)
    changed = static_segments.change_list(segment, how, rows, by=request.actor)
    if (changed.added or changed.removed) and segment.is_active:
        segment_services.request_refresh(segment)
    return changed
