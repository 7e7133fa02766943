"""One thing done to several exports or segments at once, as their lists on the screens do it."""

from typing import Any, Literal

from ninja import Field, Router, Schema, Status
from pydantic import ConfigDict

from api.checked import posted, require_valid
from api.components import TimeZoneAsBefore
from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs, once, require_scope
from api.problems import Problem
from api.routes.destinations import DestinationOut
from api.routes.runs import RunOut
from api.schemas import Body, Clock, Id, Text
from api.timing import OWN_NEEDS, Weekday
from exports import several
from exports.models import Destination, Run
from exports.schedule_forms import SeveralForm
from segments import several_segments, tags
from segments.models import Segment
from workspaces.permissions import require

router = Router()
MOST = several_segments.MOST


class RefusedOut(Schema):
    id: int = Field(examples=[4])
    name: str = Field(examples=["Newsletter"])
    reason: str = Field(examples=["This export is running already."])


class StartedOut(Schema):
    runs: list[RunOut] = Field(description="Those that were started.")
    refused: list[RefusedOut] = Field(description="Exports that can’t be run now, with why.")


class SeveralSchedules(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "if": {
                "properties": {"handling": {"const": "define"}, "schedule": {"const": "own"}},
                "required": ["schedule"],
            },
            "then": OWN_NEEDS["then"],
        }
    )

    destinations: list[Id] = Field(min_length=1, max_length=MOST, examples=[[4, 5]])
    handling: Literal["on", "off", "define"] = Field(
        description="Switch their own schedules `on` or `off`, or `define` one for all of them.",
        examples=["define"],
    )
    schedule: Literal["refresh", "own", "off"] = Field(
        "refresh",
        description="With `define`: with every refresh, at its own days and times, or never.",
        examples=["own"],
    )
    days: list[Weekday] = Field([], max_length=7, examples=[[1, 3, 5]])
    times: list[Clock] = Field([], max_length=12, examples=[["07:30"]])
    time_zone: TimeZoneAsBefore = Field(
        "", description="Empty: the workspace’s.", examples=["Europe/Madrid"]
    )


class ScheduledOut(Schema):
    items: list[DestinationOut]


class SeveralSegments(Body):
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"action": {"const": "tag"}}, "required": ["action"]},
            "then": {"properties": {"tags": {"minItems": 1}}, "required": ["tags"]},
        }
    )

    segments: list[Id] = Field(min_length=1, max_length=MOST, examples=[[7, 8]])
    action: Literal["refresh", "activate", "deactivate", "delete", "tag"] = Field(
        examples=["refresh"]
    )
    tags: list[Text] = Field([], max_length=50, description="With `tag`.", examples=[[]])


class SegmentsDone(Schema):
    done: list[int] = Field(description="Ids of the segments.", examples=[[7]])
    refused: list[RefusedOut] = Field(description="Those that can’t be, with why.")


@router.post("/destinations/run-all", response={202: StartedOut}, summary="Run all exports")
@needs(Scope.RUN, rule="destination.create")
@once
def run_all_destinations(request: ApiRequest) -> Any:
    """Runs every export with an active schedule that the token’s role may run."""
    started = several.run_all(request.membership, trigger=Run.Trigger.API, by=request.actor)
    refused = [_refused(one, reason) for one, reason in started.refused]
    return Status(202, {"runs": started.runs, "refused": refused})


@router.put("/destinations/schedule", response=ScheduledOut, summary="Schedule several exports")
@needs(Scope.WRITE, rule="destination.create")
def schedule_destinations(request: ApiRequest, body: SeveralSchedules) -> dict[str, Any]:
    """Schedules all of them, or none: 404 when one is not there, 403 when one is not shared."""
    found = Destination.objects.filter(pk__in=body.destinations)
    chosen = list(found.select_related("connection", "workspace").order_by("name"))
    _require_all(body.destinations, chosen)
    for destination in chosen:
        require(request.membership, "destination.schedule", destination)
    form = SeveralForm(
        posted(
            handling=body.handling,
            schedule=body.schedule,
            days=body.days,
            times=body.times,
            time_zone=body.time_zone or request.workspace.time_zone,
        )
    )
    require_valid(form)
    several.reschedule(chosen, form, by=request.actor)
    return {"items": list(found.select_related("connection", "workspace").order_by("pk"))}


@router.post("/segments/several", response=SegmentsDone, summary="Do one thing to several segments")
@needs(Scope.WRITE, Scope.RUN, rule="segment.change")
@once
def change_several_segments(request: ApiRequest, body: SeveralSegments) -> dict[str, Any]:
    """Refreshes, tags, activates, deactivates or deletes: what one of them refuses, the rest have.

    To refresh takes the scope `run`, all else `write`.
    """
    require_scope(request, Scope.RUN if body.action == "refresh" else Scope.WRITE)
    if body.action == "delete":
        require(request.membership, "segment.delete")
    found = Segment.objects.filter(pk__in=body.segments)
    chosen = list(found.select_related("workspace").order_by("name"))
    _require_all(body.segments, chosen)
    if body.action == "tag":
        if not body.tags:
            raise Problem("invalid_request", "Name the tags.")
        tags.add_tags(chosen, body.tags, by=request.actor)
        return {"done": [one.pk for one in chosen], "refused": []}
    outcome = several_segments.do(body.action, chosen, by=request.actor)
    return {
        "done": [one.pk for one in outcome.done],
        "refused": [_refused(one, reason) for one, reason in outcome.refused],
    }


def _require_all(asked: list[int], found: list[Any]) -> None:
    if missing := sorted(set(asked) - {one.pk for one in found}):
        raise Problem("not_found", f"There is no such thing here: {missing[0]}.")


def _refused(thing: Destination | Segment, reason: object) -> dict[str, Any]:
    return {"id": thing.pk, "name": thing.name, "reason": str(reason)}
