"""Attributes in pages: what there is, who uses it, another type after a preview, removal."""

from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from segments import attribute_changes, attribute_facts, attributes, drafts, imports
from segments.models import Attribute, AttributeChange, Import, Profile
from tests.exports.factories import DestinationFactory
from tests.exports.pages import words
from tests.segments.factories import (
    AttributeFactory,
    ProfileFactory,
    SegmentFactory,
    SourceFactory,
    group,
    make_customers,
    rule,
)
from tests.segments.files import import_bytes, values
from tests.segments.pages import url
from tests.workspaces.factories import signed_in
from workspaces.models import AuditEntry, Workspace

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timezone.timedelta(days=9)


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace, "contributor")


def attribute_of(workspace: Workspace, name: str, kind: str, kept: list[Any]) -> Attribute:
    """An attribute of that type with profiles `k0`, `k1`, … that keep the values."""
    attribute: Attribute = AttributeFactory(workspace=workspace, name=name, type=kind)
    for number, value in enumerate(kept):
        ProfileFactory(
            workspace=workspace,
            key=f"k{number}",
            attributes={} if value is None else {name: value},
            updated_at=LONG_AGO,
        )
    return attribute


def change(client: Client, attribute: Attribute, type_: str, **more: str) -> AttributeChange:
    """Asks for another type as a person does, and lets a worker's part be done here."""
    at = url("attribute_type", attribute.workspace, attribute.pk)
    answer = client.post(at, {"type": type_, **more})
    assert answer.status_code == 302, words(answer)
    asked = AttributeChange.objects.latest("pk")
    attribute_changes.run_change(asked)
    asked.refresh_from_db()
    attribute.refresh_from_db()
    return asked


def kept(name: str) -> list[Any]:
    return [one.attributes.get(name) for one in Profile.objects.order_by("key")]


def moved() -> list[str]:
    return [one.key for one in Profile.objects.order_by("key") if one.updated_at != LONG_AGO]


class TestTheList:
    def test_it_tells_what_each_attribute_is_and_who_uses_it(
        self, client: Client, workspace: Workspace
    ) -> None:
        make_customers(workspace)
        source = SourceFactory(workspace=workspace, name="Shop")
        Attribute.objects.filter(name="city").update(source=source)
        Profile.objects.filter(key="c00").update(attributes={"points": 1})
        segment = SegmentFactory(workspace=workspace, name="Parisians")
        export = DestinationFactory(
            workspace=workspace, name="Weekly", matching={"email": "city", "city": "city"}
        )
        answer = client.get(url("attribute_list", workspace))
        page = words(answer)
        assert "City city Text Shop 92 % Rome · Paris Parisians , Weekly" in page
        assert "Points points Number – 100 %" in page
        assert "sample" not in page
        content = answer.content.decode()
        assert url("segment_detail", workspace, segment.pk) in content
        assert reverse("exports:destination_detail", args=[workspace.slug, export.pk]) in content
        assert content.count(">Weekly</a>") == 1
        assert "City,Text,Shop,91.67" in unquote(content)
        assert 'aria-current="page"' in content

    def test_without_attributes_it_asks_for_a_file(
        self, client: Client, workspace: Workspace
    ) -> None:
        answer = client.get(url("attribute_list", workspace))
        assert "No attributes yet" in words(answer)
        assert url("source_add", workspace) in answer.content.decode()

    def test_500_attributes_come_in_pages_and_are_searched(
        self, client: Client, workspace: Workspace, django_assert_max_num_queries: Any
    ) -> None:
        Attribute.objects.bulk_create(
            Attribute(workspace=workspace, name=f"a{n:03}", label=f"Field {n:03}", type="text")
            for n in range(500)
        )
        ProfileFactory(workspace=workspace, attributes={f"a{n:03}": f"v{n}" for n in range(500)})
        at = url("attribute_list", workspace)
        with django_assert_max_num_queries(25):
            first = client.get(at)
        assert "Field 000" in words(first)
        assert "Field 025" not in words(first)
        assert "500 attributes" in words(first)
        page = first
        for start in range(25, 500, 25):
            page = client.get(at + page.context["next_url"])
            assert f"Field {start:03}" in words(page)
        assert "Field 499" in words(page)
        assert 'rel="prev"' in page.content.decode()
        assert 'rel="next"' not in page.content.decode()
        back = client.get(at, {"sort": "-name"})
        assert "Field 499" in words(back)
        assert 'aria-sort="descending"' in back.content.decode()
        assert "v123" in words(client.get(at, {"q": "field 123"}))
        assert "v123" not in words(client.get(at, {"q": "field 123", "columns": "type"}))
        assert "No attribute has that in its name." in words(client.get(at, {"q": "nothing"}))
        for odd in ("0", "-1", "x", "99999999999999999999", "½"):
            assert client.get(at, {"after": odd, "sort": odd}).status_code == 200

    def test_of_many_profiles_a_sample_is_looked_at_and_said_so(
        self, client: Client, workspace: Workspace, monkeypatch: Any
    ) -> None:
        AttributeFactory(workspace=workspace, name="city")
        Profile.objects.bulk_create(
            Profile(
                workspace=workspace,
                key=f"k{n:05}",
                attributes={"city": "Rome"} if n >= 2_000 else {},
            )
            for n in range(4_000)
        )
        monkeypatch.setattr(attribute_facts, "VALUES_LOOKED_AT", 40_000)
        page = words(client.get(url("attribute_list", workspace)))
        assert "those of a sample of " in page
        share = int(page.split(" % ")[0].rsplit(" ", 1)[1])
        assert 44 <= share <= 56

    def test_hostile_labels_and_values_are_only_text(
        self, client: Client, workspace: Workspace
    ) -> None:
        name = "x'); DROP TABLE segments_profile; --%s{taken}"
        attribute = AttributeFactory(
            workspace=workspace, name=name, label="<script>alert(1)</script>"
        )
        ProfileFactory(workspace=workspace, key="k", attributes={name: "<img src=x>"})
        for page in (
            client.get(url("attribute_list", workspace)),
            client.get(url("attribute_detail", workspace, attribute.pk)),
            client.get(url("attribute_type", workspace, attribute.pk)),
            client.get(url("attribute_preview", workspace, attribute.pk), {"type": "integer"}),
        ):
            content = page.content.decode()
            assert "<script>alert" not in content
            assert "<img src=x" not in content
        done = change(client, attribute, "list:|")
        assert kept(name) == [["<img src=x>"]]
        assert done.state == "succeeded"


