"""Who is in a segment: page by page, or all of them as a file."""

from collections.abc import Iterator
from typing import Any

from django.http import FileResponse, HttpResponseBase
from django.utils.text import slugify
from ninja import Query, Router

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.routes.profiles import ProfileOut
from api.routes.segments import segment_of
from api.schemas import Page, Paging, page
from api.streams import ROWS_AT_ONCE, Form, stream
from segments import member_files
from segments.models import Attribute, Profile, Segment, SegmentMember
from workspaces import audit

router = Router()
PARQUET = "application/vnd.apache.parquet"


@router.get("/segments/{int:segment_id}/members", response=Page[ProfileOut], summary="List members")
@needs(Scope.PEOPLE, rule="segment.download")
def list_members(request: ApiRequest, segment_id: int, asked: Query[Paging]) -> dict[str, Any]:
    """Who is in the segment as of its last refresh. For all of them there is the download."""
    members = SegmentMember.objects.filter(segment=segment_of(segment_id))
    found = page(members, asked, by="profile_id")
    profiles = Profile.objects.in_bulk([one.profile_id for one in found["items"]])
    return {"items": [profiles[pk] for pk in sorted(profiles)], "next": found["next"]}


@router.get("/segments/{int:segment_id}/members.parquet", summary="Download members as Parquet")
@needs(Scope.PEOPLE, rule="segment.download")
def download_members(request: ApiRequest, segment_id: int) -> HttpResponseBase:
    """Everyone in the segment as one Parquet file, with the attributes’ own types."""
    segment = segment_of(segment_id)
    _record(request, segment, "parquet")
    return FileResponse(
        member_files.parquet_of(segment),
        as_attachment=True,
        filename=f"{_file_name(segment)}.parquet",
        content_type=PARQUET,
    )


@router.get("/segments/{int:segment_id}/members.{form}", summary="Download members")
@needs(Scope.PEOPLE, rule="segment.download")
def stream_members(request: ApiRequest, segment_id: int, form: Form) -> HttpResponseBase:
    """Everyone in the segment, streamed as JSON Lines (`jsonl`) or `csv`, by their keys."""
    segment = segment_of(segment_id)
    _record(request, segment, form)
    names = list(Attribute.objects.values_list("name", flat=True))
    fields = ["key", *(f"attributes.{name}" for name in names)]
    rows = _flat(segment, names) if form == "csv" else _members(segment)
    return stream(request.workspace, form, _file_name(segment), fields, rows)


def _record(request: ApiRequest, segment: Segment, form: str) -> None:
    audit.record(
        request.workspace,
        "segment.downloaded",
        actor=request.actor,
        target=segment,
        count=segment.member_count,
        form=form,
    )


def _file_name(segment: Segment) -> str:
    return slugify(segment.name) or "segment"


def _members(segment: Segment) -> Iterator[dict[str, Any]]:
    ids = SegmentMember.objects.filter(segment=segment).values("profile_id")
    found = Profile.objects.filter(pk__in=ids).order_by("key").values("id", "key", "attributes")
    for row in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield dict(row)


def _flat(segment: Segment, names: list[str]) -> Iterator[dict[str, Any]]:
    for row in _members(segment):
        values = row["attributes"]
        yield {"key": row["key"]} | {f"attributes.{name}": values.get(name) for name in names}
