"""The audit log."""

from datetime import datetime
from typing import Any

from ninja import Field, Query, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.schemas import Page, Paging, Text, page
from workspaces import audit
from workspaces.models import AuditEntry

router = Router()


class AuditOut(Schema):
    id: int = Field(examples=[1201])
    at: datetime
    action: str = Field(description="A stable name.", examples=["run.started"])
    action_name: str = Field(description="In the reader’s language.", examples=["Run started"])
    actor: str = Field(
        description="The member, or the token of a service; empty for Segue itself.",
        examples=["Ada Lovelace"],
    )
    target: str = Field(examples=["destination:4"])
    target_name: str = Field(examples=["Newsletter"])
    address: str | None = Field(examples=["203.0.113.7"])
    details: dict[str, Any] = Field(examples=[{"run": 17, "token": "nightly import"}])

    @staticmethod
    def resolve_action_name(entry: AuditEntry) -> str:
        return audit.name_of(entry.action)

    @staticmethod
    def resolve_actor(entry: AuditEntry) -> str:
        return entry.actor_label

    @staticmethod
    def resolve_target_name(entry: AuditEntry) -> str:
        return entry.target_label


class AuditFilter(Paging):
    action: Text = Field("", description="Only this action.", examples=["run.started"])
    actor: Text = Field("", description="Only this member’s or token’s.")
    since: datetime | None = Field(None, description="Not before this moment.")


@router.get("/audit", response=Page[AuditOut], summary="List the audit log")
@needs(Scope.READ, rule="audit.view")
def list_audit(request: ApiRequest, asked: Query[AuditFilter]) -> dict[str, Any]:
    """Who did what to what, the last first. Needs an Administrator’s token."""
    found = AuditEntry.objects.all()
    if asked.action:
        found = found.filter(action=asked.action)
    if asked.actor:
        found = found.filter(actor_label=asked.actor)
    if asked.since:
        found = found.filter(at__gte=asked.since)
    return page(found, asked, descending=True)
