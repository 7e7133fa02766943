"""Which columns of a table are shown: those that the URL names, or else the usual ones."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.functional import Promise

NAME = "columns"


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    is_shown: bool


class Columns:
    """A table's columns beside its first, which is always there.

    `"members" in columns` is how a template asks whether it shows one.
    """

    def __init__(
        self,
        query: QueryDict,
        offered: Mapping[str, str | Promise],
        *,
        usual: Collection[str] | None = None,
        most: int = 30,
    ) -> None:
        named = set(query.getlist(NAME))
        self.chosen = [name for name in offered if name in named][:most]
        shown = self.chosen or (offered if usual is None else usual)
        self.all = [Column(name, str(label), name in shown) for name, label in offered.items()]
        self.shown = [one for one in self.all if one.is_shown]
        self._names = {one.name for one in self.shown}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def __len__(self) -> int:
        """How many are shown, the first one too: what a cell that spans the table spans."""
        return len(self.shown) + 1
