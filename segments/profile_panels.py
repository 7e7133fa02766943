"""Parts of a profile's page that apps above add."""

from collections.abc import Callable
from typing import Any

from segments.models import Profile

Panel = tuple[str, dict[str, Any]]

_panels: list[Callable[[Profile], Panel | None]] = []


def add(panel: Callable[[Profile], Panel | None]) -> None:
    """Adds a function of a profile: a template and its context, or None for nothing."""
    _panels.append(panel)


def of(profile: Profile) -> list[Panel]:
    return [found for panel in _panels if (found := panel(profile)) is not None]
