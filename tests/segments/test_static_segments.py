"""Static segments: a list pasted or uploaded, whom it finds, whom not, and how it changes."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from segments import entries, pasted, static_segments
from segments.membership import refresh_segment
from segments.models import Attribute, Profile, Segment, SegmentEntry, SegmentMember
from segments.segment_services import delete_segment, duplicate_segment
from tests.exports.pages import words
from tests.segments.factories import AttributeFactory, ProfileFactory, SegmentFactory
from tests.segments.pages import url
from tests.workspaces.factories import signed_in
from workspaces.models import AuditEntry, Workspace


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    AttributeFactory(workspace=workspace, name="Mail", label="E-mail")
    for number in range(4):
        ProfileFactory(
            workspace=workspace, key=f"k{number}", attributes={"Mail": f"P{number}@Example.org"}
        )
    return workspace


@pytest.fixture
def client(shop: Workspace) -> Client:
    return signed_in(shop)


def listed(workspace: Workspace, text: str, by: str = "") -> Segment:
    segment, _changed = static_segments.create(
        workspace,
        name="Listed",
        description="",
        listed_by=by,
        rows=entries.of_text(text),
        by=None,
    )
    return segment


def on_list(segment: Segment) -> list[str]:
    found = SegmentEntry.objects.filter(segment=segment).order_by("value")
    return list(found.values_list("value", flat=True))


def members(segment: Segment) -> list[str]:
    ids = SegmentMember.objects.filter(segment=segment).values("profile_id")
    return list(Profile.objects.filter(pk__in=ids).order_by("key").values_list("key", flat=True))


def values(text: str, by: str = "", names: tuple[str, ...] = ("key",)) -> list[str]:
    reading = entries.Reading(entries.of_text(text), set(names), finds_addresses=bool(by))
    return list(reading)


def test_a_pasted_list_of_keys_finds_the_profiles_that_have_them(
    client: Client, shop: Workspace
) -> None:
    answer = client.post(
        url("static_add", shop),
        {"name": "Guests", "listed_by": "key", "entries": "k1\r\nk3\r\nk3\r\nK2\r\nk9\r\n"},
        follow=True,
    )
    said = words(answer)
    assert "4 entries are added to the list. 1 was given more than once." in said
    segment = Segment.objects.get(name="Guests")
    assert (segment.is_static, segment.entry_count) == (True, 4)
    refresh_segment(segment)
    assert members(segment) == ["k1", "k3"]
    part = words(client.get(url("static_entries", shop, segment.pk)))
    assert "Entries 4" in part
    assert "Found among the profiles 2 (50" in part
    assert "Not found: K2 , k9" in part
    assert "Key is on the list" in words(client.get(url("segment_list", shop)))


def test_addresses_match_whether_in_capitals_or_not(shop: Workspace) -> None:
    segment = listed(shop, "p1@example.ORG, P1@example.org; p2@example.org", by="Mail")
    assert segment.entry_count == 2
    assert refresh_segment(segment).count == 2
    assert members(segment) == ["k1", "k2"]


def test_whoever_is_imported_later_joins_at_the_next_refresh(shop: Workspace) -> None:
    segment = listed(shop, "k1\nlater")
    assert refresh_segment(segment).count == 1
    ProfileFactory(workspace=shop, key="later")
    Profile.objects.filter(key="k1").delete()
    done = refresh_segment(segment)
    assert (done.count, done.joined, done.left) == (1, 1, 1)
    assert members(segment) == ["later"]


def test_a_list_is_added_to_taken_from_and_replaced(client: Client, shop: Workspace) -> None:
    segment = listed(shop, "k1\nk2")
    at = url("static_edit", shop, segment.pk)
    said = words(client.post(at, {"how": "add", "entries": "k2\nk3"}, follow=True))
    assert "1 entry is added to the list. 1 was on the list already." in said
    assert on_list(segment) == ["k1", "k2", "k3"]
    said = words(client.post(at, {"how": "remove", "entries": "k2\nk7"}, follow=True))
    assert "1 entry is taken off the list." in said
    assert on_list(segment) == ["k1", "k3"]
    client.post(at, {"how": "replace", "entries": "k3\nk4"})
    assert on_list(segment) == ["k3", "k4"]
    segment.refresh_from_db()
    assert (segment.entry_count, segment.refresh_state) == (2, "queued")
    told = AuditEntry.objects.filter(action="segment.list_changed").order_by("pk")
    assert [entry.details for entry in told] == [
        {"added": 1, "removed": 0},
        {"added": 0, "removed": 1},
        {"added": 1, "removed": 1},
    ]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"k1\nk2\n", ["k1", "k2"]),
        (b"\xef\xbb\xbfKey,Name\nk1,Ann\nk2,Bob\n", ["k1", "k2"]),
        (b"Name;KEY\nAnn;k1\nBob;k2\n", ["k1", "k2"]),
        ("Näme\tkey\nÄnn\tk1\n".encode("utf-16"), ["k1"]),
        ('"k1"\n"k ""2"""\n'.encode("latin-1"), ['k "2"', "k1"]),
        (b"k\\1\n\\.\n\\N\n", ["\\.", "\\N", "k\\1"]),
    ],
)
def test_an_uploaded_file_is_read_however_it_is_written(
    client: Client, shop: Workspace, content: bytes, found: list[str]
) -> None:
    client.post(
        url("static_add", shop),
        {"name": "Filed", "listed_by": "key", "file": SimpleUploadedFile("l.csv", content)},
    )
    assert on_list(Segment.objects.get(name="Filed")) == found


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"entries": " \n\t"}, "Paste keys or addresses, or choose a file."),
        ({"entries": "k1", "file": b"k1"}, "Either pasted or in a file, not both at once."),
        ({"file": b""}, "There is nothing in this list."),
        ({"file": b"\x00\x01"}, "This is not a text file."),
        ({"file": b'"' + b"x" * 200_000}, "The file can’t be read to its end."),
        (
            {"entries": "k1", "listed_by": "attribute:gone"},
            "attribute:gone is not one of the available choices",
        ),
        ({"entries": "k1", "name": ""}, "This field is required."),
    ],
)
def test_what_is_no_list_is_refused_and_nothing_typed_is_lost(
    client: Client, shop: Workspace, given: dict[str, Any], says: str
) -> None:
    entered = {"name": "Mine", "description": "Why", "listed_by": "key", **given}
    if "file" in entered:
        entered["file"] = SimpleUploadedFile("l.csv", entered["file"])
    answer = client.post(url("static_add", shop), entered)
    assert answer.status_code == 422
    assert says in words(answer)
    assert "Why" in answer.content.decode()
    assert not Segment.objects.exists()
    assert not SegmentEntry.objects.exists()


