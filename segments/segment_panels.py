"""Parts of a segment's page that apps above add."""

from collections.abc import Callable
from typing import Any

from segments.models import Segment

Panel = tuple[str, dict[str, Any]]

_panels: list[Callable[[Segment], Panel]] = []


def add(panel: Callable[[Segment], Panel]) -> None:
    """Adds a function of a segment: a template and its context, which it sees as `panel`."""
    _panels.append(panel)


def of(segment: Segment) -> list[Panel]:
    return [panel(segment) for panel in _panels]
