"""The day's requests to Constant Contact, which all workspaces of the installation share."""

from datetime import date, datetime
from typing import Any

from ninja import Field, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from connections.access import todays_budget
from exports import over_time

router = Router()


class BudgetOut(Schema):
    """The day’s requests to Constant Contact, of all workspaces together."""

    used: int = Field(examples=[140])
    limit: int = Field(examples=[10_000])
    left: int = Field(examples=[9_860])
    resets_at: datetime


class DayOut(Schema):
    day: date
    requests: int = Field(description="Of this workspace’s runs.", examples=[42])


class RequestsOut(Schema):
    budget: BudgetOut | None = Field(description="Null when it can’t be told now.")
    days: list[DayOut] = Field(description="The last days, today last.")


@router.get("/budget", response=RequestsOut, summary="Get the day’s budget of requests")
@needs(Scope.READ, Scope.RUN, rule="workspace.view")
def get_budget(request: ApiRequest) -> dict[str, Any]:
    """How many requests to Constant Contact are left today, and who asked for how many."""
    days = [{"day": day, "requests": made} for day, made in over_time.requests_of_days()]
    return {"budget": todays_budget(), "days": days}
