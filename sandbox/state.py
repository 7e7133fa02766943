"""Everything the sandbox knows, in memory: accounts, lists, contacts, grants, activities."""

import time
import uuid
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = uuid.UUID("cc000000-0000-11ee-8000-000000000000")


def named_id(*parts: object) -> str:
    """The same id for the same parts, whenever the sandbox starts."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


class Contact:
    """Compact, since there may be a million."""

    __slots__ = (
        "created",
        "deleted",
        "email",
        "first_name",
        "last_name",
        "lists",
        "more",
        "number",
        "opted_out",
        "opted_out_by",
        "permission",
        "updated",
    )

    def __init__(self, number: int, email: str, now: float) -> None:
        self.number = number
        self.email = email
        self.first_name = ""
        self.last_name = ""
        self.more: dict[str, Any] | None = None
        self.permission = "implicit"
        self.lists: frozenset[str] = frozenset()
        self.created = self.updated = now
        self.deleted: float | None = None
        self.opted_out: float | None = None
        self.opted_out_by = ""

    @property
    def contact_id(self) -> str:
        return f"{self.number:08x}-cc00-11ee-8000-fa163e000000"


@dataclass
class ContactList:
    list_id: str
    name: str
    description: str = ""
    favorite: bool = False
    created: float = 0
    updated: float = 0
    deleted: float | None = None


@dataclass
class Activity:
    activity_id: str
    kind: str
    created: float
    state: str = "initialized"
    started: float | None = None
    completed: float | None = None
    percent: int = 1
    errors: list[str] = field(default_factory=list)
    status: dict[str, int] = field(default_factory=dict)
    rows: list[dict[str, str]] | None = None


@dataclass
class Account:
    account_id: str
    organization: str
    users: list[str]
    lists: dict[str, ContactList] = field(default_factory=dict)
    custom_fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    by_number: dict[int, Contact] = field(default_factory=dict)
    activities: dict[str, Activity] = field(default_factory=dict)
    next_number: int = 1
    list_sets: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    def contact(self, email: str) -> Contact | None:
        return self.contacts.get(email.lower())

    def add_contact(self, email: str, now: float) -> Contact:
        contact = Contact(self.next_number, email, now)
        self.next_number += 1
        self.contacts[email.lower()] = contact
        self.by_number[contact.number] = contact
        return contact

    def lists_of(self, lists: frozenset[str]) -> frozenset[str]:
        """One object for equal sets: a million contacts share it."""
        return self.list_sets.setdefault(lists, lists)

    def open_activities(self) -> int:
        return sum(a.state in ("initialized", "processing") for a in self.activities.values())


@dataclass
class Grant:
    """What a person allowed an application; `refresh` is the refresh token that works now."""

    account_id: str
    scopes: str
    access: str
    expires: float
    refresh: str | None
    used: float


@dataclass
class Code:
    account_id: str
    redirect_uri: str
    scopes: str
    challenge: str
    expires: float


class State:
    def __init__(self) -> None:
        self.clock_offset = 0.0
        self.accounts: dict[str, Account] = {}
        self.grants: list[Grant] = []
        self.by_access: dict[str, Grant] = {}
        self.codes: dict[str, Code] = {}
        self.requests: Counter[str] = Counter()
        self.recent: deque[dict[str, Any]] = deque(maxlen=60)
        self.seconds: Counter[int] = Counter()
        self.arrivals: deque[float] = deque()
        self.most_in_a_second = 0
        self.imported_contacts = 0
        self.changed = 0
        for organization, users, names in (
            (
                "Harbour Books",
                ["olga@harbour-books.example"],
                ("Newsletter", "Customers", "Events"),
            ),
            ("Alpine Ski House", ["paul@alpine-ski.example"], ("Newsletter", "Season passes")),
        ):
            self._add_account(organization, users, names)

    def _add_account(self, organization: str, users: list[str], names: tuple[str, ...]) -> None:
        account_id = f"a{named_id(organization).replace('-', '')[:12]}"
        account = Account(account_id, organization, users)
        now = time.time()
        for name in names:
            list_id = named_id(organization, name)
            account.lists[list_id] = ContactList(list_id, name, created=now, updated=now)
        self.accounts[account_id] = account

    def now(self) -> float:
        return time.time() + self.clock_offset

    def touch(self) -> None:
        self.changed += 1
