"""The suppression list's pages: adding, finding, removing, downloading."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from segments.models import Suppression
from segments.suppressions import ADDRESS
from tests.workspaces.factories import WorkspaceFactory, signed_in
from workspaces.models import AuditEntry, Role, Workspace

pytestmark = pytest.mark.django_db


def url(workspace: Workspace, name: str = "list") -> str:
    return reverse(f"segments:suppression_{name}", args=[workspace.slug])


def add(client: Any, workspace: Workspace, **said: Any) -> str:
    return client.post(url(workspace, "add"), said, follow=True).content.decode()


def upload(client: Any, workspace: Workspace, content: bytes) -> str:
    return add(
        client, workspace, file=SimpleUploadedFile("no-mail.csv", content), reason="Old list"
    )


def addresses() -> list[str]:
    return list(Suppression.objects.order_by("address").values_list("address", flat=True))


def test_pasted_addresses_are_kept_in_lower_case_each_once(workspace: Workspace) -> None:
    client = signed_in(workspace, Role.CONTRIBUTOR)
    page = add(
        client,
        workspace,
        addresses="Ann@Example.com, bob@example.com\nANN@example.com;\n",
        reason="By telephone",
    )
    assert addresses() == ["ann@example.com", "bob@example.com"]
    assert "2 addresses are suppressed." in page
    assert "By telephone" in page
    again = add(client, workspace, addresses="bob@example.com cat@example.com")
    assert "1 was on the list already." in again
    entry = AuditEntry.objects.filter(action="suppression.added").latest("pk")
    assert "example.com" not in str(entry.details)


@pytest.mark.parametrize(
    "content",
    [
        b'E-mail,Name\nann@example.com,Ann\n\nnobody,Bob\n"cat@example.com",Cat\n',
        "Correu;Nom\r\nann@example.com;Àngel\r\nnobody;Ñ\r\ncat@example.com;C\r\n".encode("cp1252"),
        "Nom\tCorreu\nÀngel\tann@example.com\nno one\tnobody\nC\tCAT@example.com".encode("utf-16"),
    ],
    ids=["utf-8", "cp1252", "utf-16"],
)
def test_of_a_file_each_lines_address_counts_and_lines_without_are_named(
    workspace: Workspace, content: bytes
) -> None:
    page = upload(signed_in(workspace), workspace, content)
    assert addresses() == ["ann@example.com", "cat@example.com"]
    assert "1 line has no e-mail address and was left out" in page
    assert {one.origin for one in Suppression.objects.all()} == {"file"}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({}, "Type or paste an address, or choose a file."),
        ({"addresses": "nobody here"}, "There is no e-mail address in this."),
        ({"file": SimpleUploadedFile("a.csv", b"Name\nAnn\n")}, "The file has no e-mail address."),
        ({"file": SimpleUploadedFile("a.csv", b"")}, "The file has no e-mail address."),
        ({"file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04\0\0")}, "This is not a text file."),
        (
            {"addresses": "a@b.co", "file": SimpleUploadedFile("a.csv", b"a@b.co")},
            "not both at once",
        ),
    ],
    ids=["nothing", "no address", "names only", "empty", "not text", "both"],
)
def test_what_makes_no_sense_is_said_and_nothing_is_kept(
    workspace: Workspace, said: dict[str, Any], error: str
) -> None:
    assert error in add(signed_in(workspace), workspace, **said)
    assert not Suppression.objects.exists()


def test_a_hundred_thousand_lines_are_taken_at_once(workspace: Workspace) -> None:
    lines = "\n".join(f"person{n}@example.com" for n in range(100_000))
    assert "100,000 addresses" in upload(signed_in(workspace), workspace, lines.encode())
    client = signed_in(workspace)
    page = client.get(url(workspace)).content.decode()
    assert "100,000 addresses" in page
    assert page.count('name="address"') == 50
    found = client.get(url(workspace), {"search": "PERSON9999"}).content.decode()
    assert found.count('name="address"') == 11
    assert client.get(url(workspace), {"origin": "member"}).context["suppressions"] == []
    once = "person500@example.com"
    Suppression.objects.filter(address=once).update(added_at=timezone.now() + timedelta(days=1))
    newest = client.get(url(workspace), {"sort": "-added", "columns": "added"})
    assert newest.context["suppressions"][0].address == once
    second = client.get(f"{url(workspace)}{newest.context['next_url']}").context
    assert len(second["suppressions"]) == 50
    assert once not in {one.address for one in second["suppressions"]}
    assert second["previous_url"]


def test_a_pasted_line_without_an_address_is_named_by_its_number(workspace: Workspace) -> None:
    page = add(signed_in(workspace), workspace, addresses="a@b.co, c@d.co\nnobody\ne@f.co")
    assert "line 2 (“nobody”)" in page
    assert addresses() == ["a@b.co", "c@d.co", "e@f.co"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Sean.O'Brien@example.com", "sean.o'brien@example.com"),
        ("'ann@example.com','bob'", "ann@example.com"),
        ("Ann (ann@example.com).", "ann@example.com"),
        ("mailto:ann@example.com?subject=Stop", "ann@example.com"),
        ("[ann@mail.example.com]", "ann@mail.example.com"),
        ("Write to ann@example.com.", "ann@example.com"),
        ("éric@example.com", "éric@example.com"),
        ("a" * 1_000_000, None),
        ("x@" + "." * 1_000_000, None),
        ("'a" * 500_000, None),
    ],
)
def test_the_address_alone_is_found_whatever_stands_around_it(said: str, found: str | None) -> None:
    match = ADDRESS.search(said)
    assert (match and match[0].lower()) == found


def test_removed_from_the_list_they_may_be_sent_again(workspace: Workspace) -> None:
    client = signed_in(workspace)
    add(client, workspace, addresses="ann@example.com bob@example.com")
    page = client.post(url(workspace, "remove"), {"address": ["ann@example.com"]}, follow=True)
    assert "1 address may be sent again." in page.content.decode()
    assert addresses() == ["bob@example.com"]
    assert (
        "No address was selected"
        in client.post(url(workspace, "remove"), follow=True).content.decode()
    )


def test_the_download_is_safe_for_a_spreadsheet_and_on_record(workspace: Workspace) -> None:
    client = signed_in(workspace)
    add(client, workspace, addresses="ann@example.com", reason='=HYPERLINK("x")')
    text = b"".join(client.get(url(workspace, "csv")).streaming_content).decode("utf-8-sig")
    assert "ann@example.com" in text
    assert "'=HYPERLINK" in text
    assert AuditEntry.objects.filter(action="suppression.downloaded").exists()


def test_a_viewer_looks_and_changes_nothing(workspace: Workspace) -> None:
    client = signed_in(workspace, Role.VIEWER)
    assert client.get(url(workspace)).status_code == 200
    assert "Add addresses" not in client.get(url(workspace)).content.decode()
    assert client.get(url(workspace, "add")).status_code == 403
    assert client.post(url(workspace, "remove"), {"address": ["a@b.co"]}).status_code == 403


def test_a_workspace_sees_and_removes_its_own_only(workspace: Workspace) -> None:
    add(signed_in(workspace), workspace, addresses="ann@example.com")
    other = WorkspaceFactory()
    client = signed_in(other)
    assert "ann@example.com" not in client.get(url(other)).content.decode()
    client.post(url(other, "remove"), {"address": ["ann@example.com"]})
    with scope(workspace=workspace):
        assert addresses() == ["ann@example.com"]
