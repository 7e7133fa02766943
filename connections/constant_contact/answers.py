"""What Constant Contact answers, as far as it is used. Everything may be absent, null or new.

Reference: https://developer.constantcontact.com/api_reference/index.html
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connections.constant_contact.errors import redacted

ENDED = frozenset({"completed", "cancelled", "failed", "timed_out"})


def _messages(errors: Any) -> list[str]:
    """The specification says strings; an unused definition of it says objects."""
    return [
        redacted(str(error.get("message", "")) if isinstance(error, dict) else str(error))
        for error in (errors if isinstance(errors, list) else [errors])
    ]


def _moment(said: Any) -> datetime | None:
    """ISO 8601 with `Z` or an offset, with or without milliseconds; None for anything else."""
    if isinstance(said, datetime):
        return said
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Answer(BaseModel):
    model_config = ConfigDict(
        extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True, populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, answer: Any) -> Any:
        if not isinstance(answer, dict):
            return answer
        return {name: value for name, value in answer.items() if value is not None}


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

    @property
    def name(self) -> str:
        """The organisation's name, or the person's, or the id: an account may lack each."""
        person = f"{self.first_name} {self.last_name}".strip()
        return self.organization_name.strip() or person or self.encoded_account_id


class ContactList(Answer):
    list_id: str = ""
    name: str = ""
    description: str = ""
    membership_count: int | None = None
    deleted_at: Moment = None


class CustomField(Answer):
    custom_field_id: str = ""
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
    activity_id: str = ""
    state: str = ""
    created_at: Moment = None
    started_at: Moment = None
    completed_at: Moment = None
    percent_done: int | None = None
    activity_errors: Annotated[list[str], BeforeValidator(_messages)] = []
    status: ActivityStatus = ActivityStatus()
    links: Links = Field(default=Links(), alias="_links", exclude=True)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


class EmailAddress(Answer):
    address: str = Field(default="", repr=False)
    permission_to_send: str = ""
    opt_out_date: Moment = None
    opt_out_source: str = ""


class Contact(Answer):
    """`email_address` is None for who has only a name or a telephone number."""

    contact_id: str = ""
    email_address: EmailAddress | None = None
    first_name: str = Field(default="", repr=False)
    last_name: str = Field(default="", repr=False)
    list_memberships: list[str] = []
    updated_at: Moment = None
    deleted_at: Moment = None
