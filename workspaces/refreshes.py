"""What a refresh consists of: apps above add their stages when they load.

A stage is a function of the refresh; it raises `StageFailed` with a plain reason when the stages
after it must not run. A stage may be called again for the same refresh after a crash.
"""

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workspaces.models import Refresh

Stage = Callable[[Refresh], dict[str, object]]

_names: dict[str, Promise | str] = {
    "sources": _("Sources"),
    "segments": _("Segments"),
    "exports": _("Exports"),
}
_count_names: dict[str, Promise | str] = {}

_stages: dict[int, tuple[str, Stage]] = {}


class StageFailed(Exception):
    """Why a stage ended a refresh; the message is for people."""


def add_stage(order: int, name: str, stage: Stage) -> None:
    """Registers a stage. Lower orders run first: sources 10, segments 20, exports 30."""
    _stages[order] = (name, stage)


def stages() -> list[tuple[str, Stage]]:
    return [_stages[order] for order in sorted(_stages)]


def name_of(stage: str) -> str:
    return str(_names.get(stage, stage))


def name_counts(names: dict[str, Promise | str]) -> None:
    """Says what the counts that stages return are called on the screen."""
    _count_names.update(names)


def name_of_count(count: str) -> str:
    return str(_count_names.get(count) or count.replace("_", " "))
