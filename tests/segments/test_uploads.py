"""Files in chunks: wherever an upload is cut, repeated or disordered, the file ends up whole."""

import base64
import errno
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_scopes import scope

from config.row_security import across_workspaces
from segments import drafts, upload_files, uploads
from segments.models import Import, Profile, Source, Upload
from segments.tasks import clear_old_uploads, examine_upload_task, sweep
from tests.conftest import wait_until
from tests.exports.pages import words
from tests.segments.factories import SourceFactory, UploadFactory
from tests.segments.pages import url
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces.models import AuditEntry, Workspace

CUSTOMERS = b"id,name,points\n" + b"".join(b"%d,Ann %d,5\n" % (n, n) for n in range(500))


def declare(client: Client, workspace: Workspace, **said: Any) -> Any:
    entered = {
        "file_name": "customers.csv",
        "file_bytes": len(CUSTOMERS),
        "fingerprint": "f",
        "whole": "yes",
    }
    return client.post(url("source_add", workspace), entered | said)


def begun(client: Client, workspace: Workspace, **said: Any) -> Upload:
    answer = declare(client, workspace, **said)
    assert answer.status_code == 201, words(answer)
    upload = Upload.objects.latest("pk")
    assert answer["Location"] == url("upload", workspace, upload.pk)
    return upload


def send(client: Client, upload: Upload, offset: int, chunk: bytes, **headers: str) -> Any:
    checksum = base64.b64encode(crc32(chunk).to_bytes(4)).decode()
    return client.patch(
        url("upload_content", upload.workspace, upload.pk),
        chunk,
        content_type="application/offset+octet-stream",
        headers={"Upload-Offset": str(offset), "Upload-Checksum": f"crc32 {checksum}", **headers},
    )


def offset_of(client: Client, upload: Upload) -> int:
    answer = client.head(url("upload_content", upload.workspace, upload.pk))
    assert answer["Upload-Length"] == str(upload.file_bytes)
    return int(answer["Upload-Offset"])


def send_all(client: Client, upload: Upload, content: bytes = CUSTOMERS, step: int = 1000) -> None:
    for offset in range(offset_of(client, upload), len(content), step):
        answer = send(client, upload, offset, content[offset : offset + step])
        assert answer.status_code == 204, answer.content
    upload.refresh_from_db()


def files_left(settings: Any) -> list[Path]:
    return [path for path in Path(settings.UPLOAD_DIR).rglob("*") if path.is_file()]


