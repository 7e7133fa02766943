"""An account's contacts, kept in columns: a million of them take some 200 MB, not a gigabyte."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

PERMISSIONS = (
    "implicit",
    "explicit",
    "not_set",
    "pending_confirmation",
    "temp_hold",
    "unsubscribed",
)
CODES = {name: code for code, name in enumerate(PERMISSIONS)}
UNSUBSCRIBED = CODES["unsubscribed"]
# From this code on a contact can't be put on a list and gets no mail.
FIRST_BLOCKED = CODES["temp_hold"]
ACTIVE = {"implicit", "explicit", "not_set"}
NOBODY = -1

Lists = frozenset[str]
NO_LISTS: Lists = frozenset()


class People:
    """Rows are numbered from 0 in order of arrival and never go away."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.emails: list[str] = []
        self.first_names: list[str] = []
        self.last_names: list[str] = []
        self.lists: list[Lists] = []
        self.permissions = bytearray()
        self.created = array("d")
        self.updated = array("d")
        self.deleted: dict[int, float] = {}
        self.opted_out: dict[int, tuple[float, str]] = {}
        self.more: dict[int, dict[str, Any]] = {}
        self.list_sets: dict[Lists, Lists] = {NO_LISTS: NO_LISTS}

    def __len__(self) -> int:
        return len(self.emails)

    def __iter__(self) -> Iterator["Contact"]:
        return (Contact(self, row) for row in range(len(self)))

    def by_email(self, email: str) -> "Contact | None":
        row = self.rows.get(email.lower(), NOBODY)
        return None if row == NOBODY else Contact(self, row)

    def by_row(self, row: int) -> "Contact | None":
        return Contact(self, row) if 0 <= row < len(self) else None

    def shared(self, lists: Iterable[str]) -> Lists:
        """One object for equal sets: a million contacts share it."""
        made = frozenset(lists)
        return self.list_sets.setdefault(made, made)

    def add(self, email: str, now: float) -> "Contact":
        """A contact that is on no list; `email` may be empty, for one known by name alone."""
        self.add_all([email], [email.lower()], [""], [""], NO_LISTS, now)
        return Contact(self, len(self) - 1)

    def add_all(
        self,
        emails: list[str],
        keys: list[str],
        first_names: list[str],
        last_names: list[str],
        lists: Lists,
        now: float,
    ) -> None:
        """New contacts, column by column; `keys` are their addresses in lower case."""
        start, count = len(self), len(emails)
        self.emails += emails
        self.first_names += first_names
        self.last_names += last_names
        self.lists += [lists] * count
        self.permissions += bytes(count)
        self.created += array("d", [now]) * count
        self.updated += array("d", [now]) * count
        self.rows.update(zip(keys, range(start, start + count), strict=True))
        self.rows.pop("", None)

    def forget(self, name: str) -> None:
        """Nobody has a value by that name any more."""
        for row in [row for row, more in self.more.items() if name in more]:
            Contact(self, row).tell_more({k: v for k, v in self.more[row].items() if k != name})

    def sizes(self, *, active: bool) -> Counter[str]:
        """How many contacts each list holds; only those who get mail if `active`."""
        standing: Iterable[Lists] = self.lists
        if active:
            pairs = zip(self.lists, self.permissions, strict=True)
            standing = (lists for lists, code in pairs if code < FIRST_BLOCKED)
        found: Counter[str] = Counter()
        for lists, count in Counter(standing).items():
            for list_id in lists:
                found[list_id] += count
        return found

    def permission_counts(self) -> Counter[str]:
        """How many have each permission, the deleted left out."""
        found = Counter({name: self.permissions.count(code) for name, code in CODES.items()})
        found.subtract(PERMISSIONS[self.permissions[row]] for row in self.deleted)
        return found

    def rows_on_lists(self, chosen: Lists, start: int = 0) -> Iterator[int]:
        """Rows of contacts on any of the lists, from a row on."""
        wanted = {lists for lists in self.list_sets if lists & chosen}
        for row in range(start, len(self)):
            if self.lists[row] in wanted:
                yield row

    def on_lists(self, chosen: Lists) -> Iterator["Contact"]:
        """Contacts on any of the lists."""
        return (Contact(self, row) for row in self.rows_on_lists(chosen))


class Contact:
    """One row of `People`, to look at and to change."""

    __slots__ = ("people", "row")

    def __init__(self, people: People, row: int) -> None:
        self.people = people
        self.row = row

    @property
    def email(self) -> str:
        return self.people.emails[self.row]

    @property
    def first_name(self) -> str:
        return self.people.first_names[self.row]

    @property
    def last_name(self) -> str:
        return self.people.last_names[self.row]

    @property
    def more(self) -> dict[str, Any]:
        """Whatever else is known, under the names that the JSON import uses."""
        return self.people.more.get(self.row, {})

    @property
    def lists(self) -> Lists:
        return self.people.lists[self.row]

    @property
    def permission(self) -> str:
        return PERMISSIONS[self.people.permissions[self.row]]

    @property
    def blocked(self) -> bool:
        return self.people.permissions[self.row] >= FIRST_BLOCKED

    @property
    def created(self) -> float:
        return self.people.created[self.row]

    @property
    def updated(self) -> float:
        return self.people.updated[self.row]

    @property
    def deleted(self) -> float | None:
        return self.people.deleted.get(self.row)

    @property
    def opted_out(self) -> float | None:
        return self.people.opted_out.get(self.row, (None, ""))[0]

    @property
    def opted_out_by(self) -> str:
        """`Contact` if the person did it, `Account` if the account's owner did."""
        return self.people.opted_out.get(self.row, (None, ""))[1]

    def rename(self, first_name: str, last_name: str) -> None:
        self.people.first_names[self.row] = first_name
        self.people.last_names[self.row] = last_name

    def readdress(self, email: str) -> None:
        """`email` is nobody else's; empty takes the address away."""
        self.people.rows.pop(self.email.lower(), None)
        if email:
            self.people.rows[email.lower()] = self.row
        self.people.emails[self.row] = email

    def tell_more(self, more: dict[str, Any]) -> None:
        """Replaces `more`."""
        if more:
            self.people.more[self.row] = more
        else:
            self.people.more.pop(self.row, None)

    def put_on(self, lists: Iterable[str]) -> None:
        """Replaces the lists; being on one revives a deleted contact."""
        self.people.lists[self.row] = shared = self.people.shared(lists)
        if shared:
            self.people.deleted.pop(self.row, None)

    def permit(self, permission: str) -> None:
        """Raises KeyError for a permission that there is not."""
        self.people.permissions[self.row] = CODES[permission]
        self.people.opted_out.pop(self.row, None)

    def opt_out(self, now: float, by: str) -> None:
        """An unsubscribed contact is on no list any more."""
        self.people.permissions[self.row] = UNSUBSCRIBED
        self.people.opted_out[self.row] = (now, by)
        self.people.lists[self.row] = NO_LISTS
        self.touch(now)

    def delete(self, now: float) -> None:
        """Softly: the address stays taken."""
        self.people.lists[self.row] = NO_LISTS
        self.people.deleted[self.row] = now
        self.touch(now)

    def touch(self, now: float) -> None:
        self.people.updated[self.row] = now
