"""The few words of a part that move most, drawn without making the part anew.

An app that knows how says what of an object moves; its part names the object, see `parts`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from config.row_security import across_workspaces
from workspaces.live.pulse import Pulse

# What goes on in a workspace, whatever it is: no app's, since its pulse tells it.
THINGS = "things"
# An object's workspace, and its own id.
Named = tuple[int, int]
Asked = Collection[Named]


@dataclass(frozen=True)
class Piece:
    """What is in one element: another `state`, another HTML."""

    state: Any
    draw: Callable[[], str]


@dataclass(frozen=True)
class Figures:
    """An object's pieces, by the id of the element that each fills.

    `shape` is the state of whatever else the part shows: with another the part is made anew. So it
    is every now and then, for what it says of the time that has passed, unless it is `ageless`.
    """

    shape: str
    pieces: dict[str, Piece]
    ageless: bool = False


@dataclass(frozen=True)
class _Kind:
    load: Callable[[Asked], dict[Named, Any]]
    figures: Callable[[Any], Figures]


_kinds: dict[str, _Kind] = {}


def add(
    kind: str, load: Callable[[Asked], dict[Named, Any]], figures: Callable[[Any], Figures]
) -> None:
    """`load` finds all that are asked for at once, across workspaces; what is missing is gone.

    `figures` are made of what it found of one, with the workspace in scope, its time and the
    reader's language as for a page, by asking for nothing more. Pieces are the same for every role.
    """
    _kinds[kind] = _Kind(load, figures)


def name(kind: str, pk: int) -> str:
    return f"{kind} {pk}"


class Loaded:
    """What was found of all that are asked for, each by its workspace and its `name`."""

    def __init__(self, asked: Iterable[tuple[int, str]], pulses: dict[int, Pulse]) -> None:
        self._pulses = pulses
        by_kind = defaultdict(set)
        for workspace, named in asked:
            if named != THINGS:
                kind, pk = _kind_and_pk(named)
                by_kind[kind].add((workspace, pk))
        with across_workspaces():
            self._found = {kind: _kinds[kind].load(those) for kind, those in by_kind.items()}

    def figures(self, workspace: int, named: str) -> Figures | None:
        """None when there is no such object any more."""
        if named == THINGS:
            things = self._pulses[workspace].things
            return Figures("", {THINGS: Piece(things, lambda: things)}, ageless=True)
        kind, pk = _kind_and_pk(named)
        found = self._found[kind].get((workspace, pk))
        return None if found is None else _kinds[kind].figures(found)


def _kind_and_pk(named: str) -> tuple[str, int]:
    kind, _space, pk = named.partition(" ")
    return kind, int(pk)
