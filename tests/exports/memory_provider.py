"""A second provider, in memory: all that the run engine needs of one, in one small file."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

from connections.provider import errors

TITLES = {"email_address": "Email address", "permission_to_send": "Email status"}


@dataclass
class Counts:
    person_count: int | None = None
    error_count: int | None = None
    correctable_count: int | None = None
    cannot_add_to_list_count: int | None = None


@dataclass
class MemoryActivity:
    activity_id: str
    status: Counts
    state: str = "completed"
    has_ended: bool = True
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    activity_errors: Sequence[str] = ()
    file: bytes = b""

    def as_json(self) -> dict[str, Any]:
        return {"activity_id": self.activity_id, "state": self.state, **asdict(self.status)}


@dataclass
class MemoryList:
    list_id: str
    name: str
    membership_count: int | None = None


@dataclass
class MemoryAddress:
    address: str


@dataclass
class MemoryContact:
    contact_id: str
    email_address: MemoryAddress
    fields: dict[str, str] = field(default_factory=dict)
    list_memberships: list[str] = field(default_factory=list)
    permission: str = "implicit"


class MemoryProvider:
    """An account that refuses whoever has an address at refused.example."""

    def __init__(self) -> None:
        self.requests = 0
        self.imports = 0
        self._lists: dict[str, MemoryList] = {}
        self.people: dict[str, MemoryContact] = {}
        self._activities: dict[str, MemoryActivity] = {}

    def on(self, list_id: str) -> dict[str, dict[str, str]]:
        return {
            address: one.fields
            for address, one in self.people.items()
            if list_id in one.list_memberships
        }

    def lists(self) -> Iterator[MemoryList]:
        self.requests += 1
        yield from self._lists.values()

    def list(self, list_id: str) -> MemoryList:
        self.requests += 1
        if list_id not in self._lists:
            raise errors.NotFound("There is no such list.")
        return self._lists[list_id]

    def create_list(self, name: str, description: str = "") -> MemoryList:
        self.requests += 1
        made = MemoryList(f"list-{len(self._lists)}", name)
        return self._lists.setdefault(made.list_id, made)

    def delete_list(self, list_id: str) -> None:
        self.requests += 1
        del self._lists[list_id]
        for one in self.people.values():
            one.list_memberships = [each for each in one.list_memberships if each != list_id]

    def custom_fields(self) -> Iterator[Any]:
        return iter(())

    def import_contacts(self, body: bytes) -> MemoryActivity:
        self.imports += 1
        batch = json.loads(body)
        refused = 0
        for row in batch["import_data"]:
            address = row.pop("email")
            if address.endswith("@refused.example"):
                refused += 1
                continue
            known = MemoryContact(f"contact-{address}", MemoryAddress(address))
            one = self.people.setdefault(address, known)
            one.fields.update(row)
            one.list_memberships = [*{*one.list_memberships, *batch["list_ids"]}]
        people = len(batch["import_data"])
        return self._done(Counts(people, refused, 0, 0))

    def remove_list_memberships(
        self, contact_ids: Iterable[str], list_ids: Iterable[str]
    ) -> MemoryActivity:
        return self._take_off({*contact_ids}, {*list_ids})

    def remove_list_from_lists(
        self, source_list_id: str, list_ids: Iterable[str]
    ) -> MemoryActivity:
        on_it = {
            one.contact_id for one in self.people.values() if source_list_id in one.list_memberships
        }
        return self._take_off(on_it, {*list_ids})

    def _take_off(self, contact_ids: set[str], list_ids: set[str]) -> MemoryActivity:
        for one in self.people.values():
            if one.contact_id in contact_ids:
                one.list_memberships = [
                    each for each in one.list_memberships if each not in list_ids
                ]
        return self._done(Counts())

    def export_contacts(
        self, *, list_ids: Iterable[str] = (), fields: Iterable[str] = (), status: str = ""
    ) -> MemoryActivity:
        wanted, file = {*list_ids}, io.StringIO()
        names = [*fields] or ["email_address"]
        lines = csv.writer(file)
        lines.writerow([TITLES[name] for name in names])
        for address, one in self.people.items():
            if wanted and not wanted & {*one.list_memberships}:
                continue
            if status and status != one.permission:
                continue
            told = {"email_address": address, "permission_to_send": one.permission}
            lines.writerow([told[name] for name in names])
        return self._done(Counts(), file.getvalue().encode())

    @contextmanager
    def open_export(self, activity: Any) -> Iterator[tuple[Sequence[str], BinaryIO]]:
        self.requests += 1
        file = io.BytesIO(self._activities[activity.activity_id].file)
        header = file.readline().decode().strip().lower().split(",")
        yield header, file

    def activity(self, activity_id: str) -> MemoryActivity:
        self.requests += 1
        return self._activities[activity_id]

    def activities(self) -> Iterator[MemoryActivity]:
        self.requests += 1
        yield from reversed(self._activities.values())

    def contacts(self, **filters: str) -> Iterator[MemoryContact]:
        self.requests += 1
        for one in list(self.people.values()):
            if filters.get("email", one.email_address.address) != one.email_address.address:
                continue
            if filters.get("status", "all") in ("all", one.permission):
                yield one

    def delete_contact(self, contact_id: str) -> None:
        self.requests += 1
        self.people = {
            address: one for address, one in self.people.items() if one.contact_id != contact_id
        }

    def _done(self, status: Counts, file: bytes = b"") -> MemoryActivity:
        self.requests += 1
        name = f"activity-{len(self._activities)}"
        self._activities[name] = MemoryActivity(name, status, file=file)
        return self._activities[name]
