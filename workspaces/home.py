"""What a workspace's home shows: apps above add their parts when they load.

Each part is a function of the request (its `workspace` in scope, its `membership` known) that
returns what to show, or None for nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

from workspaces import cached

T = TypeVar("T")
# So long at most after one is to be taken again, its only source deleted say, it is not shown.
TAKEN_SECONDS = 600


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
    """The first steps; none once all of them were taken, which is asked again after ten minutes."""
    key = cached.key(request.workspace.pk, "first-steps-taken")  # type: ignore[attr-defined]
    with suppress(RedisError):
        if cache.get(key):
            return []
    found = _present(_steps, request)
    if found and all(step.done for step in found):
        with suppress(RedisError):
            cache.set(key, True, TAKEN_SECONDS)
    return found


def once(request: HttpRequest, what: str, ask: Callable[[], T]) -> T:
    """What several parts show something of: asked by the first of them, known to the others."""
    known: dict[str, Any] = request.__dict__.setdefault("asked_once", {})
    if what not in known:
        known[what] = ask()
    found: T = known[what]
    return found


def stats(request: HttpRequest) -> list[Stat]:
    return _present(_stats, request)


def notices(request: HttpRequest) -> list[Notice]:
    return [notice for part in _notices for notice in part(request)]


def _present(parts: dict[int, Any], request: HttpRequest) -> list[Any]:
    shown = (parts[order](request) for order in sorted(parts))
    return [part for part in shown if part is not None]
