"""Whole numbers and lists of texts: proposed, chosen, kept and shown."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from segments import drafts, imports, sources
from segments.models import Attribute, Import, Profile, RefusedRow
from segments.rule_sentence import sentence
from tests.exports.pages import words
from tests.segments.factories import AttributeFactory, ProfileFactory, SegmentFactory, group, rule
from tests.segments.files import counts, import_bytes, values
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def proposed(workspace: Workspace, column: list[str], name: str = "column") -> tuple[str, str]:
    """What a column of these values is proposed to be."""
    source = sources.create_source(workspace, f"Source {Import.objects.count()}")
    quoted = (value.replace('"', '""') for value in column)
    rows = "".join(f'k{number},"{value}"\n' for number, value in enumerate(quoted))
    load = drafts.take_file(source, "c.csv", [f"id,{name}\n{rows}".encode()])
    found = drafts.chosen_columns(load)[1]
    return found.type, found.format


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["5", "-3", "0"], ("integer", "")),
        (["5", "2.5"], ("number", "")),
        (["40000.0000", "50000.0000"], ("number", "")),
        (["007", "8"], ("text", "")),
        (["1234567890123456", "1"], ("text", "")),
        (['["a", "b"]', "[]", "[1]"], ("list", "json")),
        (['["a"]', "b"], ("text", "")),
        (["red; blue", "red", ""], ("list", ";")),
        (["red|blue", "green|red"], ("list", "|")),
        (["red; blue"], ("text", "")),
        (["a,b", "b", "a,b,c", "a,c", "c,b"] * 4, ("list", ",")),
        (["Oak Street 5, Apt 2", "Elm Street 7", "Smith, Ann"] * 2, ("text", "")),
        ([f"{number} Main Street, Apt {number}" for number in range(60)], ("text", "")),
        (["Girona, Spain", "Lleida, Spain"] * 20, ("text", "")),
        (["1,5", "2,5", "3"] * 20, ("text", "")),
        ([f"Note {number}; rang on {number}" for number in range(60)], ("text", "")),
        (["x" * 100 + ";" + "y"], ("text", "")),
        ([f"plain {number}" for number in range(20)] + ["one; two"], ("text", "")),
    ],
)
def test_the_type_is_proposed_by_what_the_values_look_like(
    workspace: Workspace, column: list[str], expected: tuple[str, str]
) -> None:
    assert proposed(workspace, column) == expected


@pytest.mark.parametrize("name", ["email", "Phone", "customer_id"])
def test_columns_named_like_addresses_and_codes_stay_text(workspace: Workspace, name: str) -> None:
    assert proposed(workspace, ["1;2", "3;2"], name=name)[0] == "text"


def test_a_person_chooses_what_separates_a_list_and_it_is_remembered(
    client: Client, workspace: Workspace
) -> None:
    content = "id,tags,born\n1,news. vip,31/12/1990\n2, vip ,01/02/1980\n3,,\n".replace(".", "|")
    source = sources.create_source(workspace, "Shop")
    draft = drafts.take_file(source, "c.csv", [content.encode()])
    at = reverse("segments:import_columns", args=[workspace.slug, draft.pk])
    page = client.get(at).content.decode()
    assert '<option value="list:|" selected>' in page
    assert '<option value="date:%d/%m/%Y" selected>' in page
    entered: dict[str, Any] = {"key": "id"}
    for place, (name, kind) in enumerate(
        [("id", "text"), ("tags", "list:,"), ("born", "date:%d/%m/%Y")]
    ):
        entered |= {f"keep-{place}": "on", f"label-{place}": name, f"type-{place}": kind}
    client.post(at, entered)
    draft.refresh_from_db()
    imports.run_import(draft)
    assert values("1") == {"id": "1", "tags": ["news| vip"], "born": "1990-12-31"}
    assert values("3") == {"id": "3"}
    assert Attribute.objects.get(name="tags").format == ","

    following = drafts.take_file(source, "c.csv", [content.encode()])
    at = reverse("segments:import_columns", args=[workspace.slug, following.pk])
    assert '<option value="list:," selected>' in client.get(at).content.decode()


def test_empty_texts_and_empty_lists_are_not_kept(workspace: Workspace) -> None:
    import_bytes(workspace, b'id,tags\n1,"; a ;; b;"\n2,;;\n3,\n', types={"tags": "list"})
    assert values("1")["tags"] == ["a", "b"]
    assert "tags" not in values("2") | values("3")


def test_a_list_in_json_lines_is_one(workspace: Workspace) -> None:
    import_bytes(
        workspace, b'{"id": "1", "tags": ["a", 5]}\n{"id": "2", "tags": []}\n{"id": "3"}\n'
    )
    assert values("1") == {"id": "1", "tags": ["a", "5"]}
    assert values("2") == {"id": "2"}


def test_what_is_no_whole_number_and_no_list_is_refused_with_the_reason(
    client: Client, workspace: Workspace
) -> None:
    load = import_bytes(
        workspace, b"id,n\n1,5\n2,5.5\n3,9223372036854775808\n", types={"n": "integer"}
    )
    assert load.state == Import.State.FAILED
    page = words(client.get(reverse("segments:import_detail", args=[workspace.slug, load.pk])))
    assert "2 n 5.5 Not a whole number, or too large" in page
    assert set(RefusedRow.objects.values_list("row_number", "reason")) == {
        (2, "not_a_whole_number"),
        (3, "not_a_whole_number"),
    }


def test_whole_numbers_are_kept_without_signs_zeros_and_fractions(workspace: Workspace) -> None:
    load = import_bytes(workspace, b"id,n\n1,+05\n2,-0\n3,7.00\n", types={"n": "integer"})
    assert counts(load) == {"added": 3}
    assert [values(key)["n"] for key in "123"] == [5, 0, 7]
    again = import_bytes(workspace, b"id,n\n1,5\n2,0\n3,7\n", source=load.source)
    assert counts(again) == {"unchanged": 3}


def test_lists_are_shown_with_commas_between_their_texts(
    client: Client, workspace: Workspace
) -> None:
    AttributeFactory(workspace=workspace, name="tags", type="list")
    AttributeFactory(workspace=workspace, name="vip", type="boolean", position=1)
    profile = ProfileFactory(
        workspace=workspace, key="k1", attributes={"tags": ["<b>", "vip"], "vip": False}
    )
    for name, arguments in (("profile_list", []), ("profile_detail", [profile.pk])):
        page = client.get(reverse(f"segments:{name}", args=[workspace.slug, *arguments]))
        assert "&lt;b&gt;, vip" in page.content.decode()
        assert "No" in words(page).replace("None", "")


def test_frequent_values_of_a_list_are_its_texts(client: Client, workspace: Workspace) -> None:
    AttributeFactory(workspace=workspace, name="tags", type="list")
    for number in range(6):
        tags = ["vip", "news"] if number % 2 else ["vip"]
        ProfileFactory(workspace=workspace, attributes={"tags": tags})
    at = reverse("segments:segment_values", args=[workspace.slug])
    page = client.get(at, {"attribute": "tags"}).content.decode()
    assert page.index('value="vip"') < page.index('value="news"')
    assert "[" not in page


def test_rules_about_lists_are_made_in_the_builder_and_read_as_a_sentence(
    client: Client, workspace: Workspace
) -> None:
    AttributeFactory(workspace=workspace, name="tags", type="list")
    ProfileFactory(workspace=workspace, key="in", attributes={"tags": ["News", "vip"]})
    ProfileFactory(workspace=workspace, key="out", attributes={"tags": ["news"]})
    entered = {
        "node": ["0", "0-0"],
        "match-0": "all",
        "subject-0-0": "a:tags",
        "operator-0-0": "contains_all_of",
        "value-0-0": "news\r\nVIP",
    }
    at = reverse("segments:segment_preview", args=[workspace.slug])
    page = words(client.post(at, entered))
    assert "Tags contains all of “news”, “VIP”" in page
    assert "1 of 2 profiles" in page
    rules = group(rule("tags", "contains_none_of", ["vip"]))
    segment = SegmentFactory(workspace=workspace, rules=rules)
    assert sentence(segment.rules, {"tags": "Tags"}, {}) == "Tags contains none of “vip”"
    edit = client.get(reverse("segments:segment_edit", args=[workspace.slug, segment.pk]))
    assert '<option value="contains_none_of" selected>' in edit.content.decode()
    assert Profile.objects.count() == 2