class TestRenaming:
    def test_an_attribute_gets_another_name_on_record(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = AttributeFactory(workspace=workspace, name="city", label="city")
        client.post(url("attribute_rename", workspace, attribute.pk), {"label": "  Town "})
        attribute.refresh_from_db()
        assert (attribute.name, attribute.label) == ("city", "Town")
        entry = AuditEntry.objects.get(action="attribute.renamed")
        assert entry.details == {"was": "city", "becomes": "Town"}

    def test_files_that_wait_to_be_imported_do_not_bring_the_old_name_back(
        self, client: Client, workspace: Workspace
    ) -> None:
        load = import_bytes(workspace, b"id,city\n1,Rome\n")
        draft = drafts.take_file(load.source, "next.csv", [b"id,city\n1,Paris\n"])
        attribute = Attribute.objects.get(name="city")
        client.post(url("attribute_rename", workspace, attribute.pk), {"label": "Town"})
        draft.refresh_from_db()
        columns = drafts.chosen_columns(draft)
        drafts.prepare(draft, key="id", columns=columns, skip_refused=False, by=None)
        imports.run_import(draft)
        assert values("1")["city"] == "Paris"
        assert Attribute.objects.get(name="city").label == "Town"

    @pytest.mark.parametrize("label", ["", "  ", "x" * 256, "a\0b", "POINTS"])
    def test_a_name_that_will_not_do_is_refused(
        self, client: Client, workspace: Workspace, label: str
    ) -> None:
        attribute = AttributeFactory(workspace=workspace, name="city", label="City")
        AttributeFactory(workspace=workspace, name="points", label="Points")
        at = url("attribute_rename", workspace, attribute.pk)
        page = words(client.post(at, {"label": label}, follow=True))
        assert "Give a name of at most 255" in page or "Another attribute is named" in page
        attribute.refresh_from_db()
        assert attribute.label == "City"


class TestAnotherType:
    def test_the_preview_counts_and_shows_what_would_not_convert(
        self, client: Client, workspace: Workspace
    ) -> None:
        odd = [f"odd {n}" for n in range(12)]
        attribute = attribute_of(workspace, "points", "text", ["5", "7.0", None, *odd])
        at = url("attribute_preview", workspace, attribute.pk)
        answer = client.get(at, {"type": "integer"})
        page = words(answer)
        assert "Convert 2" in page
        assert "Do not convert 12" in page
        assert page.count("odd ") == 10
        first = Profile.objects.get(key="k3")
        assert url("profile_detail", workspace, first.pk) in answer.content.decode()
        assert "Empty the values that do not convert" in page
        assert "Change to Whole number" in page
        assert moved() == []

    def test_the_preview_offers_nothing_for_the_type_it_has(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "tags", "list", [["a"]])
        at = url("attribute_preview", workspace, attribute.pk)
        assert "This is its type now." in words(client.get(at, {"type": "list:;"}))
        assert "later files of the source are read like this" in words(
            client.get(at, {"type": "list:|"})
        )
        for odd in ("", "nothing", "list\0"):
            assert "Choose a type." in words(client.get(at, {"type": odd}))

    def test_all_values_are_converted_at_once(self, client: Client, workspace: Workspace) -> None:
        attribute = attribute_of(workspace, "points", "text", ["5", "007", None, "-3"])
        done = change(client, attribute, "integer")
        assert (done.state, done.values, done.changed, done.failing) == ("succeeded", 3, 3, 0)
        assert kept("points") == [5, 7, None, -3]
        assert attribute.type == "integer"
        entry = AuditEntry.objects.get(action="attribute.changed")
        assert entry.actor == client.member.user  # type: ignore[attr-defined]
        assert entry.details == {"was": "text", "becomes": "integer", "emptied": 0}
        page = words(client.get(url("attribute_change", workspace, done.pk)))
        assert "Succeeded" in page
        assert "Profiles written 3" in page

    def test_only_profiles_whose_text_changed_count_as_changed(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "points", "text", ["5", "007", "8.00"])
        change(client, attribute, "integer")
        assert moved() == ["k1", "k2"]

    def test_one_value_that_does_not_convert_stops_it_all(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "points", "text", ["5", "many"])
        done = change(client, attribute, "number")
        assert done.state == "failed"
        assert kept("points") == ["5", "many"]
        assert attribute.type == "text"
        assert not AuditEntry.objects.filter(action="attribute.changed").exists()
        page = words(client.get(url("attribute_detail", workspace, attribute.pk)))
        assert "The last change failed 1 value does not convert" in page

    def test_values_that_do_not_convert_are_emptied_when_a_person_says_so(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "points", "text", ["5", "many"])
        done = change(client, attribute, "number", empties="on")
        assert (done.changed, done.failing) == (2, 1)
        assert kept("points") == [5, None]
        assert "points" not in values("k1")
        assert moved() == ["k1"]

    @pytest.mark.parametrize(
        ("kind", "before", "becomes", "after"),
        [
            ("text", ["a; b;;c", ";"], "list:;", [["a", "b", "c"], None]),
            ("list", [["a", "b"], ["c"]], "text", ["a, b", "c"]),
            ("list", [["5"], ["7"]], "integer", [5, 7]),
            ("number", [5, 7.0, 40000.0], "integer", [5, 7, 40000]),
            ("integer", [5, -1], "text", ["5", "-1"]),
            ("boolean", [True, False], "text", ["true", "false"]),
            ("integer", [1, 0], "boolean", [True, False]),
            ("text", ["Sí", "no"], "boolean", [True, False]),
            ("text", ["31/12/2026"], "date:%d/%m/%Y", ["2026-12-31"]),
            ("text", ["2026-01-02T03:04:05+02:00"], "datetime", ["2026-01-02T01:04:05Z"]),
            # The workspace is in Madrid: an hour from UTC in winter.
            ("date", ["2026-01-02"], "datetime", ["2026-01-01T23:00:00Z"]),
            ("datetime", ["2026-01-01T23:30:00Z"], "date:%d.%m.%Y", ["2026-01-02"]),
            ("date", ["2026-01-02"], "text", ["2026-01-02"]),
            # Kept from before an import gave the attribute its type.
            ("number", ["12", "x"], "text", ["12", "x"]),
        ],
    )
    def test_each_type_becomes_others(
        self,
        client: Client,
        workspace: Workspace,
        kind: str,
        before: list[Any],
        becomes: str,
        after: list[Any],
    ) -> None:
        attribute = attribute_of(workspace, "it", kind, before)
        done = change(client, attribute, becomes)
        assert done.state == "succeeded", done.reason
        assert kept("it") == after

    def test_it_is_refused_where_a_rule_would_make_no_sense(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "city", "text", ["1"])
        segment = SegmentFactory(workspace=workspace, name="Parisians <b>")
        unhurt = group(rule("city", "is_not_empty"))
        SegmentFactory(workspace=workspace, name="Somewhere", rules=unhurt)
        broken = group(rule("city", "equals", 5))
        SegmentFactory(workspace=workspace, name="Broken anyway", rules=broken)
        at = url("attribute_preview", workspace, attribute.pk)
        answer = client.get(at, {"type": "date:%Y-%m-%d"})
        page = words(answer)
        assert "Parisians &lt;b&gt;</a>" in answer.content.decode()
        assert "“is” does not fit the type “Date”" in page
        assert "Somewhere" not in page
        assert "Broken anyway" not in page
        assert "Change to" not in page
        refused = client.post(
            url("attribute_type", workspace, attribute.pk), {"type": "date:%Y-%m-%d"}
        )
        assert refused.status_code == 422
        assert "it would not work any more in “Parisians <b>”" in words(refused).replace(
            "&lt;", "<"
        ).replace("&gt;", ">")
        assert not AttributeChange.objects.exists()
        assert segment.name == "Parisians <b>"

    def test_it_is_refused_where_a_contact_field_could_not_take_it(
        self, client: Client, workspace: Workspace
    ) -> None:
        mail = attribute_of(workspace, "mail", "text", ["1"])
        born = AttributeFactory(workspace=workspace, name="born", type="date")
        matching = {"email": "mail", "birthday": "born", "city": "born"}
        DestinationFactory(workspace=workspace, name="Weekly", matching=matching)
        for attribute, kind, why in (
            (mail, "integer", "Email takes no whole number"),
            (born, "text", "Birthday takes no text"),
        ):
            at = url("attribute_preview", workspace, attribute.pk)
            assert why in words(client.get(at, {"type": kind}))
            asked = client.post(url("attribute_type", workspace, attribute.pk), {"type": kind})
            assert asked.status_code == 422
        done = change(client, born, "datetime")
        assert done.state == "succeeded"

    def test_a_rule_made_meanwhile_stops_the_worker_too(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "city", "text", ["1"])
        client.post(url("attribute_type", workspace, attribute.pk), {"type": "number"})
        SegmentFactory(workspace=workspace, name="Parisians")
        asked = AttributeChange.objects.get()
        attribute_changes.run_change(asked)
        asked.refresh_from_db()
        assert asked.state == "failed"
        page = words(client.get(url("attribute_change", workspace, asked.pk)))
        assert "It is needed as it is by “Parisians”. Change that first." in page
        assert kept("city") == ["1"]

    def test_a_second_change_waits_for_the_first(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "city", "text", ["1"])
        at = url("attribute_type", workspace, attribute.pk)
        client.post(at, {"type": "number"})
        again = client.post(at, {"type": "integer"})
        assert "is being changed already. Wait until that has ended." in words(again)
        page = words(client.get(url("attribute_detail", workspace, attribute.pk)))
        assert "This attribute is being changed" in page
        assert AttributeChange.objects.count() == 1

    def test_later_files_are_read_by_the_new_type_drafts_too(
        self, client: Client, workspace: Workspace
    ) -> None:
        load = import_bytes(workspace, b"id,tags\n1,a|b\n2,c\n", types={"tags": "text"})
        draft = drafts.take_file(load.source, "next.csv", [b"id,tags\n1,a|b\n2,c|d\n"])
        attribute = Attribute.objects.get(name="tags")
        change(client, attribute, "list:|")
        draft.refresh_from_db()
        drafts.prepare(
            draft,
            key="id",
            columns=drafts.chosen_columns(draft),
            skip_refused=False,
            by=None,
        )
        imports.run_import(draft)
        draft.refresh_from_db()
        assert (draft.unchanged, draft.changed) == (1, 1)
        assert values("2")["tags"] == ["c", "d"]
        assert Attribute.objects.get(name="tags").type == "list"

    def test_a_change_that_workers_die_of_is_given_up(
        self, client: Client, workspace: Workspace, monkeypatch: Any
    ) -> None:
        attribute = attribute_of(workspace, "city", "text", ["1"])
        client.post(url("attribute_type", workspace, attribute.pk), {"type": "number"})
        asked = AttributeChange.objects.get()
        AttributeChange.objects.update(state="running", attempts=attribute_changes.MAX_ATTEMPTS)
        attribute_changes.run_change(asked)
        asked.refresh_from_db()
        assert asked.state == "failed"
        page = words(client.get(url("attribute_detail", workspace, attribute.pk)))
        assert "not tried again" in page


class TestRemoval:
    def remove(self, client: Client, attribute: Attribute) -> AttributeChange:
        client.post(url("attribute_remove", attribute.workspace, attribute.pk))
        asked = AttributeChange.objects.latest("pk")
        attribute_changes.run_change(asked)
        asked.refresh_from_db()
        return asked

    def test_it_goes_from_every_profile_and_is_on_record(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "city", "text", ["Paris", None, "Rome"])
        done = self.remove(client, attribute)
        assert (done.state, done.changed) == ("succeeded", 2)
        assert kept("city") == [None] * 3
        assert moved() == ["k0", "k2"]
        assert not Attribute.objects.exists()
        entry = AuditEntry.objects.get(action="attribute.removed")
        assert entry.target_label == "City"
        answer = client.get(url("attribute_change", workspace, done.pk))
        assert "Remove City" in words(answer)
        assert "Profiles written 2" in words(answer)
        assert client.get(url("attribute_detail", workspace, attribute.pk)).status_code == 404

    def test_it_is_refused_while_a_segment_or_an_export_needs_it(
        self, client: Client, workspace: Workspace
    ) -> None:
        attribute = attribute_of(workspace, "city", "text", ["Paris"])
        segment = SegmentFactory(workspace=workspace, name="Parisians")
        export = DestinationFactory(workspace=workspace, name="Weekly", matching={"email": "city"})
        at = url("attribute_detail", workspace, attribute.pk)
        content = client.get(at).content.decode()
        assert "This attribute is in use" in content
        assert url("attribute_remove", workspace, attribute.pk) not in content
        assert url("segment_detail", workspace, segment.pk) in content
        assert reverse("exports:destination_detail", args=[workspace.slug, export.pk]) in content
        page = words(client.post(url("attribute_remove", workspace, attribute.pk), follow=True))
        assert "The attribute is used by “Parisians”, “Weekly”. Take it out there first." in page
        assert kept("city") == ["Paris"]
        assert not AttributeChange.objects.exists()

    def test_who_puts_it_to_use_meanwhile_is_in_time(
        self, client: Client, workspace: Workspace, monkeypatch: Any
    ) -> None:
        attribute = attribute_of(workspace, "city", "text", ["Paris"])
        tell = attributes.tell_imports

        def and_meanwhile(*known: Any, **more: Any) -> None:
            SegmentFactory(workspace=workspace, name="Parisians")
            tell(*known, **more)

        monkeypatch.setattr(attributes, "tell_imports", and_meanwhile)
        done = self.remove(client, attribute)
        assert done.state == "failed"
        assert Attribute.objects.filter(pk=attribute.pk).exists()
        assert kept("city") == ["Paris"]

    def test_a_later_file_leaves_the_column_out_until_it_is_chosen_again(
        self, client: Client, workspace: Workspace
    ) -> None:
        rows = b"id,name,city\n1,Ann,Rome\n2,Bob,Paris\n"
        load = import_bytes(workspace, rows)
        draft = drafts.take_file(load.source, "next.csv", [rows])
        self.remove(client, Attribute.objects.get(name="city"))
        draft.refresh_from_db()
        following = drafts.take_file(load.source, "next.csv", [rows])
        for one in (draft, following):
            assert [column.keep for column in drafts.chosen_columns(one)] == [True, True, False]
        again = import_bytes(workspace, rows, source=load.source)
        assert again.state == Import.State.SUCCEEDED
        assert values("1")["city"] == "Rome"
