"""Rows end where the file says, however its lines end and whatever is within quotes."""

from pathlib import Path
from typing import Any

import pytest

from segments import drafts, imports, line_ends, reading, sources
from segments.columns import Column
from segments.dialect import Dialect
from segments.models import Import, RefusedRow
from tests.segments.files import counts, import_bytes, values


@pytest.mark.parametrize(
    "content",
    [
        b'id,name\n1,"Ann\r\nor Bea"\r\n2,Bob\r\n',
        b'id,name\r\n1,"Ann\r\nor Bea"\n2,Bob\n',
        b'id,name\n1,"Ann\r\nor Bea"\r2,Bob\r',
    ],
)
def test_lines_that_end_now_so_now_so_are_read(workspace: Any, content: bytes) -> None:
    assert counts(import_bytes(workspace, content)) == {"added": 2}
    assert values("1")["name"] == "Ann\r\nor Bea"


def test_what_ends_in_one_way_is_not_written_again(tmp_path: Path) -> None:
    for content in (b'a,b\r\n1,"x\ny"\r\n', b'a,b\n1,"x\r\ny"\n', b"a,b\n"):
        path = tmp_path / "file"
        path.write_bytes(content)
        written = path.stat().st_ino
        line_ends.make_one(path, '"')
        assert (path.stat().st_ino, path.read_bytes()) == (written, content)


def test_lines_of_a_quoted_value_are_no_rows_in_a_large_file(tmp_path: Path) -> None:
    pasted = "\n".join(f"{n},nobody" for n in range(2_500))
    path = tmp_path / "file"
    with path.open("w") as file:
        file.write("id,note\n")
        file.writelines(f'person {n},"{pasted}"\n' for n in range(700))
    columns = [Column(name, name, name, "text") for name in ("id", "note")]
    dialect = Dialect("utf-8", ",", '"', '"', 0, ("id", "note"))
    result = reading.read(path, dialect, columns, "id", tmp_path)
    assert (result.read, result.refused, result.superseded) == (700, 0, 0)


@pytest.mark.parametrize(
    ("content", "is_so"),
    [
        (b'id,note\n1,"a\nb"\n2,5" wide\n', True),
        (b'id,note\n1,"a ""b""\n""c"" \nd"\n', True),
        (b'id,note\n1,5" wide\n2,"a"\n', False),
        (b'id,note\n1,"a\nb"\n2,"never closed\n', False),
        (b'id,note\n1,5" wide\n2,"never closed\n', False),
    ],
)
def test_whether_rows_go_on_in_the_next_line_is_told_by_their_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, is_so: bool
) -> None:
    monkeypatch.setattr(line_ends, "ALL_IN_ONE", 0)
    path = tmp_path / "file"
    path.write_bytes(content)
    assert line_ends.are_quoted(path) == is_so


def test_a_refused_row_is_counted_from_the_header_whatever_is_skipped_before(
    workspace: Any,
) -> None:
    load = drafts.take_file(
        sources.create_source(workspace, "Shop"),
        "customers.csv",
        [b"Customers\nof 2026\nid,name\n1,Ann\n2\n3,Cat,Cat\n4,Dan\n"],
        told={"skip": 2},
    )
    columns = drafts.chosen_columns(load)
    drafts.prepare(load, key="id", columns=columns, skip_refused=True, by=None)
    imports.run_import(load)
    load.refresh_from_db()
    assert load.state == Import.State.SUCCEEDED
    assert counts(load) == {"added": 2, "refused": 2}
    assert sorted(RefusedRow.objects.values_list("row_number", "reason")) == [
        (2, "missing_columns"),
        (3, "too_many_columns"),
    ]
