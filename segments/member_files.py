"""A segment's members as a file to take along: CSV as it is read, or Parquet in one piece."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import duckdb
from django.db import connection

from segments import line_ends
from segments.conversion import JOINT
from segments.dialect import identifier, quoted
from segments.models import Attribute, AttributeType, Profile, Segment, SegmentMember
from workspaces.spreadsheet import csv_lines

ROWS_AT_ONCE = 2_000
PARQUET_TYPES = {
    AttributeType.INTEGER: "BIGINT",
    AttributeType.NUMBER: "DOUBLE",
    AttributeType.DATE: "DATE",
    AttributeType.DATETIME: "TIMESTAMPTZ",
    AttributeType.BOOLEAN: "BOOLEAN",
}
KEY = "key"

COPY_MEMBERS = """
COPY (
    SELECT p.key{columns} FROM segments_segmentmember m
    JOIN segments_profile p ON p.workspace_id = m.workspace_id AND p.id = m.profile_id
    WHERE m.workspace_id = {workspace} AND m.segment_id = {segment}
    ORDER BY p.key
) TO STDOUT (FORMAT csv, FORCE_QUOTE *)
"""


def csv_of(segment: Segment) -> Iterator[str]:
    """The lines of a CSV that a spreadsheet opens safely, a few thousand rows in memory at once."""
    attributes = list(Attribute.objects.all())
    ids = SegmentMember.objects.filter(segment=segment).values("profile_id")
    profiles = Profile.objects.filter(pk__in=ids).order_by("key")
    names = [attribute.name for attribute in attributes]
    rows = (
        [profile.key, *(cell(profile.attributes.get(name)) for name in names)]
        for profile in profiles.iterator(chunk_size=ROWS_AT_ONCE)
    )
    return csv_lines(segment.workspace, [KEY, *headings(attributes)], rows)


def parquet_of(segment: Segment) -> IO[bytes]:
    """A Parquet file with the attributes' own types, gone when it is closed."""
    attributes = list(Attribute.objects.all())
    names = [KEY, *headings(attributes)]
    values = [identifier(KEY)]
    values += [
        f"{_of_type(name, attribute.type)} AS {identifier(name)}"
        for name, attribute in zip(names[1:], attributes, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        rows, written = Path(folder) / "members.csv", Path(folder) / "members.parquet"
        _copy_out(segment, [attribute.name for attribute in attributes], rows)
        columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
        in_parts = "false" if line_ends.are_quoted(rows) else "true"
        with duckdb.connect(config={"memory_limit": "500MB"}) as database:
            database.execute("SET TimeZone='UTC'")
            database.execute(f"SET temp_directory={quoted(str(Path(folder) / 'spill'))}")
            database.execute(
                f"COPY (SELECT {', '.join(values)} FROM read_csv("  # noqa: S608
                f"{quoted(str(rows))}, header=false, auto_detect=false, delim=',', quote='\"',"
                f" escape='\"', nullstr='', allow_quoted_nulls=false, parallel={in_parts},"
                f" max_line_size=100000000, columns={{{columns}}}))"
                f" TO {quoted(str(written))} (FORMAT parquet, COMPRESSION zstd)"
            )
        # Open, it outlives its folder.
        return written.open("rb")


def _of_type(name: str, kind: str) -> str:
    """What is kept under another type than the attribute's is left out."""
    text = identifier(name)
    if kind == AttributeType.LIST:
        texts = f"CASE WHEN json_type({text}) = 'ARRAY' THEN from_json({text}, '[\"VARCHAR\"]') END"
        return f"CASE WHEN json_valid({text}) THEN {texts} END"
    known = PARQUET_TYPES.get(AttributeType(kind))
    return f"TRY_CAST({text} AS {known})" if known else text


def cell(value: object) -> object:
    """A profile's value as a file of text holds it."""
    if isinstance(value, list):
        return JOINT.join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _copy_out(segment: Segment, names: list[str], to: Path) -> None:
    with connection.cursor() as cursor, to.open("wb") as file:
        columns = "".join(
            cursor.mogrify(", p.attributes ->> %s", [name]).decode() for name in names
        )
        cursor.copy_expert(
            COPY_MEMBERS.format(
                columns=columns, workspace=int(segment.workspace_id), segment=int(segment.pk)
            ),
            file,
        )


def headings(attributes: list[Attribute]) -> list[str]:
    """The attributes' labels, or their names where two have one label, by case or not."""
    labels = [attribute.label.lower() for attribute in attributes]
    return [
        attribute.label
        if labels.count(attribute.label.lower()) == 1 and attribute.label.lower() != KEY
        else f"{attribute.label} ({attribute.name})"
        for attribute in attributes
    ]
