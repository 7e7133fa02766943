"""What a list must hold and a run must say, told as simply as can be believed at a glance.

Beside the product: it knows people, segments, one export and what happened at the provider, and
nothing of ledgers, batches or requests.
"""

from dataclasses import dataclass, field

VALID = {"{}@{}", " {}@{}", "{}@{} "}
BROKEN = {"{}.{}", "{}@@{}", "è{}@{}"}


@dataclass
class Person:
    key: str
    said: str
    """The address as the profile has it; empty for none."""
    first: str
    touched: int
    """Who of two with one address was changed last stands for both."""
    last: str = "Two"
    """Many have it as their first name too: for them another matching changes nothing."""

    @property
    def address(self) -> str:
        return self.said.strip().lower()

    @property
    def is_valid(self) -> bool:
        return (
            self.said != "" and "@@" not in self.said and "@" in self.said and self.said.isascii()
        )


@dataclass
class Model:
    people: dict[str, Person] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=lambda: {"a": set(), "b": set()})
    selected: set[str] = field(default_factory=lambda: {"a"})
    mirrors: bool = True
    matched: str = "first"
    """The attribute that feeds the contact's first name."""
    on_list: set[str] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)
    """What the export last sent of whom it put on the list, by address."""
    said_no: set[str] = field(default_factory=set)
    taken_off: set[str] = field(default_factory=set)

    @property
    def in_segments(self) -> list[Person]:
        keys = set().union(*(self.members[name] for name in self.selected))
        return [self.people[key] for key in sorted(keys)]

    @property
    def winners(self) -> dict[str, Person]:
        found: dict[str, Person] = {}
        for person in sorted(self.in_segments, key=lambda one: one.touched):
            if person.is_valid:
                found[person.address] = person
        return found

    @property
    def wanted(self) -> dict[str, str]:
        no = self.said_no | self.taken_off
        return {a: getattr(one, self.matched) for a, one in self.winners.items() if a not in no}

    @property
    def leaving(self) -> set[str]:
        return set(self.held) - set(self.wanted) - self.taken_off if self.mirrors else set()

    @property
    def is_skipped(self) -> bool:
        """Nobody to send, or a segment that is empty while people would be taken off for it."""
        return not self.in_segments or bool(
            self.leaving and any(not self.members[name] for name in self.selected)
        )

    def account(self, *, full: bool) -> dict[str, int]:
        wanted, held = self.wanted, self.held
        valid = [one for one in self.in_segments if one.is_valid]
        changed = {a for a in wanted if a in held and (full or held[a] != wanted[a])}
        counts = {
            "added": len(wanted.keys() - held.keys()),
            "changed": len(changed),
            "unchanged": len(wanted.keys() & held.keys() - changed),
            "duplicate": len(valid) - len(self.winners),
            "invalid": len(self.in_segments) - len(valid),
            "suppressed": len(self.winners) - len(wanted),
        }
        return {fate: count for fate, count in counts.items() if count}

    def run(self) -> None:
        """What the world is like after a run that ended well."""
        self.on_list = (self.on_list | self.wanted.keys()) - self.leaving
        kept = {} if self.mirrors else {a: v for a, v in self.held.items() if a in self.on_list}
        self.held = kept | self.wanted

    def unsubscribes(self, address: str) -> None:
        self.said_no.add(address)
        self.taken_off.discard(address)
        self.on_list.discard(address)
        self.held.pop(address, None)

    def is_taken_off(self, address: str) -> None:
        self.on_list.discard(address)
        if self.held.pop(address, None) is not None:
            self.taken_off.add(address)

    def put_back_here(self) -> None:
        """By a member, all of them."""
        self.taken_off.clear()
