"""What a refresh consists of: apps above add the kinds of its steps when they load.

A kind plans its steps when a refresh begins, and carries out one at a time. A step begins once
all it needs have ended, and is skipped when one of them did not succeed. It may be carried out
again for the same refresh, after a crash or a member's retry.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import ngettext_lazy

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
    """What else a page says about a step: where it leads, how far that is by itself, and what holds
    it up until when.
    """

    url: str
    state: str = ""
    label: str = ""
    text: str = ""
    goes_on: bool = False
    waits_for: str = ""
    waits_until: datetime | None = None


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
_count_sentences: dict[str, Any] = {
    "members": ngettext_lazy("%(shown)s member", "%(shown)s members", "count"),
    "joined": ngettext_lazy("%(shown)s joined", "%(shown)s joined", "count"),
    "left": ngettext_lazy("%(shown)s left", "%(shown)s left", "count"),
}


def add_kind(order: int, kind: Kind) -> None:
    """Registers a kind. Lower orders go first: sources 10, segments 20, exports 30."""
    _kinds[order] = kind


def kinds() -> list[Kind]:
    return [_kinds[order] for order in sorted(_kinds)]


def kind_of(name: str) -> Kind:
    return next(kind for kind in kinds() if kind.name == name)


def say_counts(sentences: dict[str, Any]) -> None:
    """Gives the counts of steps, by name, a lazy plural of `count` that tells it as `shown`.

    Others are for programs.
    """
    _count_sentences.update(sentences)


def counted(counts: Counts) -> list[str]:
    """What a step counted that has a sentence, in the order in which these were given."""
    return [
        sentence % {"count": number, "shown": number_format(number, force_grouping=True)}
        for name, sentence in _count_sentences.items()
        if isinstance(number := counts.get(name), int) and number
    ]
