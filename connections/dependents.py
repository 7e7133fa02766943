"""What depends on a connection: apps above say so, and how to let go of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connections.models import Connection
from workspaces.models import User


@dataclass(frozen=True)
class Dependent:
    """Something that uses a connection. `key` names it among the connection's dependents.

    `kept_by` is the id of the user who set it up as it is, if that is known: it rests on the
    connection's being shared with them.
    `detach` and `remove` raise `connections.services.Refused` when that can't be now.
    """

    key: str
    label: str
    url: str
    detach: Callable[[User | None], None]
    remove: Callable[[User | None], None]
    kept_by: int | None = None


# By the connection's id.
Found = dict[int, list[Dependent]]
Finder = Callable[[Sequence[Connection]], Found]

_finders: list[Finder] = []


def add(finder: Finder) -> None:
    _finders.append(finder)


def of(connection: Connection) -> list[Dependent]:
    return of_each([connection])[connection.pk]


def of_each(connections: Sequence[Connection]) -> Found:
    """What depends on each of the connections; as many queries for a hundred as for one."""
    found: Found = {connection.pk: [] for connection in connections}
    for finder in _finders:
        for pk, dependents in finder(connections).items():
            found[pk] += dependents
    return found
