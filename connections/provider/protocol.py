"""The boundary between the run engine and a provider.

The engine knows no more of a provider than this, and a provider nothing of the engine. A provider
takes and removes contacts by *activities*: it begins one at once, and says later how it ended.
Every method raises what `connections.provider.errors` lists.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, BinaryIO, Protocol


class Counts(Protocol):
    """What a finished activity counted; None where the provider does not say."""

    @property
    def person_count(self) -> int | None: ...
    @property
    def error_count(self) -> int | None: ...
    @property
    def correctable_count(self) -> int | None: ...
    @property
    def cannot_add_to_list_count(self) -> int | None: ...


class Activity(Protocol):
    """`state` is `completed`, or when it ended badly `cancelled`, `failed` or `timed_out`."""

    @property
    def activity_id(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def has_ended(self) -> bool: ...
    @property
    def created_at(self) -> datetime | None: ...
    @property
    def activity_errors(self) -> Sequence[str]: ...
    @property
    def status(self) -> Counts: ...

    def as_json(self) -> dict[str, Any]:
        """To be kept with the batch; without anybody's data."""


class ContactList(Protocol):
    @property
    def list_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def membership_count(self) -> int | None: ...


class CustomField(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def type(self) -> str: ...


class Address(Protocol):
    @property
    def address(self) -> str: ...


class Contact(Protocol):
    @property
    def contact_id(self) -> str: ...
    @property
    def email_address(self) -> Address | None: ...
    @property
    def list_memberships(self) -> Sequence[str]: ...


class Provider(Protocol):
    """One account."""

    @property
    def requests(self) -> int:
        """Requests made so far, repeated and refused ones included."""

    def lists(self) -> Iterator[ContactList]: ...

    def list(self, list_id: str) -> ContactList:
        """Raises `NotFound`."""

    def create_list(self, name: str, description: str = "") -> ContactList:
        """Raises `Conflict` when the account has a list of that name."""

    def delete_list(self, list_id: str) -> None:
        """Its contacts stay. Raises `NotFound`."""

    def custom_fields(self) -> Iterator[CustomField]: ...

    def import_contacts(self, body: bytes) -> Activity:
        """Begins to add contacts to lists, or change them by their addresses.

        `body` is a batch: `{"import_data": [{"email": …, "first_name": …}, …], "list_ids": […]}`
        in UTF-8, with the fields of `constant_contact.fields` and `cf:NAME`. Taking it twice must
        do no more than taking it once, and nobody's permission to send changes.
        """

    def remove_list_memberships(
        self, contact_ids: Iterable[str], list_ids: Iterable[str]
    ) -> Activity:
        """Begins to take at most 500 contacts off lists; the contacts stay."""

    def remove_list_from_lists(self, source_list_id: str, list_ids: Iterable[str]) -> Activity:
        """Begins to take every contact of one list off others."""

    def export_contacts(
        self, *, list_ids: Iterable[str] = (), fields: Iterable[str] = (), status: str = ""
    ) -> Activity:
        """Begins to write a file of contacts: those on the lists, of the status, or everybody.

        `status` is `unsubscribed`, or `removed` for those deleted.
        """

    def open_export(self, activity: Any) -> AbstractContextManager[tuple[Sequence[str], BinaryIO]]:
        """A finished export: its header in lower case, with `email address`, and the CSV after it.

        The activity is one of this provider's own.
        Raises `Unavailable` when it breaks off: what came before is then not all.
        """

    def activity(self, activity_id: str) -> Activity:
        """Raises `NotFound` for one that is not remembered any more."""

    def activities(self) -> Iterator[Activity]:
        """The last ones, newest first."""

    def contacts(self, **filters: str) -> Iterator[Contact]:
        """By `email`, `status` (`all`, `unsubscribed`) and `optout_after`, an ISO moment."""

    def delete_contact(self, contact_id: str) -> None:
        """Raises `NotFound`."""
