"""Whatever a file is, by its content: packed, JSON or Parquet, its rows are the same rows."""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from segments import drafts, sources
from segments.encodings import UnreadableFile
from segments.models import Profile, Source
from tests.segments.files import counts, import_bytes

pytestmark = pytest.mark.django_db

CSV = b"id,name,joined,vip\n1,Ann,2024-02-03,yes\n2,\xc3\x80ngel,2024-03-04,no\n"
PEOPLE = {
    "1": {"id": "1", "name": "Ann", "joined": "2024-02-03", "vip": True},
    "2": {"id": "2", "name": "Àngel", "joined": "2024-03-04", "vip": False},
}


def as_json_lines() -> bytes:
    rows = [
        {"id": "1", "name": "Ann", "joined": "2024-02-03", "vip": True},
        {"vip": False, "joined": "2024-03-04", "name": "Àngel", "id": "2", "note": None},
    ]
    return "\n\n".join(json.dumps(row) for row in rows).encode()


def as_parquet(folder: Path, select: str = "") -> bytes:
    path = folder / "people.parquet"
    duckdb.execute(
        f"COPY ({select or 'SELECT * FROM (VALUES'}"
        + (
            ""
            if select
            else " ('1', 'Ann', DATE '2024-02-03', true), ('2', 'Àngel', DATE '2024-03-04', false))"
            " people (id, name, joined, vip)"
        )
        + f") TO '{path}'"
    )
    return path.read_bytes()


def imported() -> dict[str, Any]:
    return dict(Profile.objects.values_list("key", "attributes"))


@pytest.mark.parametrize("packed", ["", "gzip", "zstd"])
@pytest.mark.parametrize("form", ["csv", "json lines", "json list", "parquet"])
def test_the_same_people_come_out_of_every_form(
    workspace: Any, tmp_path: Path, form: str, packed: str
) -> None:
    content = {
        "csv": lambda: CSV,
        "json lines": as_json_lines,
        "json list": lambda: b"\xef\xbb\xbf [" + as_json_lines().replace(b"\n\n", b",\n") + b"]",
        "parquet": lambda: as_parquet(tmp_path),
    }[form]()
    pack = {"": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}[packed]
    load = import_bytes(workspace, pack(content), types={"id": "text"})
    assert counts(load) == {"added": 2}
    assert imported() == PEOPLE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_as_windows_writes_it_is_read(workspace: Any, encoding: str) -> None:
    content = as_json_lines().decode("unicode-escape").encode(encoding)
    assert counts(import_bytes(workspace, content, types={"id": "text"})) == {"added": 2}
    assert imported() == PEOPLE


def test_nested_and_odd_values_stay_what_they_say(workspace: Any, tmp_path: Path) -> None:
    row = {"id": "1", 'a "quoted" na\'me.x': 'line\n"two"', "tags": ["a", "b"], "deep": {"x": [1]}}
    load = import_bytes(workspace, json.dumps(row).encode(), types={"id": "text"})
    (attributes,) = imported().values()
    assert attributes['a "quoted" na\'me.x'] == 'line\n"two"'
    assert attributes["tags"] == ["a", "b"]
    assert json.loads(attributes["deep"]) == {"x": [1]}
    Profile.objects.all().delete()
    nested = "SELECT '1' AS id, ['a', 'b'] AS tags, 1.50::DECIMAL(9, 2) AS paid, NULL AS nothing"
    import_bytes(workspace, as_parquet(tmp_path, nested), types={"id": "text"}, source=load.source)
    assert imported() == {"1": {"id": "1", "tags": ["a", "b"], "paid": 1.5}}


def test_names_that_the_reader_uses_itself_are_names_like_any(workspace: Any) -> None:
    lines = b'{"id": "1", "json": "a", "n": "9"}\n{"id": "2", "json": "b", "n": "8"}\n'
    import_bytes(workspace, lines, types={"id": "text", "n": "text"})
    assert imported()["2"] == {"id": "2", "json": "b", "n": "8"}
    import_bytes(workspace, b'{"nr": "2", "*": "all", "a/b": "or", "~1": "home"}\n', key="nr")
    added = {"nr": 2, "*": "all", "a/b": "or", "~1": "home"}
    assert imported()["2"] == {"id": "2", "json": "b", "n": "8"} | added


def test_a_bad_value_is_refused_by_its_row(workspace: Any) -> None:
    lines = b'{"id": "1", "n": 5}\n{"id": "2", "n": "five"}\n{"n": 7}\n'
    load = import_bytes(workspace, lines, types={"id": "text", "n": "number"}, skip_refused=True)
    assert counts(load) == {"added": 1, "refused": 2}
    refused = load.refused_rows.order_by("row_number")
    assert list(refused.values_list("row_number", "column", "reason")) == [
        (2, "n", "not_a_number"),
        (3, "id", "no_key"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"id": 1}\n\n{"id": 2\n', "Line 3 is not a JSON object"),
        (b'{"id": 1}\n[1]\n', "Line 2 is not a JSON object"),
        (b'[{"id": 1}, {"id"', "can’t be read to its end"),
        (b'{"id": 1, "ID": 2}\n', "Two columns are named"),
        (b"PAR1 and not much more", "can’t be read to its end"),
        (gzip.compress(CSV)[:-12], "can’t be unpacked to its end"),
        (gzip.compress(CSV)[:20] + b"\0" * 30, "can’t be unpacked to its end"),
        (zstandard.compress(CSV)[:-6], "can’t be unpacked to its end"),
        (gzip.compress(b""), "The file is empty"),
        (b"PK\x03\x04\x14\0\0\0", "This is an archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_damaged_is_refused_with_what_to_do_and_nothing_is_kept(
    workspace: Any, settings: Any, content: bytes, said: str
) -> None:
    source = sources.create_source(workspace, "Shop")
    with pytest.raises(UnreadableFile, match=said):
        drafts.take_file(source, "customers", [content])
    assert not Source.objects.get().imports.exists()
    assert list(Path(settings.UPLOAD_DIR).rglob("*.*")) == []
    assert [one for one in Path(settings.UPLOAD_DIR).rglob("*") if one.is_file()] == []


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_small_file_that_unpacks_without_end_is_stopped(
    workspace: Any, settings: Any, pack: Any
) -> None:
    settings.MAX_UNPACKED_BYTES = 5 * 1024**2
    bomb = pack(b"id\n" + b"0" * 20_000_000)
    assert len(bomb) < 100_000
    source = sources.create_source(workspace, "Shop")
    with pytest.raises(UnreadableFile, match=r"larger than 5\.0.MB"):
        drafts.take_file(source, "customers.csv.gz", [bomb])
    assert [one for one in Path(settings.UPLOAD_DIR).rglob("*") if one.is_file()] == []
