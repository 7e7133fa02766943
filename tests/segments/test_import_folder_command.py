"""`manage.py import_folder`: what is new in a folder is imported, once; all is accounted for."""

import gzip
import json
import os
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from segments import drafts, imports
from segments.models import Import, Profile, Source
from tests.segments.files import values
from workspaces.models import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "drop"
    made.mkdir()
    return made


def put(folder: Path, name: str, content: str | bytes, *, age: float = 60) -> Path:
    """A file that was written so many seconds ago."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    then = time.time() - age
    os.utime(file, (then, then))
    return file


def run(workspace: Workspace, folder: Path, *more: str, key: str = "id") -> str:
    out = StringIO()
    call_command("import_folder", workspace.slug, str(folder), "--key", key, *more, stdout=out)
    return out.getvalue()


def report(workspace: Workspace, folder: Path, *more: str, fails: bool = False) -> dict[str, Any]:
    """The one JSON object that is printed."""
    out = StringIO()
    arguments = ["import_folder", workspace.slug, str(folder), "--key=id", "--json", *more]
    if fails:
        with pytest.raises(CommandError):
            call_command(*arguments, stdout=out)
    else:
        call_command(*arguments, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    assert found.pop("seconds") >= 0
    assert len(found["files"]) == sum(found[name] for name in found if name != "files")
    return found


def outcomes(found: dict[str, Any]) -> dict[str, str]:
    return {one["file"]: one["outcome"] for one in found["files"]}


def test_each_file_goes_to_the_source_of_its_name(workspace: Workspace, folder: Path) -> None:
    put(folder, "shop.csv", "id,name\n1,Ann\n2,Bob\n")
    put(folder, "loyalty.jsonl.gz", gzip.compress(b'{"nr": "1", "id": "1", "points": 5}\n'))
    put(folder, "notes.md", "not meant")
    put(folder, ".shop.csv.part", "id\n1\n")
    (folder / "older.csv").mkdir()
    found = report(workspace, folder, fails=True)
    assert outcomes(found) == {"loyalty.jsonl.gz": "imported", "shop.csv": "failed"}
    assert found["files"][0] == {
        "file": "loyalty.jsonl.gz",
        "source": "loyalty",
        "outcome": "imported",
        "reason": "",
        "read": 1,
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "superseded": 0,
        "refused": 0,
        "removed": 0,
    }
    assert "is filled by the source “loyalty”" in found["files"][1]["reason"]
    assert list(Source.objects.values_list("name", flat=True)) == ["loyalty"]


def test_what_was_imported_last_is_not_imported_again(workspace: Workspace, folder: Path) -> None:
    put(folder, "shop.csv", "id,name\n1,Ann\n2,Bob\n")
    assert report(workspace, folder)["imported"] == 1
    put(folder, "shop.csv", "id,name\n1,Ann\n2,Bob\n", age=30)
    assert report(workspace, folder) == {
        "imported": 0,
        "unchanged": 1,
        "waiting": 0,
        "failed": 0,
        "files": [{"file": "shop.csv", "source": "shop", "outcome": "unchanged", "reason": ""}],
    }
    assert Import.objects.count() == 1
    put(folder, "shop.csv", "id,name\n1,Anna\n")
    assert report(workspace, folder)["files"][0]["changed"] == 1
    put(folder, "shop.csv", "id,name\n1,Ann\n2,Bob\n")
    assert report(workspace, folder)["imported"] == 1, "it is no longer what was imported last"
    assert values("1")["name"] == "Ann"


def test_a_file_that_is_still_being_written_waits(workspace: Workspace, folder: Path) -> None:
    put(folder, "shop.csv", "id,name\n1,Ann\n", age=0)
    assert "shop.csv: waiting: It is still being written." in run(workspace, folder)
    assert not Source.objects.exists()
    assert report(workspace, folder, "--settled", "0")["imported"] == 1


def test_a_file_that_is_written_to_while_it_is_read_waits(
    workspace: Workspace,
    folder: Path,
    monkeypatch: Any,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    file = put(folder, "shop.csv", "id,name\n1,Ann\n")
    really = drafts.examine

    def meanwhile(path: Path, *more: Any) -> Any:
        with file.open("a") as written:
            written.write("2,Bob\n")
        return really(path, *more)

    with monkeypatch.context() as patched:
        patched.setattr(drafts, "examine", meanwhile)
        with django_capture_on_commit_callbacks(execute=True):
            assert outcomes(report(workspace, folder)) == {"shop.csv": "waiting"}
    assert not Source.objects.exists()
    assert [one for one in Path(settings.UPLOAD_DIR).rglob("*") if one.is_file()] == []
    assert report(workspace, folder, "--settled", "0")["files"][0]["added"] == 2


def test_a_bad_file_fails_alone_and_so_does_the_command(workspace: Workspace, folder: Path) -> None:
    put(folder, "a.csv", b"\x89PNG\r\n\x1a\n\0\0\0")
    put(folder, "b.csv", "nr,name\n1,Ann\n")
    put(folder, "c.csv", "id,name\n,Ann\n")
    put(folder, "d.csv", "id,name\n1,Ann\n")
    out = StringIO()
    with pytest.raises(CommandError, match=r"3 of 4 files were not imported\."):
        call_command("import_folder", workspace.slug, str(folder), "--key=id", stdout=out)
    first, second, third, last = out.getvalue().splitlines()
    assert first.startswith("a.csv: failed: This is a picture.")
    assert second == "b.csv: failed: The file has no column “id”. It has: nr, name."
    assert third.startswith("c.csv: failed: 1 row can’t be read, so nothing was imported.")
    assert last.startswith("d.csv: imported: read 1, added 1, changed 0, unchanged 0, ")
    assert Profile.objects.count() == 1


def test_a_failed_import_is_tried_again_next_time_and_kept_once(
    workspace: Workspace, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    put(folder, "shop.csv", "id,name\n1,Ann\n,Bob\n")
    assert report(workspace, folder, fails=True)["failed"] == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert report(workspace, folder, fails=True)["failed"] == 1
    loads = Import.objects.order_by("pk")
    assert [Path(load.file_path).is_file() for load in loads] == [False, True]
    assert report(workspace, folder, "--skip-refused")["files"][0]["refused"] == 1


def test_two_files_of_one_source_are_told(workspace: Workspace, folder: Path) -> None:
    put(folder, "Shop.csv", "id,name\n1,Ann\n")
    put(folder, "shop.jsonl", '{"id": "2"}\n')
    found = report(workspace, folder, fails=True)
    assert outcomes(found) == {"Shop.csv": "imported", "shop.jsonl": "failed"}
    assert "“Shop.csv” goes into the same source." in found["files"][1]["reason"]


def test_a_pattern_chooses(workspace: Workspace, folder: Path) -> None:
    put(folder, "shop-1.csv", "id,name\n1,Ann\n")
    put(folder, "shop-2.export", "id,points\n1,5\n")
    put(folder, "other.csv", "id,city\n1,Paris\n")
    assert outcomes(report(workspace, folder, "--pattern", "other.*")) == {"other.csv": "imported"}
    assert run(workspace, folder, "--pattern", "none-*") == "There is no such file.\n"


def test_links_are_not_followed(workspace: Workspace, folder: Path, tmp_path: Path) -> None:
    secret = put(tmp_path, "secret.csv", "id,name\n1,Ann\n")
    (folder / "shop.csv").symlink_to(secret)
    assert report(workspace, folder)["files"] == []


def test_a_source_that_is_being_imported_into_waits(
    workspace: Workspace, folder: Path, monkeypatch: Any
) -> None:
    def busy(_load: Import) -> None:
        raise imports.SourceBusy

    put(folder, "shop.csv", "id,name\n1,Ann\n")
    monkeypatch.setattr(imports, "run_import", busy)
    assert outcomes(report(workspace, folder)) == {"shop.csv": "waiting"}
    assert not Import.objects.exists()


def test_what_is_not_there_is_named(workspace: Workspace, folder: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        run(workspace, folder / "none")
    with pytest.raises(CommandError, match="no workspace called 'nowhere'"):
        call_command("import_folder", "nowhere", str(folder), "--key=id")
    with pytest.raises(CommandError, match="--key"):
        call_command("import_folder", workspace.slug, str(folder))
