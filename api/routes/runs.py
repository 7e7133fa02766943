"""Runs: started, watched, approved and cancelled; who was not sent, and why."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from ninja import Field, Query, Router, Schema, Status

from api.choices import RejectionKind, RunState, RunTrigger
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once
from api.schemas import Body, Id, Page, Paging, Text, cursor, page, read_cursor
from api.streams import ROWS_AT_ONCE, Form, stream
from exports import fates, reasons, runs, selectors
from exports.models import Rejection, Run
from exports.views.objects import destination_of, run_of
from workspaces import audit

router = Router()
REJECTION_FIELDS = ("profile_id", "profile_key", "address", "kind", "code", "reason")


class AccountOut(Schema):
    """in_segments = sent + unchanged + duplicate + invalid + suppressed + rejected."""

    run: int = Field(examples=[17])
    state: RunState = Field(examples=["succeeded_with_rejections"])
    reason: str = Field(examples=[""])
    in_segments: int = Field(examples=[2000])
    sent: int = Field(description="added + changed", examples=[1990])
    unchanged: int = Field(examples=[0])
    duplicate: int = Field(examples=[1])
    invalid: int = Field(examples=[4])
    suppressed: int = Field(examples=[2])
    rejected: int = Field(examples=[3])
    added: int = Field(examples=[1990])
    changed: int = Field(examples=[0])
    removed: int = Field(description="Taken off the list.", examples=[0])
    requests: int = Field(description="Requests to Constant Contact.", examples=[6])
    seconds: float = Field(examples=[4.2])


class RunOut(Schema):
    id: int = Field(examples=[17])
    destination_id: int = Field(examples=[4])
    state: RunState = Field(examples=["sending"])
    reason: str = Field(
        description="Why it ended so, or what it waits for, in words.", examples=[""]
    )
    trigger: RunTrigger = Field(examples=["api"])
    full: bool = Field(description="Everyone was sent anew.")
    dry_run: bool = Field(description="It only planned.")
    to_remove: int = Field(
        description="So many are to be taken off the list; it may wait for approval of that.",
        examples=[0],
    )
    account: AccountOut
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    waiting_until: datetime | None

    @staticmethod
    def resolve_account(run: Run) -> dict[str, Any]:
        return runs.run_account(run)


class ReasonOut(Schema):
    kind: RejectionKind = Field(examples=["invalid"])
    code: str = Field(description="A stable name.", examples=["malformed_address"])
    reason: str = Field(examples=["The address is malformed"])
    count: int = Field(examples=[4])


class AccountDetail(AccountOut):
    not_sent: list[ReasonOut] = Field(description="How many for each reason, the most first.")


class RejectionOut(Schema):
    profile_id: int = Field(examples=[120934])
    profile_key: str = Field(examples=["C-1815"])
    address: str = Field(examples=["ada@example"])
    kind: RejectionKind = Field(examples=["invalid"])
    code: str = Field(description="A stable name.", examples=["malformed_address"])
    reason: str = Field(description="What it means, and what to do.", examples=["…"])


class FateOut(Schema):
    fate: str = Field(
        description="`sent`, `held`, `sent_later`, `left_out`, `would_be_sent` or `not_in_run`.",
        examples=["sent"],
    )
    profile_id: int | None = Field(examples=[120934])
    profile_key: str = Field(examples=["C-1815"])
    address: str = Field(examples=["ada@example.com"])
    reason: str = Field(examples=[""])


class RunIn(Body):
    dry_run: bool = Field(False, description="Plan and account, and send nothing.")
    full: bool = Field(False, description="Send everyone anew, not only what changed.")
    check_list: bool = Field(False, description="Read the list first: who was taken off there?")


class RunFilter(Paging):
    destination: Id | None = Field(None, description="Of this export only.", examples=[4])
    state: RunState | None = Field(None, description="In this state only.")


class RejectionFilter(Schema):
    kind: RejectionKind | None = Field(None, description="Of this kind only.")
    code: Text = Field("", description="For this reason only.", examples=["malformed_address"])
    q: Text = Field("", description="A profile’s key, or part of an address.")


class RejectionPaging(RejectionFilter, Paging):
    pass


class WantedProfile(Schema):
    profile: Text = Field(
        min_length=1, description="A profile’s key, or an address.", examples=["ada@example.com"]
    )


def _runs() -> QuerySet[Run]:
    return Run.objects.select_related("destination__connection", "workspace")


@router.post(
    "/destinations/{int:destination_id}/runs", response={202: RunOut}, summary="Start a run"
)
@needs(Scope.RUN, rule="destination.view")
@once
def start_run(request: ApiRequest, destination_id: int, body: RunIn) -> Any:
    """Runs an export now, or with `dry_run` only works out what a run would do.

    An export has one run at a time: while it runs the answer is 409 `already_running`.
    """
    destination = destination_of(request, destination_id, "destination.run")
    run = runs.start_run(
        destination, trigger=Run.Trigger.API, by=request.actor, **body.model_dump()
    )
    return Status(202, run)


@router.get("/runs", response=Page[RunOut], summary="List runs")
@needs(Scope.READ, Scope.RUN, rule="run.view")
def list_runs(request: ApiRequest, asked: Query[RunFilter]) -> dict[str, Any]:
    """The runs of all exports, the last first."""
    found = _runs()
    if asked.destination is not None:
        found = found.filter(destination_id=asked.destination)
    if asked.state is not None:
        found = found.filter(state=asked.state)
    return page(found, asked, descending=True)


@router.get("/runs/{int:run_id}", response=RunOut, summary="Get a run")
@needs(Scope.READ, Scope.RUN, rule="run.view")
def get_run(request: ApiRequest, run_id: int) -> Run:
    """One run. Ask again until `finished_at` is there, or it waits for approval."""
    return run_of(request, run_id)


@router.get("/runs/{int:run_id}/account", response=AccountDetail, summary="Get a run’s account")
@needs(Scope.READ, Scope.RUN, rule="run.view")
def get_account(request: ApiRequest, run_id: int) -> dict[str, Any]:
    """Where every profile of the segments went; it adds up at every moment after planning."""
    run = run_of(request, run_id)
    not_sent = [
        {
            "kind": one.kind,
            "code": one.reason,
            "reason": reasons.label(one.reason),
            "count": one.count,
        }
        for one in selectors.rejection_counts(run)
    ]
    return {**runs.run_account(run), "not_sent": not_sent}


@router.post("/runs/{int:run_id}/approve", response={202: RunOut}, summary="Approve a run")
@needs(Scope.RUN, rule="run.view")
@once
def approve_run(request: ApiRequest, run_id: int) -> Any:
    """Lets a run that awaits approval take as many off the list as `to_remove` says."""
    run = run_of(request, run_id, "run.approve")
    runs.approve_run(run, by=request.actor)
    return Status(202, run_of(request, run_id))


@router.post("/runs/{int:run_id}/cancel", response={202: RunOut}, summary="Cancel a run")
@needs(Scope.RUN, rule="run.view")
@once
def cancel_run(request: ApiRequest, run_id: int) -> Any:
    """Stops a run at its next batch. What Constant Contact has taken stays there."""
    run = run_of(request, run_id, "run.cancel")
    runs.cancel_run(run, by=request.actor)
    return Status(202, run_of(request, run_id))


@router.post("/runs/{int:run_id}/retry", response={202: RunOut}, summary="Send the refused again")
@needs(Scope.RUN, rule="run.view")
@once
def retry_run(request: ApiRequest, run_id: int) -> Any:
    """Starts another run, which sends those again, too, whom Constant Contact refused."""
    run = run_of(request, run_id, "run.cancel")
    return Status(202, runs.retry_rejected(run, by=request.actor, trigger=Run.Trigger.API))


@router.get("/runs/{int:run_id}/fate", response=Page[FateOut], summary="Find a profile in a run")
@needs(Scope.PEOPLE, rule="run.view")
def find_in_run(request: ApiRequest, run_id: int, asked: Query[WantedProfile]) -> dict[str, Any]:
    """What became of the profile with a key or an address."""
    found = [
        {
            "fate": one.name,
            "profile_id": one.profile_id,
            "profile_key": one.key,
            "address": one.address,
            "reason": one.reason,
        }
        for one in fates.find(run_of(request, run_id), asked.profile)
    ]
    return {"items": found, "next": None}


@router.get(
    "/runs/{int:run_id}/rejections", response=Page[RejectionOut], summary="List who was not sent"
)
@needs(Scope.PEOPLE, rule="run.view")
def list_rejections(
    request: ApiRequest, run_id: int, asked: Query[RejectionPaging]
) -> dict[str, Any]:
    """The profiles that the run did not send, or Constant Contact refused, with the reason."""
    found = _rejections(run_of(request, run_id), asked)
    if asked.after:
        kind, reason, pk = read_cursor(asked.after, str, str, int)
        found = selectors.beyond(found, kind, reason, pk)
    rows = list(found[: asked.limit + 1])
    shown = rows[: asked.limit]
    last = shown[-1] if len(rows) > asked.limit else None
    onward = cursor(last.kind, last.reason, last.pk) if last else None
    return {"items": [_row(one) for one in shown], "next": onward}


@router.get("/runs/{int:run_id}/rejections.{form}", summary="Download who was not sent")
@needs(Scope.PEOPLE, rule="run.view")
def stream_rejections(
    request: ApiRequest, run_id: int, form: Form, asked: Query[RejectionFilter]
) -> HttpResponseBase:
    """All of them, streamed as JSON Lines (`jsonl`) or `csv`."""
    run = run_of(request, run_id)
    audit.record(
        run.workspace,
        "run.rejections_downloaded",
        actor=request.actor,
        target=run.destination,
        run=run.pk,
    )
    rows = _rows(_rejections(run, asked))
    return stream(request.workspace, form, f"not-sent-{run.pk}", REJECTION_FIELDS, rows)


def _rejections(run: Run, asked: RejectionFilter) -> QuerySet[Rejection]:
    found: QuerySet[Rejection] = selectors.rejections(
        run, kind=str(asked.kind or ""), reason=asked.code, search=asked.q
    )
    return found


def _rows(found: QuerySet[Rejection]) -> Iterator[dict[str, Any]]:
    for rejection in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield _row(rejection)


def _row(rejection: Rejection) -> dict[str, Any]:
    return {
        "profile_id": rejection.profile_id,
        "profile_key": rejection.profile_key,
        "address": rejection.address,
        "kind": str(rejection.kind),
        "code": rejection.reason,
        "reason": reasons.text(rejection.reason, rejection.detail),
    }
