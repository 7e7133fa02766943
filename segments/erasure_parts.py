"""What apps above have to do with an erasure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from segments.models import Erasure, Profile

# Not 0: that stands where whoever a request carried is no longer told.
NO_PROFILE = -1
Panel = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Person:
    """Who is to be erased: the profile, and the addresses in small letters that are theirs.

    Of somebody without a profile `profile_id` is `NO_PROFILE`, and `key` the address.
    """

    profile_id: int
    key: str
    addresses: frozenset[str]


@dataclass(frozen=True)
class Part:
    """An app's part, in the order in which it is asked.

    `uses_as_address` names the attributes that it takes for the person's own address, and
    `addresses_of` tells what it knows of a profile's. `foresee` is a panel that says beforehand
    what would happen. `lock` keeps its own work from going on while a person is erased; it raises
    `OperationalError` when it can't be held up in time. `let_go` gives up what it holds, in the
    same transaction, and notes what is to be done after it; `carry_on` sees to that being done.
    `is_done` says whether all of it is, `tell` what pages show of erasures, by their ids.
    """

    uses_as_address: Callable[[], set[str]]
    addresses_of: Callable[[Profile], set[str]]
    foresee: Callable[[Person], Panel]
    lock: Callable[[], None]
    let_go: Callable[[Erasure, Person], None]
    carry_on: Callable[[Erasure], None]
    is_done: Callable[[Erasure], bool]
    tell: Callable[[Iterable[Erasure]], dict[int, Panel]]


_parts: list[Part] = []


def add(part: Part) -> None:
    _parts.append(part)


def every() -> list[Part]:
    return list(_parts)
