"""One action on several segments: what one of them does not allow is told, the others have it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from segments import segment_services, segment_states
from segments.models import Segment
from segments.rule_tree import RuleError
from workspaces.models import User

MOST = 500
DOINGS: dict[str, Any] = {
    "refresh": segment_services.request_refresh,
    "activate": segment_states.activate,
    "deactivate": segment_states.deactivate,
    "delete": segment_services.delete_segment,
}


@dataclass(frozen=True)
class Outcome:
    """`refused` says why, in words for people."""

    done: list[Segment] = field(default_factory=list)
    refused: list[tuple[Segment, str]] = field(default_factory=list)


def do(action: str, chosen: Iterable[Segment], *, by: User | None) -> Outcome:
    """`action` is one of DOINGS."""
    outcome = Outcome()
    for segment in chosen:
        try:
            DOINGS[action](segment, by=by)
        except (segment_services.Refused, RuleError) as problem:
            outcome.refused.append((segment, str(problem)))
        else:
            outcome.done.append(segment)
    return outcome