def test_chunks_become_the_file_and_then_a_draft(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    upload = begun(client, workspace, name="Web shop")
    send_all(client, upload)
    load = Import.objects.select_related("source").get()
    assert (upload.state, load.state, load.source.name) == ("ready", "draft", "Web shop")
    assert Path(load.file_path).read_bytes() == CUSTOMERS
    assert files_left(settings) == [Path(load.file_path)]
    assert load.started_by == client.member.user  # type: ignore[attr-defined]
    columns = url("import_columns", workspace, load.pk)
    assert client.get(url("upload", workspace, upload.pk))["Location"] == columns
    assert client.get(url("upload_progress", workspace, upload.pk))["HX-Redirect"] == columns
    assert AuditEntry.objects.filter(
        action="upload.received", details={"bytes": len(CUSTOMERS)}
    ).exists()


def test_a_chunk_that_is_sent_again_counts_once(client: Client, workspace: Workspace) -> None:
    upload = begun(client, workspace)
    assert send(client, upload, 0, CUSTOMERS[:1000])["Upload-Offset"] == "1000"
    again = send(client, upload, 0, CUSTOMERS[:1000])
    assert (again.status_code, again["Upload-Offset"]) == (409, "1000")
    send_all(client, upload)
    after_the_end = send(client, upload, len(CUSTOMERS) - 5, CUSTOMERS[-5:])
    assert (after_the_end.status_code, after_the_end["Upload-Offset"]) == (409, str(len(CUSTOMERS)))
    assert Path(Import.objects.get().file_path).read_bytes() == CUSTOMERS


def test_a_chunk_out_of_its_turn_is_told_where_the_file_goes_on(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    upload = begun(client, workspace)
    answer = send(client, upload, 2000, CUSTOMERS[2000:3000])
    assert (answer.status_code, answer["Upload-Offset"]) == (409, "0")
    assert files_left(settings) == []


def test_of_two_chunks_at_once_one_counts(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    """While one arrives, another comes first: what arrived late is thrown away."""
    upload = begun(client, workspace)
    send(client, upload, 0, CUSTOMERS[:1000])
    upload.refresh_from_db()
    late = Upload.objects.get(pk=upload.pk)

    def arriving() -> Any:
        yield b"x" * 500
        uploads.append(upload, 1000, [CUSTOMERS[1000:2000]], 1000)
        yield b"x" * 500

    with pytest.raises(uploads.Elsewhere) as told:
        uploads.append(late, 1000, arriving(), 1000)
    assert told.value.offset == 2000
    send_all(client, upload)
    assert Path(Import.objects.get().file_path).read_bytes() == CUSTOMERS
    assert len(files_left(settings)) == 1


@pytest.mark.parametrize("cut", [0, 1, 999])
def test_a_chunk_that_breaks_off_does_not_count(
    client: Client, workspace: Workspace, settings: Any, cut: int
) -> None:
    upload = begun(client, workspace)
    send(client, upload, 0, CUSTOMERS[:1000])
    upload.refresh_from_db()
    with pytest.raises(uploads.Damaged):
        uploads.append(upload, 1000, [CUSTOMERS[1000 : 1000 + cut]], 1000)
    assert offset_of(client, upload) == 1000
    assert [path.stat().st_size for path in files_left(settings)] == [1000]


def test_what_was_damaged_on_its_way_is_asked_for_again(
    client: Client, workspace: Workspace
) -> None:
    upload = begun(client, workspace)
    wrong = {"Upload-Checksum": "crc32 " + base64.b64encode(b"abcd").decode()}
    answer = send(client, upload, 0, CUSTOMERS[:1000], **wrong)
    assert (answer.status_code, answer["Upload-Offset"]) == (460, "0")
    send_all(client, upload)
    assert upload.state == "ready"


def test_bytes_written_before_a_crash_are_written_over(
    client: Client, workspace: Workspace
) -> None:
    upload = begun(client, workspace)
    send(client, upload, 0, CUSTOMERS[:1000])
    file = upload_files.file_of(upload_files.directory_of(workspace.pk, upload.pk))
    with file.open("ab") as written:
        written.write(b"never counted" * 1000)
    send_all(client, upload)
    assert Path(Import.objects.get().file_path).read_bytes() == CUSTOMERS


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": "nothing"}, 400),
        ({"Upload-Offset": "9" * 30}, 400),
        ({"Upload-Offset": "8900"}, 413),
        ({"Upload-Checksum": ""}, 400),
        ({"Upload-Checksum": "crc32 ???"}, 400),
        ({"Upload-Checksum": "md5 AAAA"}, 400),
    ],
)
def test_a_chunk_that_makes_no_sense_is_refused(
    client: Client, workspace: Workspace, settings: Any, headers: dict[str, str], status: int
) -> None:
    upload = begun(client, workspace)
    answer = send(client, upload, 0, CUSTOMERS[:1000], **headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (status, "0")
    assert send(client, upload, 0, b"").status_code == 400
    assert files_left(settings) == []


def test_chunks_are_of_bounded_size(client: Client, workspace: Workspace, settings: Any) -> None:
    upload = begun(client, workspace, file_bytes=uploads.MOST_CHUNK_BYTES * 2)
    chunk = b"x" * (uploads.MOST_CHUNK_BYTES + 1)
    assert send(client, upload, 0, chunk).status_code == 413
    assert files_left(settings) == []


def test_choosing_the_file_again_goes_on_with_its_upload(
    client: Client, workspace: Workspace
) -> None:
    upload = begun(client, workspace)
    send(client, upload, 0, CUSTOMERS[:1000])
    assert begun(client, workspace, name="Named now") == upload
    for other in (
        {"fingerprint": "g"},
        {"file_bytes": len(CUSTOMERS) + 1},
        {"file_name": "other.csv"},
    ):
        assert begun(client, workspace, **other) != upload
    assert begun(signed_in(workspace), workspace) != upload
    source = SourceFactory(workspace=workspace)
    entered = {"file_name": "customers.csv", "file_bytes": len(CUSTOMERS), "fingerprint": "f"}
    at = url("source_upload", workspace, source.pk)
    assert client.post(at, entered | {"whole": "yes"}).status_code == 201
    assert Upload.objects.latest("pk").source == source
    send_all(client, upload)
    assert Import.objects.select_related("source").get().source.name == "Named now"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"file_bytes": 5 * 1024**3 + 1}, "The file is larger than 5.0 GB."),
        ({"file_bytes": 0}, "The file is empty."),
        ({"file_bytes": "-1"}, "The file is empty."),
        ({"file_bytes": "many"}, "The file is empty."),
        ({"whole": ""}, "The file can’t be read to its end."),
    ],
)
def test_what_can_not_be_taken_is_told_before_anything_is_sent(
    client: Client, workspace: Workspace, said: dict[str, Any], told: str
) -> None:
    answer = declare(client, workspace, **said)
    assert answer.status_code == 422
    assert told in words(answer)
    assert not Upload.objects.exists()


