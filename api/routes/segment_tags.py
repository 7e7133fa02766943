"""Tags of segments: all there are; renamed and deleted on every segment at once."""

from typing import Any

from ninja import Field, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.problems import Problem
from api.schemas import Body, Page, Text
from segments import tags

router = Router()


class TagOut(Schema):
    tag: str = Field(examples=["newsletter"])
    segments: int = Field(description="How many have it.", examples=[3])


class TagName(Body):
    tag: Text = Field(min_length=1, max_length=tags.LONGEST, examples=["newsletter"])


class TagRenaming(TagName):
    becomes: Text = Field(min_length=1, max_length=tags.LONGEST, examples=["monthly"])


@router.get("/segment-tags", response=Page[TagOut], summary="List tags")
@needs(Scope.READ, rule="segment.view")
def list_tags(request: ApiRequest) -> dict[str, Any]:
    """The tags of the workspace’s segments. A tag is there as long as a segment has it."""
    items = [{"tag": tag, "segments": count} for tag, count in tags.counted()]
    return {"items": items, "next": None}


@router.post("/segment-tags/rename", response=Page[TagOut], summary="Rename a tag")
@needs(Scope.WRITE, rule="segment.change")
def rename_tag(request: ApiRequest, body: TagRenaming) -> dict[str, Any]:
    """On every segment; into one that is there already, both become one. Answers with all tags."""
    _require(body.tag)
    tags.rename_tag(request.workspace, body.tag, body.becomes, by=request.actor)
    return list_tags(request)


@router.post("/segment-tags/delete", response=Page[TagOut], summary="Delete a tag")
@needs(Scope.WRITE, rule="segment.change")
def delete_tag(request: ApiRequest, body: TagName) -> dict[str, Any]:
    """Takes it off every segment; the segments stay. Answers with the tags that are left."""
    _require(body.tag)
    tags.delete_tag(request.workspace, body.tag, by=request.actor)
    return list_tags(request)


def _require(tag: str) -> None:
    if tag not in dict(tags.counted()):
        raise Problem("not_found", f"No segment has the tag “{tag}”.")
