"""What a workspace's home shows: apps above add their parts when they load.

Each part is a function of the request (its `workspace` in scope, its `membership` known) that
returns what to show, or None for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True)
class Card:
    """A card in the main column: a template and its context."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Notice:
    """Something that needs a person. `tone` is info, warning or danger."""

    text: str
    url: str
    link: str
    tone: str = "warning"


@dataclass(frozen=True)
class Step:
    """A first step, and whether it has been taken. Without a URL the member can't take it.

    One that was begun leads back to where it was left.
    """

    label: str
    text: str
    done: bool
    url: str = ""
    link: str = ""


@dataclass(frozen=True)
class Stat:
    """A figure, with the page behind it."""

    label: str
    value: str | int
    icon: str
    url: str = ""
    note: str = ""


_cards: dict[int, Callable[[HttpRequest], Card | None]] = {}
_steps: dict[int, Callable[[HttpRequest], Step | None]] = {}
_stats: dict[int, Callable[[HttpRequest], Stat | None]] = {}
_notices: list[Callable[[HttpRequest], list[Notice]]] = []


def add_card(order: int, part: Callable[[HttpRequest], Card | None]) -> None:
    _cards[order] = part


def add_step(order: int, part: Callable[[HttpRequest], Step | None]) -> None:
    """Orders: a workspace 5, customers 10, a segment 20, connect 30, configure 40, run 50."""
    _steps[order] = part


def add_stat(order: int, part: Callable[[HttpRequest], Stat | None]) -> None:
    """Orders: profiles 10, segments 20, exports 30, connections 40."""
    _stats[order] = part


def add_notices(part: Callable[[HttpRequest], list[Notice]]) -> None:
    _notices.append(part)


def cards(request: HttpRequest) -> list[Card]:
    return _present(_cards, request)


def steps(request: HttpRequest) -> list[Step]:
    return _present(_steps, request)


def stats(request: HttpRequest) -> list[Stat]:
    return _present(_stats, request)


def notices(request: HttpRequest) -> list[Notice]:
    return [notice for part in _notices for notice in part(request)]


def _present(parts: dict[int, Any], request: HttpRequest) -> list[Any]:
    shown = (parts[order](request) for order in sorted(parts))
    return [part for part in shown if part is not None]
