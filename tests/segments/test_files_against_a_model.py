"""Imports against a plain model of the rows: any file means what was written, or says why not."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import zstandard
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from segments import drafts, imports, sources
from segments.columns import Column
from segments.encodings import UnreadableFile
from segments.models import BLANKS, AttributeType, Import, Profile
from tests.segments.files import counts

Row = Sequence[str]
HEADER = ("id", "name", "note")
FEW = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CHARACTERS = st.sampled_from(
    [*"ab12 =+-@,;|\t\"'\\\n#%{}é€ñ", "\r\n", "\u00a0", "中", "😀", "=1+2"]
)
CELLS = st.one_of(st.just(""), st.lists(CHARACTERS, max_size=6).map("".join))
KEYS = st.one_of(st.sampled_from(["k1", " k2 ", "k3", "\\N", ""]), CELLS)
ROWS = st.lists(st.tuples(KEYS, CELLS, CELLS), min_size=1, max_size=8)
PACKINGS = {"as it is": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


@contextmanager
def forgotten() -> Iterator[None]:
    """What the block writes is gone after it: examples don't meet each other."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def written(
    rows: Sequence[Row],
    delimiter: str = ",",
    quoting: Any = csv.QUOTE_MINIMAL,
    line_end: str = "\n",
    encoding: str = "utf-8",
    quote: str = '"',
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator=line_end
    )
    writer.writerow(HEADER)
    writer.writerows(rows)
    return text.getvalue().encode(encoding, errors="strict")


def expected(rows: Sequence[Row]) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """What the rows stand for: the profiles by key, and the counts that are not nought."""
    profiles, superseded, refused = {}, 0, 0
    for row in rows:
        cells = [cell.strip(BLANKS) for cell in row]
        if not cells[0]:
            refused += 1
            continue
        superseded += cells[0] in profiles
        profiles[cells[0]] = {name: cell for name, cell in zip(HEADER, cells, strict=True) if cell}
    found = {"added": len(profiles), "superseded": superseded, "refused": refused}
    return profiles, {name: count for name, count in found.items() if count}


def counted(numbers: dict[str, int], **more: int) -> dict[str, int]:
    return numbers | {name: count for name, count in more.items() if count}


def imported(workspace: Any, content: bytes, name: str = "S") -> Import:
    """Every column is kept as text and rows that can't be read are skipped. Raises as imports."""
    source = sources.create_source(workspace, name)
    load = drafts.take_file(source, "x", [content])
    columns = [
        Column(one.column, one.attribute, one.label, AttributeType.TEXT)
        for one in drafts.chosen_columns(load)
    ]
    key = "id" if "id" in {one.column for one in columns} else columns[0].column
    drafts.prepare(load, key=key, columns=columns, skip_refused=True, by=None)
    imports.run_import(load)
    load.refresh_from_db()
    return load


def stored() -> dict[str, Any]:
    return dict(Profile.objects.values_list("key", "attributes"))


