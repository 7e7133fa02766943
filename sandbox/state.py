"""Everything the sandbox knows, in memory: accounts, users, lists, grants, activities."""

import time
import uuid
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.answers import instant
from sandbox.people import Contact, People

NAMESPACE = uuid.UUID("cc000000-0000-11ee-8000-000000000000")
OPEN_STATES = ("initialized", "processing")
ALL_PRIVILEGES = (
    "account:read",
    "account:update",
    "campaign:create",
    "contacts:lists:read",
    "contacts:lists:write",
    "contacts:read",
    "contacts:write",
)
# A user whom the account's owner lets see contacts and write campaigns, and no more.
LOOKING_PRIVILEGES = ("account:read", "campaign:create", "contacts:lists:read", "contacts:read")
RECENT_REQUESTS = 60


def named_id(*parts: object) -> str:
    """The same id for the same parts, whenever the sandbox starts."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


@dataclass
class User:
    email: str
    first_name: str
    last_name: str
    role: str
    privileges: tuple[str, ...] = ALL_PRIVILEGES


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
    # The file that a contact export makes, and what it holds once it is made.
    file_id: str = ""
    file: list[bytes] | None = None


@dataclass
class Account:
    account_id: str
    organization: str
    users: list[User]
    lists: dict[str, ContactList] = field(default_factory=dict)
    custom_fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: People = field(default_factory=People)
    activities: dict[str, Activity] = field(default_factory=dict)
    open_activities: int = 0

    @property
    def owner(self) -> User:
        return self.users[0]

    def live_lists(self) -> list[ContactList]:
        return [one for one in self.lists.values() if not one.deleted]

    def has_lists(self, list_ids: frozenset[str]) -> bool:
        return all(one in self.lists and not self.lists[one].deleted for one in list_ids)

    def contact_id(self, contact: Contact) -> str:
        return f"{contact.row + 1:08x}-cc00-11ee-8000-{self.account_id[1:]}"

    def contact_of_id(self, contact_id: str) -> Contact | None:
        """None for an id of nobody or of another account."""
        number, _, rest = contact_id.lower().partition("-")
        if len(number) != 8 or rest != f"cc00-11ee-8000-{self.account_id[1:]}":
            return None
        try:
            return self.people.by_row(int(number, 16) - 1)
        except ValueError:
            return None


@dataclass
class Grant:
    """What a user allowed an application; `refresh` is the refresh token that works now."""

    account_id: str
    user: str
    scopes: str
    access: str
    expires: float
    refresh: str | None
    used: float
    # Whether the application showed a code verifier instead of its secret.
    public: bool = False


@dataclass
class Code:
    account_id: str
    user: str
    redirect_uri: str
    scopes: str
    challenge: str
    expires: float


class State:
    def __init__(self) -> None:
        self.clock_offset = 0.0
        self.accounts: dict[str, Account] = {}
        self.by_access: dict[str, Grant] = {}
        self.by_refresh: dict[str, Grant] = {}
        self.codes: dict[str, Code] = {}
        self.requests: Counter[str] = Counter()
        self.recent: deque[dict[str, Any]] = deque(maxlen=RECENT_REQUESTS)
        self.most_in_a_second = 0
        self.day = ""
        self.today = 0
        self.imports = 0
        self.imported_contacts = 0
        self.changed = 0
        self._add_account(
            "Harbour Books",
            [
                User("olga@harbour-books.example", "Olga", "Berg", "Account owner"),
                User(
                    "uma@harbour-books.example",
                    "Uma",
                    "Lind",
                    "Campaign creator",
                    LOOKING_PRIVILEGES,
                ),
            ],
            ("Newsletter", "Customers", "Events"),
            {"Occupation": "string", "Member since": "date"},
        )
        self._add_account(
            "Alpine Ski House",
            [User("paul@alpine-ski.example", "Paul", "Moser", "Account owner")],
            ("Newsletter", "Season passes"),
        )

    def _add_account(
        self,
        organization: str,
        users: list[User],
        names: tuple[str, ...],
        fields: dict[str, str] | None = None,
    ) -> None:
        account_id = f"a{named_id(organization).replace('-', '')[:12]}"
        account = Account(account_id, organization, users)
        now = time.time()
        for name in names:
            list_id = named_id(organization, name)
            account.lists[list_id] = ContactList(list_id, name, created=now, updated=now)
        for label, kind in (fields or {}).items():
            field_id = named_id(organization, label)
            account.custom_fields[field_id] = {
                "custom_field_id": field_id,
                "label": label,
                "name": label.replace(" ", "_"),
                "type": kind,
                "version": 2,
                "created_at": instant(now),
                "updated_at": instant(now),
            }
        self.accounts[account_id] = account

    def now(self) -> float:
        return time.time() + self.clock_offset

    def touch(self) -> None:
        self.changed += 1
