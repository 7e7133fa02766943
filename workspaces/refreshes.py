"""What a refresh consists of: apps above add the kinds of its steps when they load.

A kind plans its steps when a refresh begins, and carries out one at a time. A step begins once
all it needs have ended, and is skipped when one of them did not succeed. It may be carried out
again for the same refresh, after a crash or a member's retry.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workspaces.models import Refresh, RefreshStep
from workspaces.sentences import Explained

Counts = dict[str, object]
# A kind's name and the id of an object of it.
Thing = tuple[str, int]


@dataclass(frozen=True)
class Planned:
    """A step to be, named as people know its object; `needs` may hold what has no step."""

    object_id: int
    name: str
    needs: frozenset[Thing] = frozenset()


@dataclass(frozen=True)
class Told:
    """What else a page says about a step: where it leads, and how far that is by itself."""

    url: str
    state: str = ""
    label: str = ""
    text: str = ""
    goes_on: bool = False


@dataclass(frozen=True)
class Kind:
    """One sort of step.

    `plan` yields its steps in an order in which none precedes what it needs. `carry_out` returns
    what it counted and raises `StepFailed`; `skip` is told of a step that is left out. `tell`
    says what pages show of steps, by the object's id.
    """

    name: str
    label: Promise | str
    plan: Callable[[Refresh], Iterable[Planned]]
    carry_out: Callable[[RefreshStep], Counts]
    tell: Callable[[list[RefreshStep]], dict[int, Told]] = field(default=lambda steps: {})
    skip: Callable[[RefreshStep], None] = field(default=lambda step: None)


class StepFailed(Explained):
    """Why a step did not succeed; the message is for people."""


_kinds: dict[int, Kind] = {}
_count_names: dict[str, Promise | str] = {
    "members": _("members"),
    "joined": _("joined"),
    "left": _("left"),
}


def add_kind(order: int, kind: Kind) -> None:
    """Registers a kind. Lower orders go first: sources 10, segments 20, exports 30."""
    _kinds[order] = kind


def kinds() -> list[Kind]:
    return [_kinds[order] for order in sorted(_kinds)]


def kind_of(name: str) -> Kind:
    return next(kind for kind in kinds() if kind.name == name)


def name_counts(names: dict[str, Promise | str]) -> None:
    """Says what the counts of steps are called on the screen; others are for programs."""
    _count_names.update(names)


def counted(counts: Counts) -> list[tuple[str, object]]:
    """What a step counted that has a name, in the order in which the names were given."""
    return [(str(name), counts[key]) for key, name in _count_names.items() if counts.get(key)]