def test_a_name_that_is_taken_is_told_before_anything_is_sent(
    client: Client, workspace: Workspace
) -> None:
    SourceFactory(workspace=workspace, name="Shop")
    answer = declare(client, workspace, name="shop")
    assert "Another source has this name." in words(answer)
    assert not Upload.objects.exists()


def test_a_name_taken_while_the_file_was_on_its_way_is_numbered(
    client: Client, workspace: Workspace
) -> None:
    upload = begun(client, workspace, name="Shop")
    SourceFactory(workspace=workspace, name="shop")
    send_all(client, upload)
    assert Import.objects.select_related("source").get().source.name == "Shop (2)"


def test_a_workspace_has_so_many_unfinished_uploads(client: Client, workspace: Workspace) -> None:
    UploadFactory.create_batch(uploads.MOST_UNFINISHED, workspace=workspace)
    answer = declare(client, workspace)
    assert answer.status_code == 422
    assert "10 uploads are unfinished. Go on with one of them, or discard it." in words(answer)
    client.post(url("upload_cancel", workspace, Upload.objects.earliest("pk").pk))
    assert declare(client, workspace).status_code == 201
    other = WorkspaceFactory()
    with scope(workspace=other):
        assert declare(signed_in(other), other).status_code == 201


def test_room_on_the_disk_counts_what_others_have_still_to_bring(
    client: Client, workspace: Workspace, monkeypatch: Any
) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        UploadFactory(workspace=other, file_bytes=5000, received=1000)
    monkeypatch.setattr(uploads, "free_bytes", lambda: 4000 + len(CUSTOMERS) - 1)
    assert "The server’s disk has no room for this file." in words(declare(client, workspace))
    monkeypatch.setattr(uploads, "free_bytes", lambda: 4000 + len(CUSTOMERS))
    assert declare(client, workspace).status_code == 201


def test_a_full_disk_is_told_and_the_upload_goes_on_later(
    client: Client, workspace: Workspace, monkeypatch: Any, settings: Any
) -> None:
    upload = begun(client, workspace)
    send(client, upload, 0, CUSTOMERS[:1000])

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        answer = send(client, upload, 1000, CUSTOMERS[1000:2000])
    assert (answer.status_code, answer["Upload-Offset"]) == (507, "1000")
    assert "The server’s disk has no room" in answer.content.decode()
    assert [path.stat().st_size for path in files_left(settings)] == [1000]
    send_all(client, upload)
    assert upload.state == "ready"


