"""A segment's members as a file: each once, by key, with every attribute, safe to open."""

import csv
import io
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.urls import reverse

from segments.membership import refresh_segment
from segments.models import Segment
from tests.segments.factories import AttributeFactory, ProfileFactory, SegmentFactory, group, rule
from tests.workspaces.factories import signed_in
from workspaces.models import AuditEntry, Workspace

pytestmark = pytest.mark.django_db

ANN = {
    "city": 'Paris, "the" city\nof light',
    "spent": 12.5,
    "born": "1990-02-03",
    "seen": "2024-01-02T03:04:05Z",
    "vip": True,
    "visits": 3,
    "tags": ["a", 'say "hi", friend', "[b]"],
}

HEADER = ["key", "City", "Spent", "Born", "Seen", "Vip", "Visits", "Tags"]


@pytest.fixture
def segment(workspace: Workspace) -> Segment:
    kinds = {"city": "text", "spent": "number", "born": "date", "seen": "datetime"}
    kinds |= {"vip": "boolean", "visits": "integer", "tags": "list"}
    for position, (name, kind) in enumerate(kinds.items()):
        AttributeFactory(
            workspace=workspace, name=name, label=name.title(), type=kind, position=position
        )
    ProfileFactory(workspace=workspace, key="ann", attributes=ANN)
    bob = {"city": "=1+1", "spent": "much", "tags": "none"}
    ProfileFactory(workspace=workspace, key="bob", attributes=bob)
    ProfileFactory(workspace=workspace, key="cat", attributes={"spent": 3})
    segment = SegmentFactory(
        workspace=workspace, name="Who lives somewhere", rules=group(rule("city", "is_not_empty"))
    )
    refresh_segment(segment)
    return segment


def download(segment: Segment, form: str) -> Any:
    address = reverse(f"segments:segment_{form}", args=[segment.workspace.slug, segment.pk])
    answer = signed_in(segment.workspace).get(address)
    assert f'filename="who-lives-somewhere.{form}"' in answer["Content-Disposition"]
    return b"".join(answer.streaming_content)


def test_as_csv_a_spreadsheet_opens_it_safely(segment: Segment) -> None:
    header, *rows = csv.reader(io.StringIO(download(segment, "csv").decode("utf-8-sig")))
    assert header == HEADER
    assert rows == [
        [
            *("ann", ANN["city"], "12.5", "1990-02-03", "2024-01-02T03:04:05Z", "true", "3"),
            'a, say "hi", friend, [b]',
        ],
        ["bob", "'=1+1", "much", "", "", "", "", "none"],
    ]


def test_as_parquet_values_have_their_types_and_those_of_another_are_left_out(
    segment: Segment, tmp_path: Path
) -> None:
    path = tmp_path / "members.parquet"
    path.write_bytes(download(segment, "parquet"))
    with duckdb.connect() as database:
        database.execute("SET TimeZone='UTC'")
        found = database.execute(f"SELECT * REPLACE (Seen::VARCHAR AS Seen) FROM '{path}'")
        assert [column[0] for column in found.description] == HEADER
        assert found.fetchall() == [
            (
                *("ann", ANN["city"], 12.5, date(1990, 2, 3), "2024-01-02 03:04:05+00", True, 3),
                ANN["tags"],
            ),
            ("bob", "=1+1", *[None] * 6),
        ]


def test_every_download_is_on_record(segment: Segment) -> None:
    download(segment, "csv")
    entry = AuditEntry.objects.get(action="segment.downloaded")
    assert entry.details == {"count": 2, "form": "csv"}


def test_attributes_of_one_label_are_told_apart(workspace: Workspace, segment: Segment) -> None:
    AttributeFactory(workspace=workspace, name="city2", label="CITY", position=9)
    AttributeFactory(workspace=workspace, name="key2", label="Key", position=10)
    header = next(csv.reader(io.StringIO(download(segment, "csv").decode("utf-8-sig"))))
    assert header[1] == "City (city)"
    assert header[-2:] == ["CITY (city2)", "Key (key2)"]
    assert download(segment, "parquet").startswith(b"PAR1")
