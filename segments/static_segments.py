"""Static segments: a list of keys, or of addresses, whose profiles are the members."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from segments import entries, erased
from segments import static_sql as sql
from segments.models import Attribute, AttributeType, Segment, Source
from segments.preview import bounded
from segments.segment_services import Refused, save
from segments.selectors import address_attributes
from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.planner import MANY_ROWS, expect_rows
from workspaces.spreadsheet import csv_lines

ADD, REMOVE, REPLACE = "add", "remove", "replace"
SHOWN_MISSING = 10


class NothingGiven(Refused):
    """A list without a single entry."""


@dataclass(frozen=True)
class Changed:
    """What became of a list given: `given` values, of which `repeated` came again; what can't be
    an entry; how many entries joined and left the segment's list, which has `entries` now.
    """

    given: int
    repeated: int
    refused: int
    first_refused: list[tuple[int, str]]
    added: int
    removed: int
    entries: int


@dataclass(frozen=True)
class Found:
    """How many entries there are, how many of them no profile has, and the first of those."""

    entries: int
    missing: int
    first_missing: list[str] = field(default_factory=list)

    @property
    def found(self) -> int:
        return self.entries - self.missing


def create(
    workspace: Workspace,
    *,
    name: str,
    description: str,
    listed_by: str,
    rows: entries.Rows,
    by: User | None,
) -> tuple[Segment, Changed]:
    """A segment of the profiles on a list, compared by an attribute or, if empty, by their key.

    Raises `Refused`, `TooMany` or `UnreadableFile`.
    """
    with transaction.atomic():
        segment = declare(
            workspace, name=name.strip(), description=description, listed_by=listed_by, by=by
        )
        changed = _change(segment, rows, ADD)
        if not changed.entries:
            raise _nothing_given()
    return segment, changed


def declare(
    workspace: Workspace, *, name: str, description: str, listed_by: str, by: User | None
) -> Segment:
    """One whose list is still to come. Raises `Refused`."""
    segment = Segment(
        workspace=workspace,
        name=name,
        description=description,
        kind=Segment.Kind.STATIC,
        created_by=by,
    )
    with transaction.atomic():
        save(segment, "segment.created", by, list=label_of(listed_by))
        segment.rules = _rules(segment, listed_by)
        segment.save(update_fields=["rules"])
    return segment


def describe(
    segment: Segment, *, name: str, description: str, listed_by: str, by: User | None
) -> None:
    """Changes what a static segment is called and compared by. Raises `Refused`."""
    segment.name, segment.description = name.strip(), description
    segment.rules = _rules(segment, listed_by)
    save(segment, "segment.changed", by, list=label_of(listed_by))


def change_list(segment: Segment, how: str, rows: entries.Rows, by: User | None) -> Changed:
    """Adds to the list, removes from it, or replaces it. Raises as `create` does."""
    with _locked(segment) as locked:
        changed = _change(locked, rows, how)
        if not changed.given:
            raise _nothing_given()
        if changed.added or changed.removed:
            audit.record(
                segment.workspace,
                "segment.list_changed",
                actor=by,
                target=segment,
                added=changed.added,
                removed=changed.removed,
            )
    return changed


def remove_missing(segment: Segment, by: User | None) -> int:
    """Takes off the list what no profile has; how many entries that were."""
    with _locked(segment) as locked, connection.cursor() as cursor:
        cursor.execute(sql.REMOVE_MISSING.format(**_forms(locked)), _parameters(locked))
        removed = int(cursor.rowcount)
        _count(locked, cursor)
        if removed:
            audit.record(
                segment.workspace,
                "segment.list_changed",
                actor=by,
                target=segment,
                removed=removed,
            )
    return removed


def copy_list(segment: Segment, to: Segment) -> None:
    """Gives a new static segment the list of another."""
    to.kind, to.rules = segment.kind, _rules(to, listed_by(segment))
    to.save(update_fields=["kind", "rules"])
    with connection.cursor() as cursor:
        cursor.execute(sql.COPY_ENTRIES, {**_parameters(segment), "to": to.pk})
        _count(to, cursor)


def found(segment: Segment) -> Found:
    """How many of the entries profiles have now. Raises `TooSlow`."""
    forms = _forms(segment)
    with bounded() as cursor:
        cursor.execute(sql.COUNT_MISSING.format(**forms), _parameters(segment))
        count = int(cursor.fetchone()[0])
        first = []
        if count:
            shown = {**_parameters(segment), "most": SHOWN_MISSING}
            cursor.execute(sql.LIST_MISSING.format(**forms), shown)
            first = [value for (value,) in cursor.fetchall()]
    return Found(segment.entry_count, count, first)


def missing_csv(segment: Segment) -> Iterator[str]:
    """The lines of a CSV of the entries that no profile has."""
    return csv_lines(segment.workspace, [label_of(listed_by(segment))], missing(segment))


def missing(segment: Segment) -> Iterator[tuple[str]]:
    """The entries that no profile has."""
    statement = sql.LIST_MISSING.format(**_forms(segment))
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(statement, {**_parameters(segment), "most": None})
        yield from cursor


def attributes() -> list[Attribute]:
    """What a list can be compared by, other than the key."""
    return list(Attribute.objects.filter(type=AttributeType.TEXT))


def likely_attribute() -> str:
    """The one that holds addresses, if there is one; else empty, for the key."""
    texts = {one.name for one in attributes()}
    return next((name for name in address_attributes() if name in texts), "")


def listed_by(segment: Segment) -> str:
    """The attribute that the list is compared by; empty for the key."""
    return str(segment.rules["rules"][0].get("attribute", ""))


def label_of(attribute: str) -> str:
    """What people call what the list is compared by. Raises `Refused` if it is gone."""
    if not attribute:
        return _("Key")
    found = Attribute.objects.filter(name=attribute).first()
    if found is None:
        raise Refused(_("That attribute is no longer there. Choose what the list holds."))
    return found.label


def _rules(segment: Segment, attribute: str) -> dict[str, Any]:
    by = {"attribute": attribute} if attribute else {}
    return {"match": "all", "rules": [{"list": segment.pk, **by}]}


def _nothing_given() -> NothingGiven:
    return NothingGiven(_("There is nothing in this list. Paste values, one on each line."))


@contextmanager
def _locked(segment: Segment) -> Iterator[Segment]:
    with transaction.atomic():
        yield Segment.objects.select_for_update(of=("self",)).get(pk=segment.pk)


def _forms(segment: Segment) -> dict[str, str]:
    return sql.forms_of("%(listed_by)s" if listed_by(segment) else "")


def _parameters(segment: Segment) -> dict[str, Any]:
    return {
        "workspace": segment.workspace_id,
        "segment": segment.pk,
        "listed_by": listed_by(segment),
    }


def _change(segment: Segment, rows: entries.Rows, how: str) -> Changed:
    by = listed_by(segment)
    reading = entries.Reading(rows, _headings(by), finds_addresses=bool(by))
    forms, parameters = _forms(segment), _parameters(segment)
    added = removed = 0
    with _given(reading) as cursor:
        cursor.execute(sql.COUNT_GIVEN.format(**forms))
        given, distinct = map(int, cursor.fetchone())
        expect_rows(cursor, max(given, segment.entry_count))
        if given and how in (REMOVE, REPLACE):
            statement = sql.REMOVE if how == REMOVE else sql.KEEP_ONLY
            cursor.execute(statement.format(**forms), parameters)
            removed = int(cursor.rowcount)
        if how in (ADD, REPLACE):
            erased.drop_values(segment.workspace_id, "given")
            cursor.execute(sql.ADD.format(**forms), parameters)
            added = int(cursor.rowcount)
        if added > MANY_ROWS:
            cursor.execute(sql.ANALYZE)
        count = _count(segment, cursor)
    if count > entries.MOST_ENTRIES:
        raise entries.too_many()
    return Changed(
        given, given - distinct, reading.refused, reading.first_refused, added, removed, count
    )


def _headings(attribute: str) -> set[str]:
    """What the list's column may be headed by, in lower case."""
    if attribute:
        return {attribute.lower(), label_of(attribute).lower()}
    columns = Source.objects.exclude(key_column="").values_list("key_column", flat=True)
    return {name.lower() for name in columns} | {"key", _("Key").lower()}


@contextmanager
def _given(reading: Iterable[str]) -> Iterator[Any]:
    """A cursor in whose transaction the table `given` holds the values."""
    with TemporaryDirectory() as scratch, connection.cursor() as cursor:
        path = Path(scratch) / "given"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{_escaped(value)}\n" for value in reading)
        cursor.execute(sql.CREATE_GIVEN)
        with path.open(encoding="utf-8") as file:
            cursor.copy_expert(sql.COPY_GIVEN, file)
        yield cursor
        cursor.execute("DROP TABLE given")


def _escaped(value: str) -> str:
    """As `COPY` reads text."""
    return value.replace("\\", "\\\\").replace("\t", "\\t")


def _count(segment: Segment, cursor: Any) -> int:
    cursor.execute(sql.COUNT_ENTRIES, _parameters(segment))
    segment.entry_count = int(cursor.fetchone()[0])
    Segment.objects.filter(pk=segment.pk).update(entry_count=segment.entry_count)
    return segment.entry_count
