"""What a run of an export would do, of one that is saved, changed or not made yet."""

from typing import Any, Literal

from django.http import Http404
from ninja import Field, Query, Router, Schema, Status

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, require_scope
from api.problems import Problem
from api.routes.budget import BudgetOut
from api.routes.destinations import (
    MATCHING,
    DestinationOther,
    ListIn,
    form_of,
)
from api.schemas import Body, Id, Text
from exports import previews, selectors
from exports.account import FATES
from exports.engine import plan
from exports.models import Destination
from exports.preview import PreviewPage, PreviewProblem, configured, page_of
from exports.views.objects import destination_of
from segments.models import Segment

router = Router()
NAME = "0123456789abcdef0123456789abcdef"
SAMPLE = "Show ten of the contacts as they will arrive, and who is left out; needs `people`, too."


class NewPreview(Body):
    connection: Id = Field(examples=[1])
    contact_list: ListIn | None = Field(
        None, description="Left out: a list on which nobody is yet."
    )
    matching: dict[Text, Text] = Field(
        description="Contact field → attribute’s name; `email` is needed.", examples=[MATCHING]
    )
    segments: list[Id] = Field(min_length=1, max_length=1_000, examples=[[7]])
    mode: Literal["mirror", "add"] = Field("mirror", examples=["mirror"])
    removal_share: int = Field(20, ge=0, le=100, examples=[20])
    sample: bool = Field(False, description=SAMPLE)


class PreviewOfChange(DestinationOther):
    """The export as it is, or as it would be with what is named."""

    sample: bool = Field(False, description=SAMPLE)


class Shown(Schema):
    sample: bool = Field(False, description=SAMPLE)


class LeftOutOut(Schema):
    profile_key: str = Field(examples=["C-1815"])
    address: str = Field(examples=["ada@example"])
    reason: str = Field(examples=["The address is malformed"])
    advice: str = Field(description="What it means, and what to do.", examples=["…"])


class DestinationPreviewOut(Schema):
    """in_segments = sent + unchanged + duplicate + invalid + suppressed + rejected."""

    in_segments: int = Field(examples=[2000])
    sent: int = Field(description="added + changed", examples=[1990])
    added: int = Field(examples=[1990])
    changed: int = Field(examples=[0])
    unchanged: int = Field(examples=[0])
    duplicate: int = Field(examples=[1])
    invalid: int = Field(examples=[4])
    suppressed: int = Field(examples=[2])
    rejected: int = Field(examples=[3])
    to_remove: int = Field(description="So many would be taken off the list.", examples=[0])
    needs_approval: bool = Field(description="A run would wait for approval of that.")
    new_to_account: int = Field(
        description="The account may count so many contacts more.", examples=[1990]
    )
    requests: int = Field(description="Of the day’s, all together.", examples=[9])
    seconds: float | None = Field(
        description="About so long, by earlier runs; null before the first.", examples=[42.0]
    )
    budget: BudgetOut | None
    warnings: list[str] = Field(examples=[[]])
    contacts: list[dict[str, str]] = Field(examples=[[{"email": "ada@example.com"}]])
    left_out: list[LeftOutOut]
    leaving: list[str] = Field(
        description="Some of those taken off.", examples=[["eve@example.com"]]
    )


class WaitingPreview(Schema):
    """Of very many profiles a worker makes it."""

    preview: str = Field(
        description="Ask for it under `/destination-previews/`, for five minutes.", examples=[NAME]
    )


ANSWERS = {200: DestinationPreviewOut, 202: WaitingPreview}


@router.post("/destinations/preview", response=ANSWERS, summary="Preview a new export")
@needs(Scope.READ, Scope.WRITE, rule="destination.create")
def preview_new_destination(request: ApiRequest, body: NewPreview) -> Any:
    """What the first run of such an export would do; nothing is saved, made or sent.

    Of very many profiles a worker makes it: 202, and `get_destination_preview` fetches it.
    """
    given = body.model_dump(exclude={"sample"})
    form = form_of(request, given, None, for_preview=True)
    chosen = form.unsaved(request.workspace)
    return _preview(request, chosen, form.cleaned_data["segments"], body.sample)


@router.post(
    "/destinations/{int:destination_id}/preview", response=ANSWERS, summary="Preview an export"
)
@needs(Scope.READ, Scope.WRITE, rule="destination.view")
def preview_destination(request: ApiRequest, destination_id: int, body: PreviewOfChange) -> Any:
    """What its next run would do, as it is or with what the request changes; nothing is saved."""
    given = body.model_dump(exclude_unset=True, exclude={"sample"})
    if not given:
        destination = destination_of(request, destination_id)
        segments = selectors.selected_segments(destination)
        return _preview(request, destination, segments, body.sample)
    destination = destination_of(request, destination_id, "destination.change")
    form = form_of(request, given, destination, for_preview=True)
    chosen = form.unsaved(request.workspace)
    return _preview(request, chosen, form.cleaned_data["segments"], body.sample)


@router.get(
    "/destination-previews/{slug:preview}", response=ANSWERS, summary="Get an export’s preview"
)
@needs(Scope.READ, Scope.WRITE, rule="destination.view")
def get_destination_preview(request: ApiRequest, preview: str, asked: Query[Shown]) -> Any:
    """The preview that a worker made, for the token that asked; 202 as long as it is at it."""
    if asked.sample:
        require_scope(request, Scope.PEOPLE)
    try:
        found = previews.fetch(request.workspace.pk, preview, _asker(request))
    except previews.Unknown as unknown:
        raise Http404 from unknown
    except previews.TooLong as long:
        raise Problem("too_slow", "The preview could not be made in time.") from long
    return Status(202, {"preview": preview}) if found is None else _shown(found, asked.sample)


def _asker(request: ApiRequest) -> str:
    return f"token:{request.token.pk}"


def _preview(
    request: ApiRequest, destination: Destination, segments: list[Segment], sample: bool
) -> Any:
    if sample:
        require_scope(request, Scope.PEOPLE)
    try:
        configuration = configured(destination, segments)
    except PreviewProblem as problem:
        raise Problem("refused", str(problem)) from problem
    if previews.is_large(configuration):
        return Status(202, {"preview": previews.ask(configuration, _asker(request))})
    return _shown(page_of(configuration, plan.preview(configuration)), sample)


def _shown(page: PreviewPage, sample: bool) -> Status:
    counts = {part.fate: part.count for part in page.account.parts if part.fate in FATES}
    took = page.foreseen.took
    people: dict[str, list[Any]] = {"contacts": [], "left_out": [], "leaving": []}
    if sample:
        people = {
            "contacts": [dict(zip(page.fields, row, strict=True)) for row in page.contacts],
            "left_out": [
                {
                    "profile_key": one.key,
                    "address": one.address,
                    "reason": one.reason,
                    "advice": one.text,
                }
                for one in page.left_out
            ],
            "leaving": page.leaving.sample,
        }
    return Status(
        200,
        {
            **counts,
            "in_segments": page.account.in_segments,
            "sent": page.sent,
            "to_remove": page.leaving.count,
            "needs_approval": page.wants_approval,
            "new_to_account": page.new_to_account,
            "requests": page.foreseen.requests,
            "seconds": took.total_seconds() if took else None,
            "budget": page.foreseen.budget,
            "warnings": page.warnings,
            **people,
        },
    )
