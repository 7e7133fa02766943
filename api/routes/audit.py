"""The audit log."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from ninja import Field, Query, Router, Schema

from api.middleware import ApiRequest
from api.models import Scope
from api.operations import needs
from api.schemas import Page, Paging, Text, page
from api.streams import ROWS_AT_ONCE, Form, stream
from workspaces import audit, selectors
from workspaces.models import AuditEntry

router = Router()
FIELDS = ("id", "at", "action", "actor", "target", "target_name", "address", "details")


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


class AuditFilter(Schema):
    action: Text = Field("", description="Only this action.", examples=["run.started"])
    actor: Text = Field("", description="Only this member’s or token’s.")
    since: datetime | None = Field(None, description="Not before this moment.")
    until: datetime | None = Field(None, description="Before this moment.")
    q: Text = Field("", max_length=254, description="With all of these words.", examples=[""])


class AuditPaging(AuditFilter, Paging):
    pass


@router.get("/audit", response=Page[AuditOut], summary="List the audit log")
@needs(Scope.READ, rule="audit.view")
def list_audit(request: ApiRequest, asked: Query[AuditPaging]) -> dict[str, Any]:
    """Who did what to what, the last first. Needs an Administrator’s token."""
    return page(_found(asked), asked, descending=True)


@router.get("/audit.{form}", summary="Download the audit log")
@needs(Scope.READ, rule="audit.view")
def stream_audit(request: ApiRequest, form: Form, asked: Query[AuditFilter]) -> HttpResponseBase:
    """What the filters find, streamed as JSON Lines (`jsonl`) or `csv`; recorded itself.

    Needs an Administrator’s token.
    """
    taken = audit.record(
        request.workspace,
        "audit.downloaded",
        actor=request.actor,
        # What was searched for may be a customer's name.
        filters=[str(value) for name, value in asked if value and name != "q"],
    )
    found = _found(asked).filter(pk__lt=taken.pk).order_by("-pk")
    name = f"audit-log-{request.workspace.slug}"
    return stream(request.workspace, form, name, FIELDS, _rows(found))


def _found(asked: AuditFilter) -> QuerySet[AuditEntry]:
    found: QuerySet[AuditEntry] = AuditEntry.objects.all()
    if asked.action:
        found = found.filter(action=asked.action)
    if asked.actor:
        found = found.filter(actor_label=asked.actor)
    if asked.since:
        found = found.filter(at__gte=asked.since)
    if asked.until:
        found = found.filter(at__lt=asked.until)
    return selectors.audit_entries_saying(found, asked.q)


def _rows(found: QuerySet[AuditEntry]) -> Iterator[dict[str, Any]]:
    for entry in found.iterator(chunk_size=ROWS_AT_ONCE):
        yield {
            "id": entry.pk,
            "at": entry.at.isoformat(),
            "action": entry.action,
            "actor": entry.actor_label,
            "target": entry.target,
            "target_name": entry.target_label,
            "address": entry.address,
            "details": entry.details,
        }
