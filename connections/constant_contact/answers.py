"""What Constant Contact answers, as far as it is used. Everything may be absent."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ENDED = frozenset({"completed", "cancelled", "failed", "timed_out"})


def _messages(errors: Any) -> list[str]:
    """The specification says strings; an unused definition of it says objects."""
    return [
        str(error.get("message", "")) if isinstance(error, dict) else str(error)
        for error in errors or []
    ]


class Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Link(Answer):
    href: str = ""


class Links(Answer):
    next: Link | None = None
    results: Link | None = None


class AccountSummary(Answer):
    encoded_account_id: str = ""
    organization_name: str = ""
    contact_email: str = ""
    first_name: str = ""
    last_name: str = ""
    time_zone_id: str = ""


class ContactList(Answer):
    list_id: str
    name: str = ""
    description: str = ""
    membership_count: int | None = None
    deleted_at: datetime | None = None


class CustomField(Answer):
    custom_field_id: str
    label: str = ""
    name: str = ""
    type: str = ""


class ActivityStatus(Answer):
    items_total_count: int | None = None
    items_completed_count: int | None = None
    person_count: int | None = None
    error_count: int | None = None
    correctable_count: int | None = None
    cannot_add_to_list_count: int | None = None
    list_count: int | None = None


class Activity(Answer):
    activity_id: str
    state: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    percent_done: int | None = None
    activity_errors: Annotated[list[str], BeforeValidator(_messages)] = []
    status: ActivityStatus = ActivityStatus()
    links: Links = Field(default=Links(), alias="_links", exclude=True)

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


class EmailAddress(Answer):
    address: str = ""
    permission_to_send: str = ""
    opt_out_date: datetime | None = None
    opt_out_source: str = ""


class Contact(Answer):
    contact_id: str
    email_address: EmailAddress | None = None
    first_name: str = ""
    last_name: str = ""
    list_memberships: list[str] = []
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
