"""Sources that replace: who is gone from them is gone, but never many people without a word."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from segments import drafts, imports, profile_merge, sources
from segments.models import Attribute, Import, Profile, Source
from tests.segments.files import counts, import_bytes, values
from tests.workspaces.factories import signed_in
from workspaces.models import AuditEntry


def people(numbers: range, column: str = "name") -> bytes:
    return f"id,{column}\n".encode() + b"".join(b"%d,P%d\n" % (n, n) for n in numbers)


def keys() -> set[str]:
    return set(Profile.objects.values_list("key", flat=True))


def test_a_source_that_updates_keeps_whoever_is_gone_from_it(workspace: Any) -> None:
    first = import_bytes(workspace, people(range(3)))
    again = import_bytes(workspace, people(range(1)), source=first.source)
    assert (keys(), again.removed) == ({"0", "1", "2"}, 0)


def test_a_source_that_replaces_removes_whoever_is_gone_from_it(workspace: Any) -> None:
    first = import_bytes(workspace, people(range(3)), mode="replace")
    again = import_bytes(workspace, people(range(2)), source=first.source)
    assert counts(again) == {"unchanged": 2}
    assert (keys(), again.removed) == ({"0", "1"}, 1)


def test_who_another_source_still_has_only_loses_what_this_one_filled(workspace: Any) -> None:
    shop = import_bytes(workspace, people(range(3)), mode="replace")
    import_bytes(workspace, b"nr,points\n2,10\n", key="nr")
    again = import_bytes(workspace, people(range(1)), source=shop.source)
    assert (keys(), again.removed) == ({"0", "2"}, 2)
    assert values("2") == {"nr": 2, "points": 10}


def test_who_came_from_two_sources_goes_with_the_last_of_them(workspace: Any) -> None:
    shop = import_bytes(workspace, people(range(3)), mode="replace")
    points = import_bytes(workspace, b"nr,points\n1,5\n2,10\n", key="nr", mode="replace")
    import_bytes(workspace, people(range(1)), source=shop.source)
    import_bytes(workspace, b"nr,points\n1,5\n", key="nr", source=points.source)
    assert keys() == {"0", "1"}


def test_a_source_that_was_removed_holds_nobody(workspace: Any) -> None:
    sources.remove_source(import_bytes(workspace, people(range(3))).source, by=None)
    assert keys() == {"0", "1", "2"}
    anew = import_bytes(workspace, people(range(3)), mode="replace")
    import_bytes(workspace, people(range(2)), source=anew.source)
    assert keys() == {"0", "1"}


def test_a_source_that_only_lists_keys_holds_them_too(workspace: Any) -> None:
    shop = import_bytes(workspace, people(range(3)), mode="replace")
    before = Profile.objects.get(key="2").updated_at
    listed = import_bytes(workspace, b"nr,note\n2,\n3,\n", key="nr", drop=["nr"])
    assert counts(listed) == {"added": 1, "unchanged": 1}
    assert Profile.objects.get(key="2").updated_at == before
    import_bytes(workspace, people(range(1)), source=shop.source)
    assert keys() == {"0", "2", "3"}
    assert values("2") == {}


def test_whose_row_is_refused_is_not_gone(workspace: Any) -> None:
    shop = import_bytes(workspace, b"id,points\n1,5\n2,6\n3,7\n", mode="replace")
    again = import_bytes(
        workspace,
        b"id,points\n1,5\n2,many\n",
        types={"points": "number"},
        source=shop.source,
        skip_refused=True,
    )
    assert (keys(), again.removed, again.refused) == ({"1", "2"}, 1, 1)
    import_bytes(workspace, b"id,points\n1,5\n2,6,x\n", source=shop.source, skip_refused=True)
    assert keys() == {"1", "2"}, "a row without a key could be anybody's"


def test_many_who_are_gone_stop_the_import_until_somebody_approves(workspace: Any) -> None:
    shop = import_bytes(workspace, people(range(1000)), mode="replace")
    stopped = import_bytes(workspace, people(range(700)), source=shop.source)
    assert stopped.state == Import.State.FAILED
    assert "300 of the 1,000" in str(stopped.reason)
    assert Profile.objects.count() == 1000
    draft = drafts.import_again(stopped, by=None)
    chosen = {"key": "id", "columns": drafts.chosen_columns(draft), "skip_refused": False}
    drafts.prepare(draft, **chosen, by=None, approved_removals=draft.removals_asked)
    imports.run_import(draft)
    draft.refresh_from_db()
    assert (draft.state, draft.removed, Profile.objects.count()) == ("succeeded", 300, 700)


def test_a_few_of_many_go_without_a_word(workspace: Any) -> None:
    shop = import_bytes(workspace, people(range(1000)), mode="replace")
    again = import_bytes(workspace, people(range(800)), source=shop.source)
    assert (again.state, again.removed) == ("succeeded", 200)


def test_an_empty_load_is_never_everybody_gone(workspace: Any) -> None:
    shop = import_bytes(workspace, people(range(3)), mode="replace")
    stopped = import_bytes(workspace, b"id,name\n,x\n,y\n", source=shop.source, skip_refused=True)
    assert stopped.state == Import.State.FAILED
    assert "3 of the 3" in str(stopped.reason)
    assert keys() == {"0", "1", "2"}


def test_an_import_that_stops_has_changed_nothing(workspace: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(profile_merge, "MANY_GONE", 1)
    shop = import_bytes(workspace, people(range(3)), mode="replace")
    import_bytes(workspace, b"id,name,town\n0,New,Vic\n", source=shop.source)
    assert values("0") == {"id": "0", "name": "P0"}
    assert not Attribute.objects.filter(name="town").exists()


def test_the_mode_is_on_the_audit_log(workspace: Any) -> None:
    shop = import_bytes(workspace, people(range(3)), mode="replace").source
    sources.change_mode(shop, "replace", by=None)
    sources.change_mode(shop, "update", by=None)
    told = AuditEntry.objects.filter(action="source.mode_changed").order_by("pk")
    assert [one.details["becomes"] for one in told] == ["replace", "update"]


def test_the_command_says_how_many_are_gone_and_takes_an_approval(
    workspace: Any, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"

    def run(content: bytes, **options: Any) -> dict[str, Any]:
        file.write_bytes(content)
        said = StringIO()
        call_command(
            "import_profiles",
            workspace.slug,
            str(file),
            key="id",
            json=True,
            stdout=said,
            **options,
        )
        return dict(json.loads(said.getvalue()))

    run(people(range(500)), mode="replace")
    with pytest.raises(CommandError, match="300 of the 500"):
        run(people(range(200)))
    with pytest.raises(CommandError, match="300 of the 500"):
        run(people(range(200)), approve_removals=299)
    assert run(people(range(200)), approve_removals=300)["removed"] == 300
    assert keys() == {str(n) for n in range(200)}


class TestAnAttributeThatAnotherSourceFills:
    def test_is_asked_about(self, workspace: Any) -> None:
        import_bytes(workspace, people(range(2)))
        with pytest.raises(sources.Refused, match="source 1"):
            import_bytes(workspace, b"nr,name\n1,Bob\n", key="nr")

    def test_can_be_taken_over(self, workspace: Any) -> None:
        import_bytes(workspace, people(range(2)))
        load = import_bytes(workspace, b"nr,name\n1,Bob\n", key="nr", taken_over=["name"])
        assert Attribute.objects.get(name="name").source == load.source
        assert values("1") == {"id": "1", "nr": 1, "name": "Bob"}

    def test_is_not_taken_by_an_import_that_was_chosen_before_it_had_an_owner(
        self, workspace: Any
    ) -> None:
        late = drafts.take_file(
            sources.create_source(workspace, "late"), "late.csv", [b"nr,name\n1,Bob\n"]
        )
        chosen = {"key": "nr", "columns": drafts.chosen_columns(late), "skip_refused": False}
        drafts.prepare(late, **chosen, by=None)
        import_bytes(workspace, people(range(2)))
        imports.run_import(late)
        late.refresh_from_db()
        assert late.state == Import.State.FAILED
        assert "filled by" in str(late.reason)
        assert values("1")["name"] == "P1"

    def test_can_be_kept_apart_and_the_next_file_is_too(self, workspace: Any) -> None:
        import_bytes(workspace, people(range(2)))
        client = signed_in(workspace)
        source = sources.create_source(workspace, "fair")
        load = drafts.take_file(source, "fair.csv", [b"nr,name\n1,Bob\n"])
        url = f"/w/{workspace.slug}/data/imports/{load.pk}/columns/"
        assert "Filled by “source 1”" in client.get(url).content.decode()
        form = {
            "key": "nr",
            "keep-0": "on",
            "label-0": "nr",
            "keep-1": "on",
            "label-1": "Fair name",
        }
        assert "Take it over" in client.post(url, form).content.decode()
        client.post(url, {**form, "owner-1": "apart"})
        load.refresh_from_db()
        imports.run_import(load)
        assert values("1")["Fair name"] == "Bob"
        assert values("1")["name"] == "P1"
        following = drafts.take_file(source, "fair.csv", [b"nr,name\n1,Rob\n"])
        assert [one.attribute for one in drafts.chosen_columns(following)] == ["nr", "Fair name"]


class TestThePages:
    def test_the_mode_is_chosen_on_the_sources_page(self, workspace: Any) -> None:
        source = import_bytes(workspace, people(range(2))).source
        client = signed_in(workspace)
        url = f"/w/{workspace.slug}/data/sources/{source.pk}/"
        assert "gone from the source" in client.get(url).content.decode()
        client.post(f"{url}mode/", {"mode": "replace"})
        assert Source.objects.get().mode == "replace"
        client.post(f"{url}mode/", {"mode": "nonsense"})
        assert Source.objects.get().mode == "replace"

    def test_removals_are_approved_by_a_tick_on_the_way_to_importing_again(
        self, workspace: Any
    ) -> None:
        shop = import_bytes(workspace, people(range(500)), mode="replace")
        stopped = import_bytes(workspace, people(range(200)), source=shop.source)
        client = signed_in(workspace)
        base = f"/w/{workspace.slug}/data/imports/"
        assert "300 of the 500" in client.get(f"{base}{stopped.pk}/").content.decode()
        again = client.post(f"{base}{stopped.pk}/again/")
        assert "Yes, 300 profiles go" in client.get(again["Location"]).content.decode()
        form = {"key": "id", "keep-0": "on", "label-0": "id", "keep-1": "on", "label-1": "name"}
        client.post(again["Location"], {**form, "approve_removals": "on"})
        draft = Import.objects.get(state=Import.State.QUEUED)
        imports.run_import(draft)
        assert (Profile.objects.count(), Import.objects.get(pk=draft.pk).removed) == (200, 300)
        assert ">300<" in client.get(f"{base}{draft.pk}/").content.decode()
