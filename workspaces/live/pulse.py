"""Whether anything has moved where pages are open: one short statement, however many there are.

Each app adds what of its own takes time and shows on pages while it goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from config.planned import Planned
from config.row_security import across_workspaces

PULSES = """
SELECT workspace_id, md5(string_agg(thing || text, ' ' ORDER BY thing, text)),
  string_agg(thing, ' ' ORDER BY thing)
FROM ({}) moving (workspace_id, thing, text) GROUP BY workspace_id
"""

_going_on: list[str] = []


@dataclass(frozen=True)
class Pulse:
    """`digest` is another one as soon as something has moved, has begun or has ended.

    `things` are those that go on, as `run-7`, and the last of those that ended, as `run-6.`.
    """

    digest: str = ""
    things: str = ""


STILL = Pulse()


def add(sql: str) -> None:
    """Adds a SELECT of the rows of any of `%(workspaces)s` that are not at their end.

    Of each its workspace's id, what it is called as a thing that goes on, and a text: in that is
    all that pages show of it while it goes on, and as little else as can be. It is asked across
    workspaces.
    """
    _going_on.append(sql)


def of(workspaces: Iterable[int]) -> dict[int, Pulse]:
    """By the workspace's id."""
    asked = list(workspaces)
    with across_workspaces():
        said = _pulses().ask(workspaces=asked)
    found = {workspace: Pulse(*its) for workspace, *its in said}
    return {workspace: found.get(workspace, STILL) for workspace in asked}


@cache
def _pulses() -> Planned:
    """Of all that has been added by the time that somebody asks."""
    return Planned(PULSES.format(" UNION ALL ".join(_going_on)), workspaces="bigint[]")