def test_lines_that_cannot_be_entries_are_told(client: Client, shop: Workspace) -> None:
    text = "k1\n" + "x" * 300 + "\nk2"
    answer = client.post(
        url("static_add", shop), {"name": "L", "listed_by": "key", "entries": text}, follow=True
    )
    assert "1 line can’t be an entry and was left out: line 2 (“xxx" in words(answer)
    assert on_list(Segment.objects.get()) == ["k1", "k2"]


def test_a_list_longer_than_the_limit_is_refused_whole(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 2)
    with pytest.raises(entries.TooMany, match="at most 2 entries"):
        listed(shop, "a\nb\nc")
    segment = listed(shop, "a\nb")
    with pytest.raises(entries.TooMany):
        static_segments.change_list(segment, "add", [["c"]], by=None)
    assert on_list(segment) == ["a", "b"]


def test_what_no_profile_has_is_downloaded_and_taken_off(client: Client, shop: Workspace) -> None:
    segment = listed(shop, "k1\nnobody\n=1+1")
    answer = client.get(url("static_missing", shop, segment.pk))
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").split()  # type: ignore[attr-defined]
    assert lines == ["Key", "'=1+1", "nobody"]
    client.post(url("static_remove_missing", shop, segment.pk))
    assert on_list(segment) == ["k1"]


def test_a_copy_has_a_list_of_its_own(shop: Workspace) -> None:
    segment = listed(shop, "p1@example.org", by="Mail")
    copy = duplicate_segment(segment, by=None)
    static_segments.change_list(segment, "remove", [["p1@example.org"]], by=None)
    assert (copy.is_static, on_list(copy), on_list(segment)) == (True, ["p1@example.org"], [])
    assert refresh_segment(copy).count == 1
    delete_segment(copy, by=None)
    assert not SegmentEntry.objects.exists()


def test_a_list_whose_attribute_is_gone_says_so_and_can_be_compared_by_another(
    client: Client, shop: Workspace
) -> None:
    segment = listed(shop, "p1@example.org", by="Mail")
    refresh_segment(segment)
    Attribute.objects.all().delete()
    assert refresh_segment(segment).reason == "rules"
    assert "There is no attribute “Mail”" in words(
        client.get(url("segment_detail", shop, segment.pk))
    )
    assert "no longer there" in words(client.get(url("static_entries", shop, segment.pk)))
    client.post(url("static_edit", shop, segment.pk), {"name": "Keys now", "listed_by": "key"})
    segment.refresh_from_db()
    assert static_segments.listed_by(segment) == ""


def test_a_dynamic_segment_has_no_list(client: Client, shop: Workspace) -> None:
    dynamic, static = SegmentFactory(workspace=shop), listed(shop, "k1")
    assert client.get(url("static_edit", shop, dynamic.pk)).status_code == 404
    answer = client.get(url("segment_edit", shop, static.pk))
    assert answer["Location"] == url("static_edit", shop, static.pk)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a\nb\r\nc\rd", ["a", "b", "c", "d"]),
        ("a\tb\tc", ["a", "b", "c"]),
        ("key\na\nb", ["a", "b"]),
        ("a\tAnn\nb\tBob", ["a", "b"]),
        ('"a ""x"""\n"two\nlines"', ['a "x"', "two lines"]),
        ('"Acme" Ltd\n12" pipe\n"open', ['"Acme" Ltd', '12" pipe', '"open']),
        ("  a \n\n\t\n b", ["a", "b"]),
    ],
)
def test_what_a_spreadsheet_copies_is_read(text: str, found: list[str]) -> None:
    assert values(text) == found


def test_the_address_is_found_in_whichever_column_it_is() -> None:
    assert values("Ann\ta@x.org\nb@x.org\tBob", by="Mail") == ["a@x.org", "b@x.org"]
    assert values("a@x.org, b@x.org;c@x.org", by="Mail") == ["a@x.org", "b@x.org", "c@x.org"]
    assert values("Ann <a@x.org>, O'Bob <b'@x.org>", by="Mail") == ["a@x.org", "b'@x.org"]


@pytest.mark.parametrize("given", [["a", "b c"], ['"', '""', '"a"', 'a"b'], ["x\ty", "x, y"]])
def test_values_written_one_a_line_are_read_back(given: list[str]) -> None:
    again = pasted.values(pasted.text_of(given))
    assert again == [" ".join(one.split()) for one in given]
