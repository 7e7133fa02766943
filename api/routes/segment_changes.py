"""A segment's refreshes, and who joined and left it between any two of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.text import slugify
from ninja import Field, Query, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.problems import Problem
from api.routes.profiles import ProfileOut
from api.routes.segments import segment_of
from api.schemas import Id, Page, Paging, page
from api.streams import ROWS_AT_ONCE, Form, stream
from segments import history
from segments.models import Profile, Segment, SegmentRefresh
from workspaces import audit

router = Router()
FIELDS = ("change", "id", "key", "attributes")


class RefreshedOut(Schema):
    """One computation of who is in the segment."""

    id: int = Field(examples=[88])
    at: datetime
    succeeded: bool = Field(examples=[True])
    reason: str = Field(examples=[""])
    count: int = Field(examples=[1990])
    joined: int = Field(examples=[12])
    left: int = Field(examples=[3])
    seconds: float = Field(examples=[0.4])


class Between(Schema):
    """Ids of the segment’s refreshes; without them, the last two."""

    since: Id | None = Field(None, description="The earlier refresh.", examples=[87])
    until: Id | None = Field(None, description="The later refresh.", examples=[88])


class ChangesFilter(Between, Paging):
    way: Literal["joined", "left"] = Field("joined", description="Who is listed.")


class ChangesOut(Page[ProfileOut]):
    since: RefreshedOut
    until: RefreshedOut
    joined: int = Field(description="In at `until`, and not at `since`.", examples=[12])
    left: int = Field(description="The other way round.", examples=[3])
    gone: int = Field(
        description="Of those asked for, so many have no profile any more.", examples=[0]
    )


@router.get(
    "/segments/{int:segment_id}/history",
    response=Page[RefreshedOut],
    summary="List a segment’s refreshes",
)
@needs(Scope.READ, rule="segment.view")
def list_history(request: ApiRequest, segment_id: int, asked: Query[Paging]) -> dict[str, Any]:
    """How many there were at each refresh, and how many joined and left, the last first."""
    segment = segment_of(segment_id)
    return page(SegmentRefresh.objects.filter(segment=segment), asked, descending=True)


@router.get(
    "/segments/{int:segment_id}/changes", response=ChangesOut, summary="List who joined or left"
)
@needs(Scope.PEOPLE, rule="segment.view")
def list_changes(
    request: ApiRequest, segment_id: int, asked: Query[ChangesFilter]
) -> dict[str, Any]:
    """Who joined, or left, between two refreshes, by their keys."""
    since, until = _between(segment_of(segment_id), asked)
    ids = {
        way: history.changed_profiles(since, until, way == "joined") for way in ("joined", "left")
    }
    counts = {way: found.count() for way, found in ids.items()}
    there: QuerySet[Profile] = Profile.objects.filter(pk__in=ids[asked.way])
    return {
        "since": since,
        "until": until,
        **counts,
        "gone": counts[asked.way] - there.count(),
        **page(there, asked, by="key", kind=str),
    }


@router.get("/segments/{int:segment_id}/changes.{form}", summary="Download who joined and left")
@needs(Scope.PEOPLE, rule="segment.download")
def stream_changes(
    request: ApiRequest, segment_id: int, form: Form, asked: Query[Between]
) -> HttpResponseBase:
    """All of both, streamed as JSON Lines (`jsonl`) or `csv`: `change` is `joined` or `left`."""
    segment = segment_of(segment_id)
    between = _between(segment, asked)
    audit.record(
        request.workspace, "segment.changes_downloaded", actor=request.actor, target=segment
    )
    name = f"{slugify(segment.name) or 'segment'}-changes"
    return stream(request.workspace, form, name, FIELDS, _rows(*between))


def _between(segment: Segment, asked: Between) -> tuple[SegmentRefresh, SegmentRefresh]:
    refreshes = history.comparable(segment)
    if len(refreshes) < 2:
        raise Problem("refused", "There are no two refreshes yet of which the changes are kept.")
    known = {one.pk for one in refreshes}
    if {one for one in (asked.since, asked.until) if one is not None} - known:
        raise Problem("not_found", "Its changes since such a refresh are not kept.")
    return history.between(refreshes, asked.since, asked.until)


def _rows(since: SegmentRefresh, until: SegmentRefresh) -> Iterator[dict[str, Any]]:
    for way in ("joined", "left"):
        ids = history.changed_profiles(since, until, way == "joined")
        found = Profile.objects.filter(pk__in=ids).order_by("key").values("id", "key", "attributes")
        for row in found.iterator(chunk_size=ROWS_AT_ONCE):
            yield {"change": way, **row}
