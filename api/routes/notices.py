"""A member's own notices, and how they want to be told; a service has none."""

from datetime import datetime
from typing import Any

from django.conf import settings
from ninja import Field, Query, Router, Schema

from api.choices import NoticeTone
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.problems import Problem
from api.schemas import Body, Id, Page, Paging, Text, page
from workspaces.models import Membership, Notice, User
from workspaces.notices import inbox

router = Router()
MOST = 1_000


class NoticeOut(Schema):
    id: int = Field(examples=[31])
    topic: str = Field(examples=["run_failed"])
    tone: NoticeTone = Field(
        description="`bad`: trouble; `warn`: attention; `good`: recovered; `idle`: news.",
        examples=["bad"],
    )
    text: str = Field(examples=["The export “Newsletter” failed."])
    page: str = Field(
        description="The page about it.",
        examples=["https://segue.example.com/w/harbour-books/data/exports/runs/17/"],
    )
    created_at: datetime
    read_at: datetime | None

    @staticmethod
    def resolve_text(notice: Notice) -> str:
        return str(notice.text)

    @staticmethod
    def resolve_page(notice: Notice) -> str:
        return f"{settings.BASE_URL}{notice.path}"


class NoticeFilter(Paging):
    unread: bool = Field(False, description="Only those not read yet.")


class ReadIn(Body):
    notices: list[Id] | None = Field(
        None, max_length=MOST, description="Left out: all of them.", examples=[[31]]
    )


class UnreadOut(Schema):
    unread: int = Field(description="How many are left.", examples=[0])


class ChoiceOut(Schema):
    topic: str = Field(examples=["run_failed"])
    label: str = Field(examples=["A run failed"])
    in_app: bool
    by_email: bool


class ChoiceIn(Body):
    topic: Text = Field(examples=["run_failed"])
    in_app: bool = Field(examples=[True])
    by_email: bool = Field(examples=[False])


class ChoicesIn(Body):
    choices: list[ChoiceIn] = Field(min_length=1, max_length=100)


@router.get("/notices", response=Page[NoticeOut], summary="List your notices")
@needs(Scope.READ, rule="notice.view")
def list_notices(request: ApiRequest, asked: Query[NoticeFilter]) -> dict[str, Any]:
    """The notices of the member whose token this is, the last first."""
    member, _user = _member(request)
    found = inbox.notices_of(member)
    return page(found.filter(read_at=None) if asked.unread else found, asked, descending=True)


@router.post("/notices/read", response=UnreadOut, summary="Mark notices as read")
@needs(Scope.WRITE, rule="notice.view")
def read_notices(request: ApiRequest, body: ReadIn) -> dict[str, int]:
    """All of the member’s, or those that are named; what is read already stays so."""
    member, _user = _member(request)
    found = inbox.notices_of(member)
    inbox.read(found if body.notices is None else found.filter(pk__in=body.notices))
    return {"unread": inbox.unread(member)}


@router.get("/notice-choices", response=Page[ChoiceOut], summary="List how you are told")
@needs(Scope.READ, rule="notice.view")
def list_notice_choices(request: ApiRequest) -> dict[str, Any]:
    """Of each topic that concerns the member: whether they are told in the app, and by e-mail."""
    member, _user = _member(request)
    return _choices(member)


@router.put("/notice-choices", response=Page[ChoiceOut], summary="Choose how you are told")
@needs(Scope.WRITE, rule="notice.view")
def choose_notices(request: ApiRequest, body: ChoicesIn) -> dict[str, Any]:
    """Of the topics that are named; the others stay as they are."""
    member, user = _member(request)
    known = {way.topic.name for way in inbox.ways_of(member)}
    if unknown := sorted({one.topic for one in body.choices} - known):
        raise Problem("refused", f"The member is told of no topic “{unknown[0][:60]}”.")
    chosen = {one.topic: (one.in_app, one.by_email) for one in body.choices}
    inbox.choose(member, chosen, by=user)
    return _choices(member)


def _choices(member: Membership) -> dict[str, Any]:
    told = [
        {
            "topic": way.topic.name,
            "label": str(way.topic.label),
            "in_app": way.in_app,
            "by_email": way.by_email,
        }
        for way in inbox.ways_of(member)
    ]
    return {"items": told, "next": None}


def _member(request: ApiRequest) -> tuple[Membership, User]:
    """As the member, not as the role that their token has. Raises `Problem` for a service."""
    member = request.token.membership
    if member is None:
        raise Problem("refused", "A service is told nothing: use a member’s own token.")
    return member, member.user
