"""`manage.py import_profiles`: what it prints, what it refuses, how it ends."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from segments.models import Import, Profile, Source
from tests.conftest import ROOT, process_environment
from tests.segments.files import values
from workspaces.models import Workspace

SAMPLE = ROOT / "segments/samples/prospective_buyers.csv"
NAMES = ["read", "added", "changed", "unchanged", "superseded", "refused", "removed", "seconds"]


def said(workspace: Workspace, file: Path, *more: str, key: str = "id") -> str:
    out = StringIO()
    call_command("import_profiles", workspace.slug, str(file), "--key", key, *more, stdout=out)
    return out.getvalue()


def report(*arguments: Any, **options: Any) -> dict[str, Any]:
    """The one JSON object that is printed, checked to add up."""
    text = said(*arguments, "--json", **options)
    found: dict[str, Any] = json.loads(text)
    assert text.count("{") == 1
    assert list(found) == NAMES
    assert found["read"] == sum(found[name] for name in NAMES[1:6])
    assert found.pop("seconds") >= 0
    return {name: count for name, count in found.items() if count}


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    file = tmp_path / "customers.csv"
    file.write_text("id,points\n1,5\n2,7\n1,6\n")
    return file


def test_the_sample_is_imported_and_again_unchanged(workspace: Workspace) -> None:
    key = "ProspectAlternateKey"
    first = report(workspace, SAMPLE, key=key)
    assert first == {"read": 2059, "added": 2053, "superseded": 6}
    again = report(workspace, SAMPLE, key=key)
    assert again == {"read": 2059, "unchanged": 2053, "superseded": 6}
    source = Source.objects.get()
    assert (source.name, source.key_column) == ("prospective_buyers", key)


def test_of_each_row_it_is_told_what_became_of_it(workspace: Workspace, customers: Path) -> None:
    assert report(workspace, customers) == {"read": 3, "added": 2, "superseded": 1}
    customers.write_text("id,points\n1,6\n2,8\n3,9\n,4\n")
    assert report(workspace, customers, "--skip-refused") == {
        "read": 4,
        "added": 1,
        "changed": 1,
        "unchanged": 1,
        "refused": 1,
    }
    assert values("2")["points"] == 8


def test_without_json_it_prints_a_line(workspace: Workspace, customers: Path) -> None:
    assert said(workspace, customers).startswith("read 3, added 2, changed 0, unchanged 0, ")


def test_the_source_may_be_named(workspace: Workspace, customers: Path) -> None:
    said(workspace, customers, "--name", "Web shop")
    said(workspace, customers, "--name", "Web shop")
    assert Source.objects.get().name == "Web shop"
    assert Import.objects.filter(state="succeeded").count() == 2


def test_rows_that_cannot_be_read_are_named_and_nothing_is_imported(
    workspace: Workspace, customers: Path
) -> None:
    said(workspace, customers)
    customers.write_text("id,points\n7,5\n,7\n8,many\n")
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command(
            "import_profiles", workspace.slug, str(customers), "--key=id", "--json", stdout=out
        )
    message = str(refused.value)
    assert "2 rows can’t be read, so nothing was imported." in message
    assert "Row 2, id: The key is empty" in message
    assert "Row 3, points: Not a whole number, or too large: “many”" in message
    assert out.getvalue() == ""
    assert Profile.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "The file is empty."),
        ("id,points\n", "The file has a header and no rows."),
        ("id,id\n1,2\n", "Two columns are named “id”."),
        ("a\0b", "This is not a text file."),
        ("nr,points\n1,2\n", "The file has no column “id”. It has: nr, points."),
    ],
)
def test_a_file_that_makes_no_sense_leaves_no_source(
    workspace: Workspace,
    customers: Path,
    content: str,
    says: str,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    customers.write_text(content)
    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(CommandError, match=says.replace(".", r"\.")),
    ):
        said(workspace, customers, "--json")
    assert not Source.objects.exists()
    assert [path for path in Path(settings.UPLOAD_DIR).rglob("*") if path.is_file()] == []


def test_what_is_not_there_is_named(workspace: Workspace, customers: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file .*none\.csv"):
        said(workspace, tmp_path / "none.csv")
    with pytest.raises(CommandError, match="There is no file"):
        said(workspace, tmp_path)
    with pytest.raises(CommandError, match="no workspace called 'nowhere'"):
        call_command("import_profiles", "nowhere", str(customers), "--key=id")
    with pytest.raises(CommandError, match="--key"):
        call_command("import_profiles", workspace.slug, str(customers))


@pytest.mark.parametrize("name", ["n" * 101, " "])
def test_a_name_that_no_source_can_have_is_refused(
    workspace: Workspace, customers: Path, name: str
) -> None:
    with pytest.raises(CommandError, match="Give a name of at most 100 characters"):
        said(workspace, customers, "--name", name)


def test_a_files_long_name_is_cut_for_its_source(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / f"{'n' * 200}.csv"
    file.write_text("id,points\n1,5\n")
    assert report(workspace, file) == {"read": 1, "added": 1}
    assert report(workspace, file) == {"read": 1, "unchanged": 1}
    assert Source.objects.get().name == "n" * 100


@pytest.mark.django_db(transaction=True)
def test_its_exit_status_and_its_streams_are_fit_for_scripts(
    workspace: Workspace, customers: Path
) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "import_profiles", *arguments],
            cwd=ROOT,
            env=process_environment(PYTHONWARNINGS=os.environ.get("PYTHONWARNINGS", "")),
            capture_output=True,
            text=True,
            check=False,
        )

    good = run(workspace.slug, str(customers), "--key", "id", "--json")
    assert (good.returncode, good.stderr) == (0, "")
    assert json.loads(good.stdout)["added"] == 2
    bad = run(workspace.slug, str(customers), "--key", "nope", "--json", "--skip-checks")
    assert bad.returncode != 0
    assert bad.stdout == ""
    assert bad.stderr.strip().endswith("The file has no column “nope”. It has: id, points.")
    assert "Traceback" not in bad.stderr


def test_a_file_is_read_as_its_operator_says(workspace: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes("shop of Olot\nid;said, whole\n1;José, again\n".encode("cp1252"))
    told = ("--separator", ";", "--encoding", "cp1252", "--skip", "1")
    assert report(workspace, file, *told) == {"read": 1, "added": 1}
    assert values("1") == {"id": "1", "said, whole": "José, again"}
    with pytest.raises(CommandError, match="Separator"):
        said(workspace, file, "--separator", "no")