def test_a_full_disk_during_the_examination_is_told(
    client: Client, workspace: Workspace, monkeypatch: Any, settings: Any
) -> None:
    def full(_path: Path, _source: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(drafts, "examine", full)
    upload = begun(client, workspace)
    send_all(client, upload)
    assert "no room for this file" in words(client.get(url("upload", workspace, upload.pk)))
    assert files_left(settings) == []


def test_what_is_no_table_is_told_at_its_first_chunk(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    upload = begun(client, workspace, file_name="customers.xlsx")
    answer = send(client, upload, 0, b"PK\x03\x04" + b"[Content_Types].xml xl/workbook.xml")
    assert answer.status_code == 415
    assert "This is an Excel workbook." in answer.content.decode()
    page = words(client.get(url("upload", workspace, upload.pk)))
    assert "This is an Excel workbook. In Excel choose “Save as”" in page
    assert "Choose another file" in page
    assert send(client, upload, 0, CUSTOMERS[:10]).status_code == 410
    assert files_left(settings) == []
    assert not Source.objects.exists()


def test_a_file_that_turns_out_to_be_no_table_leaves_nothing_but_its_reason(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    content = b"id,id\n1,2\n"
    upload = begun(client, workspace, file_bytes=len(content))
    send_all(client, upload, content)
    page = words(client.get(url("upload", workspace, upload.pk)))
    assert "Two columns are named “id”. Give each its own name." in page
    assert "Refused" in words(client.get(url("source_list", workspace)))
    assert files_left(settings) == []
    assert not Source.objects.exists()
    client.post(url("upload_cancel", workspace, upload.pk))
    assert not Upload.objects.exists()


def test_a_cancelled_upload_is_gone_with_its_bytes(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    upload = begun(client, workspace)
    send(client, upload, 0, CUSTOMERS[:1000])
    page = words(client.post(url("upload_cancel", workspace, upload.pk), follow=True))
    assert "The upload of “customers.csv” is discarded." in page
    assert files_left(settings) == []
    assert send(client, upload, 1000, CUSTOMERS[1000:]).status_code == 404
    assert AuditEntry.objects.filter(action="upload.cancelled").exists()


def test_an_upload_cancelled_while_it_is_examined_becomes_nothing(
    client: Client, workspace: Workspace, settings: Any, monkeypatch: Any
) -> None:
    upload = begun(client, workspace)
    really = drafts.examine

    def cancelled_meanwhile(path: Path, source: Any) -> Any:
        found = really(path, source)
        uploads.cancel(Upload.objects.get(pk=upload.pk), by=client.member.user)  # type: ignore[attr-defined]
        return found

    monkeypatch.setattr(drafts, "examine", cancelled_meanwhile)
    for offset in range(0, len(CUSTOMERS), 5000):
        send(client, upload, offset, CUSTOMERS[offset : offset + 5000])
    assert not Import.objects.exists()
    assert not Source.objects.exists()


def test_a_day_later_what_nobody_went_on_with_is_cleared(
    client: Client, workspace: Workspace, settings: Any
) -> None:
    old, new = begun(client, workspace), begun(client, workspace, fingerprint="other")
    for upload in (old, new):
        send(client, upload, 0, CUSTOMERS[:1000])
    Upload.objects.filter(pk=old.pk).update(heartbeat_at=timezone.now() - timedelta(hours=25))
    orphan = upload_files.directory_of(workspace.pk, 999_999)
    orphan.mkdir(parents=True)
    (orphan / "part-x").write_bytes(b"left by a process that was killed")
    clear_old_uploads()
    assert orphan.exists(), "it may belong to an upload that is just beginning"
    long_ago = timezone.now().timestamp() - 25 * 3600
    os.utime(orphan, (long_ago, long_ago))
    clear_old_uploads()
    assert list(Upload.objects.all()) == [new]
    assert [path.parent.name for path in files_left(settings)] == [str(new.pk)]


def test_what_waits_for_a_worker_is_not_cleared(workspace: Workspace) -> None:
    long_ago = timezone.now() - timedelta(hours=25)
    UploadFactory(workspace=workspace, state="waiting", heartbeat_at=long_ago)
    clear_old_uploads()
    assert Upload.objects.exists()


@pytest.mark.parametrize("method", ["head", "patch"])
def test_another_workspaces_upload_does_not_exist(
    client: Client, workspace: Workspace, method: str
) -> None:
    other = WorkspaceFactory()
    with scope(workspace=other):
        theirs = UploadFactory(workspace=other)
    at = url("upload_content", workspace, theirs.pk)
    assert getattr(client, method)(at).status_code == 404
    assert getattr(client, method)(url("upload_content", other, theirs.pk)).status_code == 404


def test_who_may_not_import_may_not_upload(workspace: Workspace) -> None:
    upload = UploadFactory(workspace=workspace)
    viewer = signed_in(workspace, "viewer")
    assert send(viewer, upload, 0, b"x").status_code == 403
    assert viewer.head(url("upload_content", workspace, upload.pk)).status_code == 403
    assert send(signed_in(workspace, "contributor"), upload, 0, b"x").status_code == 204


def test_chunks_need_the_pages_token(workspace: Workspace) -> None:
    upload = UploadFactory(workspace=workspace)
    client = signed_in(workspace)
    client.handler.enforce_csrf_checks = True
    assert send(client, upload, 0, b"x").status_code == 403
    page = client.get(url("source_add", workspace))
    token = str(page.context["csrf_token"])
    assert send(client, upload, 0, b"x", **{"X-CSRFToken": token}).status_code == 204


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\me\\customers.csv", "customers.csv"),
        ("a\0b\n.csv", "ab.csv"),
        ("safe\u202evsc.exe", "safevsc.exe"),
        ("n" * 10_000 + ".csv", "n" * 251 + ".csv"),
        ("\u200b\u2066", "file"),
        ("", "file"),
        ("clientes año 2026 ☃.csv", "clientes año 2026 ☃.csv"),
        ("<img src=x onerror=alert(1)>.csv", "<img src=x onerror=alert(1)>.csv"),
    ],
)
def test_a_files_name_is_only_a_name(
    client: Client, workspace: Workspace, settings: Any, name: str, kept: str
) -> None:
    content = b"id,name\n1,Ann\n"
    upload = begun(client, workspace, file_name=name, file_bytes=len(content))
    assert upload.file_name == kept
    page = client.get(url("upload", workspace, upload.pk)).content.decode()
    assert "<img src=x" not in page
    send_all(client, upload, content)
    load = Import.objects.get()
    assert load.file_name == kept
    inside = Path(settings.UPLOAD_DIR).resolve()
    assert all(inside in path.resolve().parents for path in files_left(settings))
    assert client.get(url("import_columns", workspace, load.pk)).status_code == 200


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("customers.csv.gz", "customers"),
        ("Customers.JSONL.zst", "Customers"),
        ("v1.2", "v1.2"),
        (".csv", ".csv"),
    ],
)
def test_a_source_is_called_after_its_file(name: str, source: str) -> None:
    assert upload_files.source_name_of(name) == source


