"""Sources in pages: uploading a file, and what a file that is none is told."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from config.form_uploads import BoundedUploadHandler
from segments.models import Import, Profile, Source
from tests.exports.pages import words
from tests.segments.factories import ImportFactory, SourceFactory
from tests.segments.files import import_bytes
from tests.segments.pages import url
from workspaces.models import AuditEntry, Workspace

CUSTOMERS = b"id,name,points\n1,Ann,5\n2,Bob,7\n"


def upload(
    client: Client, workspace: Workspace, content: bytes, name: str = "c.csv", named: str = ""
) -> Any:
    file = SimpleUploadedFile(name, content, "text/csv")
    return client.post(url("source_add", workspace), {"name": named, "file": file, "whole": "yes"})


def kept_files(settings: Any) -> list[Path]:
    return [path for path in Path(settings.UPLOAD_DIR).rglob("*") if path.is_file()]


def test_without_sources_the_list_asks_for_a_file(client: Client, workspace: Workspace) -> None:
    page = client.get(url("source_list", workspace))
    assert "No sources yet" in words(page)
    assert url("source_add", workspace) in page.content.decode()


def test_a_good_file_becomes_a_draft_with_nothing_imported(
    client: Client, workspace: Workspace
) -> None:
    answer = upload(client, workspace, CUSTOMERS, name="Web shop.csv")
    load = Import.objects.select_related("source").get()
    assert answer["Location"] == url("import_columns", workspace, load.pk)
    assert (load.state, load.source.name) == ("draft", "Web shop")
    assert load.started_by == client.member.user  # type: ignore[attr-defined]
    assert not Profile.objects.exists()


def test_a_source_may_be_named_and_names_are_used_once(
    client: Client, workspace: Workspace
) -> None:
    upload(client, workspace, CUSTOMERS, named="Shop")
    assert Source.objects.get().name == "Shop"
    again = client.post(
        url("source_add", workspace),
        {"name": "shop", "whole": "yes", "file": SimpleUploadedFile("c.csv", CUSTOMERS)},
    )
    assert "Another source has this name." in words(again)
    assert 'value="shop"' in again.content.decode()
    assert Source.objects.count() == 1


def test_files_of_one_name_make_sources_of_their_own(client: Client, workspace: Workspace) -> None:
    upload(client, workspace, CUSTOMERS)
    upload(client, workspace, CUSTOMERS)
    assert sorted(Source.objects.values_list("name", flat=True)) == ["c", "c (2)"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty. Choose a file with a header and rows."),
        (b"id,name\n", "The file has a header and no rows."),
        (b"\n\n\n", "The file does not look like a table."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This is a picture."),
        (b"PK\x03\x04\x14\0\x06\0", "This is an archive. Unpack it and choose the file inside."),
        (b"\xff\xfea\0\x00\xd8", "The file’s encoding is damaged."),
        (b"id,,name\n1,2,3\n", "Column 2 has no name."),
        (b"id,name,name\n1,2,3\n", "Two columns are named “name”. Give each its own name."),
        (b"x" * 300 + b",id\n1,2\n", "A column’s name is longer than 255 characters."),
        (b"<html><body>Sign in</body></html>\n", "This is a web page, perhaps the sign-in page"),
        (b"Mail,mail\n1,2\n", "Two columns are named “mail”."),
        (b'i,"' + b"d" * 200_000 + b"\n1,2\n", "The file does not look like a table."),
    ],
)
def test_what_is_no_table_is_refused_and_nothing_of_it_stays(
    client: Client, workspace: Workspace, settings: Any, content: bytes, says: str
) -> None:
    answer = upload(client, workspace, content)
    assert answer.status_code == 200
    assert says in words(answer)
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Source.objects.exists()
    assert kept_files(settings) == []


def test_no_file_at_all_is_told(client: Client, workspace: Workspace) -> None:
    answer = client.post(url("source_add", workspace), {"name": "Shop", "whole": "yes"})
    assert "Choose a file." in words(answer)
    assert 'value="Shop"' in answer.content.decode()


def test_a_file_that_is_not_text_far_from_its_beginning_is_refused_too(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    content = b"id,name\n" + b"1,Ann\n" * 120_000 + b"2,B\0b\n"
    for encoded in (content, content.decode().encode("utf-16"), content + b"3,Zo\xeb\n"):
        assert "This is not a text file." in words(upload(client, workspace, encoded))
    assert kept_files(settings) == []


def test_a_file_above_the_limit_is_refused(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024**2
    answer = upload(client, workspace, b"id,n\n" + b"1,2\n" * 300_000)
    assert "The file is larger than 1.0 MB. Split it, or import it by command." in words(answer)
    assert kept_files(settings) == []


def test_a_disk_that_fills_up_while_a_form_is_sent_is_told(
    client: Client, workspace: Workspace, settings: Any, monkeypatch: Any
) -> None:
    really = BoundedUploadHandler.new_file

    def on_a_full_disk(handler: Any, *known: Any, **more: Any) -> None:
        really(handler, *known, **more)
        handler.file.file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115

    monkeypatch.setattr(BoundedUploadHandler, "new_file", on_a_full_disk)
    answer = upload(client, workspace, b"id,n\n" + b"1,2\n" * 300_000)
    assert "The server’s disk has no room for this file." in words(answer)
    assert "Choose a file." not in words(answer)
    assert kept_files(settings) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("n" * 300 + ".csv", "n" * 90),
        ("../../etc/passwd.csv", "passwd"),
        (".csv", ".csv"),
        ("=cmd|' '!A1.csv", "=cmd|' '!A1"),
        ("clientes año 2026.csv", "clientes año 2026"),
    ],
)
def test_a_files_name_may_be_anything(
    client: Client, workspace: Workspace, settings: Any, name: str, source: str
) -> None:
    assert upload(client, workspace, CUSTOMERS, name=name).status_code == 302
    assert Source.objects.get().name == source
    load = Import.objects.get()
    assert len(load.file_name) <= 255
    assert [str(path) for path in kept_files(settings)] == [load.file_path]
    assert client.get(url("import_columns", workspace, load.pk)).status_code == 200


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp1252", "Western European (Windows)"),
    ],
)
def test_encodings_are_found_out_and_shown(
    client: Client, workspace: Workspace, encoding: str, shown: str
) -> None:
    answer = upload(client, workspace, "id;name\n1;Zoë\n2;Bob\n".encode(encoding))
    page = words(client.get(answer["Location"]))
    assert "Zoë" in page
    assert f"columns separated by “;”, encoding {shown}." in page


@pytest.mark.parametrize("cut", [1, 40, 150])
def test_an_upload_that_was_cut_off_leaves_nothing(
    client: Client, workspace: Workspace, settings: Any, cut: int
) -> None:
    page = client.get(url("source_add", workspace)).content.decode()
    assert page.index('name="file"') < page.index('name="whole"'), "the browser sends it last"
    body = b"".join(
        b'--cut\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % pair
        for pair in [(b'file"; filename="c.csv', CUSTOMERS * 20), (b"whole", b"yes")]
    )
    at = url("source_add", workspace)
    answer = client.post(at, body[: -cut - 5], content_type="multipart/form-data; boundary=cut")
    assert answer.status_code == 200
    assert not Source.objects.exists()
    assert kept_files(settings) == []


def test_the_list_and_a_sources_page_tell_of_its_imports(
    client: Client, workspace: Workspace
) -> None:
    load = import_bytes(workspace, CUSTOMERS)
    ImportFactory(source=load.source, state="draft", file_name="next.csv")
    assert "next.csv" in words(client.get(url("source_list", workspace)))
    SourceFactory(workspace=workspace, name="Never loaded")
    few = words(client.get(url("source_list", workspace), {"columns": "rows", "sort": "-rows"}))
    assert f"Name Rows {load.source.name} 0 Never loaded" in few
    answer = client.get(url("source_detail", workspace, load.source_id))
    page = words(answer)
    for said in (
        "customers.csv",
        "next.csv",
        "Draft",
        "Succeeded",
        "points",
        "Whole number",
        "(key)",
    ):
        assert said in page
    assert url("import_columns", workspace, load.pk + 1) in answer.content.decode()


def test_a_sources_imports_are_paged_sorted_and_filtered(
    client: Client, workspace: Workspace
) -> None:
    source = SourceFactory(workspace=workspace)
    start = timezone.now() - timedelta(days=1)
    for number in range(25):
        ImportFactory(
            source=source,
            file_name=f"day-{number:02}.csv",
            read=number % 7,
            state="failed" if number == 3 else "succeeded",
            created_at=start + timedelta(minutes=number),
        )
    at = url("source_detail", workspace, source.pk)

    def files(asked: str = "") -> list[str]:
        found = client.get(f"{at}{asked}").context["imports"]
        return [load.file_name[4:6] for load, _progress in found]

    newest = [f"{number:02}" for number in range(24, -1, -1)]
    assert files() == newest[:20]
    older = client.get(at).context["next_url"].removesuffix("#imports")
    assert files(older) == newest[20:]
    assert files("?sort=when")[:3] == ["00", "01", "02"]
    assert files("?sort=-read")[:4] == ["20", "13", "06", "19"]
    assert files("?state=failed") == ["03"]
    assert "Nothing found" in words(client.get(f"{at}?state=draft"))
    assert files("?state=nonsense&trigger=nonsense&after=nonsense") == newest[:20]
    assert "File Unchanged Took day-24" in words(client.get(f"{at}?columns=took&columns=unchanged"))


def test_a_new_file_is_imported_into_the_source_there_is(
    client: Client, workspace: Workspace
) -> None:
    load = import_bytes(workspace, CUSTOMERS)
    at = url("source_upload", workspace, load.source_id)
    assert f"Import a new file into {load.source.name}" in words(client.get(at))
    client.post(at, {"file": SimpleUploadedFile("more.csv", CUSTOMERS), "whole": "yes"})
    assert load.source.imports.filter(file_name="more.csv", state="draft").exists()
    refused = client.post(at, {"file": SimpleUploadedFile("none.csv", b""), "whole": "yes"})
    assert "The file is empty." in words(refused)
    assert Source.objects.filter(pk=load.source_id).exists()


def test_a_source_is_removed_with_its_files_and_the_profiles_stay(
    client: Client, workspace: Workspace, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    load = import_bytes(workspace, CUSTOMERS)
    with django_capture_on_commit_callbacks(execute=True):
        page = words(client.post(url("source_remove", workspace, load.source_id), follow=True))
    assert kept_files(settings) == []
    assert "is removed. Its profiles stay." in page
    assert not Source.objects.exists()
    assert kept_files(settings) == []
    assert Profile.objects.count() == 2
    assert AuditEntry.objects.filter(action="source.removed").exists()


def test_an_uploaded_source_without_imports_says_so(client: Client, workspace: Workspace) -> None:
    source = SourceFactory(workspace=workspace)
    page = words(client.get(url("source_detail", workspace, source.pk)))
    assert "Nothing has been imported yet." in page