@given(
    rows=ROWS,
    delimiter=st.sampled_from(",;\t|:^~$\x01\x1f§"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    packing=st.sampled_from(sorted(PACKINGS)),
)
@FEW
def test_whatever_is_written_as_a_table_is_read_as_the_same(
    workspace: Any,
    rows: Sequence[Row],
    delimiter: str,
    quoting: Any,
    line_end: str,
    encoding: str,
    packing: str,
) -> None:
    content = written(rows, delimiter, quoting, line_end, encoding)
    profiles, numbers = expected(rows)
    with forgotten():
        load = imported(workspace, PACKINGS[packing](content))
        assert stored() == profiles
        assert counts(load) == numbers


PLAIN = st.text("abcé", min_size=1, max_size=3)
RAGGED = st.lists(
    st.one_of(
        st.tuples(PLAIN, PLAIN, PLAIN),
        st.lists(PLAIN, min_size=2, max_size=6).filter(lambda row: len(row) != len(HEADER)),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=RAGGED, delimiter=st.sampled_from(",;\t|"))
@settings(FEW, max_examples=5)
def test_rows_of_other_lengths_are_refused_and_the_rest_is_read(
    workspace: Any, rows: Sequence[Row], delimiter: str
) -> None:
    whole = [("whole", "a", "b"), *(row for row in rows if len(row) == len(HEADER))]
    profiles, numbers = expected(whole)
    with forgotten():
        load = imported(workspace, written([whole[0], *rows], delimiter))
        assert stored() == profiles
        assert counts(load) == counted(numbers, refused=1 + len(rows) - len(whole))
        refused = {place for place, row in enumerate(rows, start=2) if len(row) != len(HEADER)}
        assert set(load.refused_rows.values_list("row_number", flat=True)) == refused


@given(rows=ROWS, damage=st.data())
@FEW
def test_a_damaged_file_is_read_in_part_or_changes_nothing(
    workspace: Any, rows: Sequence[Row], damage: st.DataObject
) -> None:
    content = written(rows)
    for _time in range(damage.draw(st.integers(1, 3))):
        place = damage.draw(st.integers(0, len(content)))
        what = damage.draw(st.sampled_from([b"", b'"', b",", b"\n", b"\0", b"\xff", b"\r", b"a"]))
        content = content[:place] if not what else content[:place] + what + content[place:]
    with forgotten():
        try:
            load = imported(workspace, content)
        except (UnreadableFile, sources.Refused) as problem:
            event(f"refused: {problem}")
            assert not Profile.objects.exists()
        else:
            event(f"import {load.state}")
            numbers = counts(load)
            assert load.state == Import.State.SUCCEEDED
            assert Profile.objects.count() == numbers.get("added", 0)
            assert load.refused_rows.count() == numbers.get("refused", 0)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=5), st.lists(CELLS)
)


@given(st.lists(st.dictionaries(st.sampled_from(["name", "note", "ñ"]), VALUES), min_size=1))
@FEW
def test_objects_are_read_as_they_are_or_change_nothing(
    workspace: Any, objects: list[dict[str, Any]]
) -> None:
    lines = [json.dumps({"id": f"k{n}", **one}) for n, one in enumerate(objects)]
    with forgotten():
        try:
            load = imported(workspace, "\n".join(lines).encode())
        except UnreadableFile as problem:
            event(f"refused: {problem}")
            assert not Profile.objects.exists()
        else:
            assert counts(load) == {"added": len(objects)}
            for n, one in enumerate(objects):
                kept = stored()[f"k{n}"]
                for name, value in one.items():
                    if isinstance(value, str):
                        assert kept.get(name, "") == value.strip(BLANKS)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"id,name\n1,A\0nn\n", "not a text file"),
        (b'{"id": "1", "name": "A\\u0000nn"}\n', "no text can hold"),
        (",".join(f"c{n}" for n in range(5000)).encode() + b"\n", "5000 columns"),
        (gzip.compress(b"id,name\n" + b"1,Ann\n" * 9999)[:-99], "unpacked to its end"),
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf", "does not look like a table"),
        (b"id,name\n", "a header and no rows"),
        (b"id,name,ID\n1,Ann,2\n", "Two columns are named"),
    ],
    ids=[
        *("NUL", "NUL in JSON", "columns without end", "half a file"),
        *("empty", "a mark alone", "a header alone", "a name twice"),
    ],
)
def test_what_no_table_is_says_why(workspace: Any, content: bytes, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        imported(workspace, content)
    assert not Import.objects.exists()


def test_a_cell_of_ten_megabytes_is_one_refused_row(workspace: Any) -> None:
    rows = [("1", "Ann", ""), ("2", "x" * 10_000_000, ""), ("3", "Cat", "")]
    load = imported(workspace, written(rows))
    assert counts(load) == {"added": 2, "refused": 1}
    assert list(load.refused_rows.values_list("row_number", "reason")) == [(2, "too_long")]


def test_what_a_spreadsheet_would_compute_stays_text(workspace: Any) -> None:
    imported(workspace, b"id,name,note\n1,=1+1,@SUM(A1)\n2,+49 30,-x\n")
    assert stored()["1"] == {"id": "1", "name": "=1+1", "note": "@SUM(A1)"}