def test_uploads_under_way_are_shown_to_go_on_with(client: Client, workspace: Workspace) -> None:
    upload = UploadFactory(workspace=workspace, file_bytes=4 * 1024**2, received=1024**2)
    for name in ("source_list", "source_add"):
        page = client.get(url(name, workspace))
        assert "Uploads under way customers.csv Unfinished 1.0 MB of 4.0 MB" in words(page)
        assert url("upload", workspace, upload.pk) in page.content.decode()
    assert "under way" not in words(
        signed_in(workspace, "viewer").get(url("source_list", workspace))
    )


def test_without_javascript_a_small_file_is_examined_at_once(
    client: Client, workspace: Workspace
) -> None:
    entered = {"file": SimpleUploadedFile("c.csv", CUSTOMERS), "whole": "yes"}
    page = client.post(url("source_add", workspace), entered, follow=True)
    assert "Choose columns" in words(page)


@pytest.mark.django_db(transaction=True)
def test_a_large_file_is_examined_by_a_worker(
    worker: Any, client: Client, workspace: Workspace
) -> None:
    content = CUSTOMERS + b"7,%b,5\n" % (b"Ann" * 200) * 8_000
    entered = {"file": SimpleUploadedFile("c.csv", content), "whole": "yes"}
    answer = client.post(url("source_add", workspace), entered, follow=True)
    upload = Upload.objects.get()
    assert answer.redirect_chain[0][0] == url("upload", workspace, upload.pk)
    progress = url("upload_progress", workspace, upload.pk)
    wait_until(lambda: "HX-Redirect" in client.get(progress), 60, "the examination")
    assert Import.objects.get().file_bytes == len(content)


def test_an_examination_that_lost_its_worker_is_taken_up_again(
    client: Client, workspace: Workspace, monkeypatch: Any
) -> None:
    monkeypatch.setattr(uploads, "AT_ONCE_BYTES", 0)
    handed: list[tuple[int, int]] = []
    monkeypatch.setattr(examine_upload_task, "delay", lambda *known: handed.append(known))
    upload = begun(client, workspace)
    send_all(client, upload)
    assert "waiting" in words(client.get(url("upload", workspace, upload.pk))).lower()
    Upload.objects.update(state="examining", heartbeat_at=timezone.now() - timedelta(minutes=5))
    sweep()
    sweep()
    assert handed == [(workspace.pk, upload.pk)] * 2
    examine_upload_task(*handed[-1])
    examine_upload_task(*handed[-1])
    assert Import.objects.count() == 1


def test_an_examination_that_workers_die_of_is_given_up(
    client: Client, workspace: Workspace
) -> None:
    upload = UploadFactory(workspace=workspace, state="examining", attempts=3)
    uploads.examine(upload)
    assert "not tried again" in words(client.get(url("upload", workspace, upload.pk)))


def test_an_upload_goes_with_its_source(workspace: Workspace, client: Client) -> None:
    source = SourceFactory(workspace=workspace)
    UploadFactory(workspace=workspace, source=source)
    client.post(url("source_remove", workspace, source.pk))
    with across_workspaces():
        assert not Upload.objects.exists()
    assert not Profile.objects.exists()
