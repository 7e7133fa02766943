"""How a text file is written is found out, or said by a person: encoding, separator, quotes."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from segments import drafts, sources
from segments.dialect import find_dialect
from segments.models import Import, Profile
from tests.segments.pages import url
from tests.segments.test_files_against_a_model import imported
from tests.workspaces.factories import signed_in
from workspaces.models import Role, Workspace

pytestmark = pytest.mark.django_db

NAMES = {
    "cp1252": ["José Núñez", "Ñandú", "Müller Jürgen", "Lluís Marcel·lí", "PERE “Xè” – 5 €"],
    "mac_roman": ["José Núñez", "François Lefèvre"],
    "cp850": ["José Núñez", "François Lefèvre"],
    "cp1250": ["Łukasz Żółć", "Zażółć Gęślą"],
    "cp1254": ["Şükrü Işık", "Çağrı Öztürk"],
    "cp1251": ["Иван Петров", "Ольга"],
    "koi8_r": ["Иван Петров", "Ольга"],
    "cp1253": ["Γιώργος Παπαδόπουλος"],
    "cp1255": ["דוד כהן"],
    "cp1256": ["محمد علي", "فاطمة"],
    "cp932": ["田中太郎", "鈴木花子"],
    "big5": ["王小明", "陳大文"],
}


def table(names: list[str], delimiter: str = ",", **how: Any) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, **how)
    writer.writerow(["id", "name", "email"])
    writer.writerows((n, name, f"p{n}@example.com") for n, name in enumerate(names))
    return text.getvalue()


@pytest.mark.parametrize("encoding", NAMES)
def test_names_tell_in_which_encoding_they_are_written(encoding: str, tmp_path: Path) -> None:
    path, names = tmp_path / "people.csv", NAMES[encoding]
    for some in ([*names, "Ann"], names[:1] * 50):
        # What tells may come late in a large file.
        text = table(["Ann"] * 20 + some)
        path.write_bytes(text.encode(encoding))
        assert find_dialect(path).encoding == encoding
        assert path.read_bytes().decode() == text


def test_values_in_single_quotes_are_read(workspace: Workspace) -> None:
    text = table(["Ann, the first", "O'Hara"], quotechar="'", quoting=csv.QUOTE_ALL)
    imported(workspace, text.encode())
    names = dict(Profile.objects.values_list("key", "attributes__name"))
    assert names == {"0": "Ann, the first", "1": "O'Hara"}


def draft(workspace: Workspace, content: bytes) -> Import:
    return drafts.take_file(sources.create_source(workspace, "Shop"), "people.csv", [content])


def told(**changes: Any) -> dict[str, Any]:
    said = {"separator": ",", "quote": '"', "encoding": "utf-8", "skip": 0} | changes
    return {f"read-{name}": value for name, value in said.items()}


def test_a_member_says_how_a_file_is_written_when_it_was_found_out_wrong(
    workspace: Workspace,
) -> None:
    client = signed_in(workspace, Role.CONTRIBUTOR)
    content = "People of 2024\nid name\n1 Dvořák\n2 Jiří\n".encode("cp1250")
    load = draft(workspace, content)
    page = url("import_columns", workspace, load.pk)
    assert b"Say how the file is written" in client.get(page).content

    say = url("import_read_again", workspace, load.pk)
    assert client.get(say).status_code == 405
    answer = client.post(say, told(encoding="cp1250", separator=" ", skip=1))
    assert answer["Location"] == page
    shown = client.get(page).content.decode()
    assert "separated by Space, encoding Central European (Windows)" in shown
    assert "Dvořák" in shown

    client.post(say, told(encoding="utf-8", separator=" ", skip=1))
    assert "not in this encoding" in client.get(page).content.decode()
    client.post(say, told(encoding="cp1250", separator=" ", skip="many"))
    assert "Enter a whole number" in client.get(page).content.decode()
    load.refresh_from_db()
    assert load.dialect["columns"] == ["id", "name"], "what was told last stays"
    assert [column["column"] for column in load.columns] == ["id", "name"]
    assert "Jiří" in Path(load.file_path).read_text()
    assert len(list(Path(load.file_path).parent.iterdir())) == 1

    following = "People of 2025\nid name\n3 Přemysl\n".encode("cp1250")
    following_load = drafts.take_file(load.source, "people.csv", [following])
    following_load.refresh_from_db()
    assert following_load.dialect == load.dialect, "the next file of its kind is read like it"
    written = "People of 2026\nid name\n4 Přemysl\n".encode()
    in_utf8 = drafts.take_file(load.source, "people.csv", [written])
    assert (in_utf8.dialect["encoding"], in_utf8.dialect["delimiter"]) == ("utf-8", " ")
    assert "Přemysl" in Path(in_utf8.file_path).read_text()
    other = drafts.take_file(load.source, "people.csv", [b"id,email\n3,a@example.com\n"])
    assert list(other.dialect["columns"]) == ["id", "email"]


def test_what_never_was_text_has_no_encoding_to_choose(workspace: Workspace) -> None:
    load = draft(workspace, b'{"id": 1, "name": "Ann"}\n')
    client = signed_in(workspace, Role.CONTRIBUTOR)
    page = client.get(url("import_columns", workspace, load.pk)).content
    assert b"Say how the file is written" not in page
    assert b"encoding" not in page


def test_a_file_is_not_read_again_once_its_import_has_begun(workspace: Workspace) -> None:
    client = signed_in(workspace, Role.CONTRIBUTOR)
    load = draft(workspace, table(["Ann"]).encode())
    Import.objects.filter(pk=load.pk).update(state=Import.State.RUNNING)
    answer = client.post(
        url("import_read_again", workspace, load.pk), told(separator=";"), follow=True
    )
    assert "has been started already" in answer.content.decode()
