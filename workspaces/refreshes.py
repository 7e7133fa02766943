"""What a refresh consists of: apps above add their stages when they load.

A stage is a function of the refresh; it raises `StageFailed` with a plain reason when the stages
after it must not run.
"""

from collections.abc import Callable

from workspaces.models import Refresh

Stage = Callable[[Refresh], dict[str, object]]

_stages: dict[int, tuple[str, Stage]] = {}


class StageFailed(Exception):
    """Why a stage ended a refresh; the message is for people."""


def add_stage(order: int, name: str, stage: Stage) -> None:
    """Registers a stage. Lower orders run first: sources 10, segments 20, exports 30."""
    _stages[order] = (name, stage)


def stages() -> list[tuple[str, Stage]]:
    return [_stages[order] for order in sorted(_stages)]
