"""What differs between two documents, part by part and field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from exports.config_files.document import Document, plain, shown
from exports.config_files.yaml_text import Path

SECTIONS = ("sources", "attributes", "segments", "destinations")
KINDS = dict(zip(SECTIONS, ("source", "attribute", "segment", "destination"), strict=True))


@dataclass(frozen=True)
class Field:
    """`was` or `becomes` is None where it has, or will have, its default."""

    field: str
    was: Any
    becomes: Any


@dataclass(frozen=True)
class Change:
    """`action` is add, change or remove; or leave, for what is only in the workspace."""

    action: str
    kind: str
    name: str
    fields: tuple[Field, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"fields": [asdict(one) for one in self.fields]}


def changes(before: Document, after: Document, wanted: Document) -> list[Change]:
    """From before to after; and what stays though the file that is wanted knows nothing of it."""
    found: list[Change] = []
    if before.schedule and after.schedule and before.schedule != after.schedule:
        fields = fields_of(plain(before.schedule), plain(after.schedule))
        found.append(Change("change", "schedule", "", tuple(fields)))
    for section in SECTIONS:
        found += _of_section(
            KINDS[section],
            getattr(before, section) or {},
            getattr(after, section) or {},
            getattr(wanted, section),
        )
    return found


def _of_section(
    kind: str, before: Mapping[str, Any], after: Mapping[str, Any], wanted: Any
) -> Iterator[Change]:
    for name in after:
        if name not in before:
            yield Change("add", kind, name, tuple(fields_of({}, plain(after[name]))))
        elif before[name] != after[name]:
            fields = fields_of(plain(before[name]), plain(after[name]))
            yield Change("change", kind, name, tuple(fields))
        elif wanted is not None and name not in wanted:
            yield Change("leave", kind, name)
    for name in before:
        if name not in after:
            yield Change("remove", kind, name)


def fields_of(before: Any, after: Any, path: Path = ()) -> Iterator[Field]:
    """Down to the smallest thing that differs."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*after, *(key for key in before if key not in after)]:
            yield from fields_of(before.get(key), after.get(key), (*path, key))
    elif _are_alike(before, after):
        for place, (was, becomes) in enumerate(zip(before, after, strict=True)):
            yield from fields_of(was, becomes, (*path, place))
    else:
        yield Field(shown(path), before, after)


def _are_alike(before: Any, after: Any) -> bool:
    """Lists of as many groups or rules."""
    return (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and all(isinstance(one, dict) for one in [*before, *after])
    )
