"""The few words of a part that move most, drawn without making the part anew.

An app that knows how says what of an object moves; its part names the object, see `parts`.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """What is in one element: another `state`, another HTML."""

    state: str
    draw: Callable[[], str]


@dataclass(frozen=True)
class Figures:
    """An object's pieces, by the id of the element that each fills.

    `shape` is the state of whatever else the part shows: with another the part is made anew.
    """

    shape: str
    pieces: dict[str, Piece]


_known: dict[str, Callable[[int], Figures | None]] = {}


def add(kind: str, figures: Callable[[int], Figures | None]) -> None:
    """By the object's id; None when there is no such object any more.

    Asked with the workspace in scope, its time and the reader's language as for a page. Pieces are
    the same for every role.
    """
    _known[kind] = figures


def name(kind: str, pk: int) -> str:
    return f"{kind} {pk}"


def of(named: str) -> Figures | None:
    kind, _space, pk = named.partition(" ")
    return _known[kind](int(pk))
