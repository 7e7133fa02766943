"""Files become profiles: what each row ends as, and what a bad file or row is told."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from segments import drafts, imports, profile_merge, reading, sources
from segments.encodings import UnreadableFile
from segments.models import Attribute, Import, Profile, RefusedRow, Source
from segments.tasks import run_import_task, sweep
from tests.another_session import held_elsewhere
from tests.segments.files import counts, import_bytes, values
from workspaces import locks

SAMPLE = Path("segments/samples/prospective_buyers.csv")


def test_every_row_of_the_sample_file_is_accounted_for(workspace: Any) -> None:
    load = import_bytes(workspace, SAMPLE.read_bytes(), key="ProspectAlternateKey")
    assert load.read == 2059
    assert counts(load) == {"added": 2053, "superseded": 6}
    assert values("3003")["BirthDate"] == "1950-03-06"
    assert values("3003")["YearlyIncome"] == 80000
    assert values("3003")["PostalCode"] == "94014"
    assert "AddressLine2" not in values("3003")


def test_the_same_file_again_changes_nothing(workspace: Any) -> None:
    first = import_bytes(workspace, SAMPLE.read_bytes(), key="ProspectAlternateKey")
    before = Profile.objects.get(key="3003").updated_at
    again = import_bytes(
        workspace, SAMPLE.read_bytes(), key="ProspectAlternateKey", source=first.source
    )
    assert counts(again) == {"unchanged": 2053, "superseded": 6}
    assert Profile.objects.get(key="3003").updated_at == before


def test_changed_new_and_unchanged_rows_are_told_apart(workspace: Any) -> None:
    first = import_bytes(workspace, b"id,name\n1,Ann\n2,Bob\n")
    again = import_bytes(workspace, b"id,name\n1,Ann\n2,Rob\n3,Cat\n", source=first.source)
    assert counts(again) == {"added": 1, "changed": 1, "unchanged": 1}
    assert values("2") == {"id": "2", "name": "Rob"}


def test_a_first_import_of_several_blocks_adds_each_row_once(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_merge, "ADDED_AT_ONCE", 20)
    written = "id,name\n" + "".join(f'{n},"Two\\ {n}\nlines\t"\n' for n in range(9))
    load = import_bytes(workspace, written.encode())
    assert counts(load) == {"added": 9}
    assert {key: values(key)["name"] for key in map(str, range(9))} == {
        str(n): f"Two\\ {n}\nlines" for n in range(9)
    }


def test_an_emptied_value_is_gone(workspace: Any) -> None:
    first = import_bytes(workspace, b"id,name\n1,Ann\n2,Bob\n")
    import_bytes(workspace, b"id,name\n1,\n2,Bob\n", source=first.source)
    assert values("1") == {"id": "1"}


def test_of_rows_with_one_key_the_last_wins(workspace: Any) -> None:
    load = import_bytes(workspace, b"id,name\n1,First\n2,Two\n1,Last\n")
    assert counts(load) == {"added": 2, "superseded": 1}
    assert values("1")["name"] == "Last"


@pytest.mark.parametrize(
    "content",
    [
        "id;name\n1;Zoë\n2;Bob\n".encode(),
        "id\tname\n1\tZoë\n2\tBob\n".encode(),
        "id|name\n1|Zoë\n2|Bob\n".encode(),
        b"\xef\xbb\xbf" + "id,name\n1,Zoë\n2,Bob\n".encode(),
        "id,name\n1,Zoë\n2,Bob\n".encode("utf-16"),
        "id,name\n1,Zoë\n2,Bob\n".encode("cp1252"),
        "id,name\r\n1,Zoë\r\n2,Bob\r\n".encode(),
        "sep=;\r\nid;name\r\n1;Zoë\r\n2;Bob\r\n".encode(),
        'id,name\n1,"Zoë"\n2,"Bob"\n'.encode(),
        "id,name\n1,Zoë\n2,Bob".encode(),
    ],
)
def test_separators_encodings_and_line_ends_are_found_out(workspace: Any, content: bytes) -> None:
    load = import_bytes(workspace, content)
    assert counts(load) == {"added": 2}
    assert values("1")["name"] == "Zoë"


def test_quoted_values_may_hold_separators_quotes_and_line_ends(workspace: Any) -> None:
    import_bytes(workspace, b'id,name\n1,"Smith, ""Ann""\nJr"\n2,Bob\n')
    assert values("1")["name"] == 'Smith, "Ann"\nJr'


def test_types_are_proposed_and_what_looks_like_a_number_but_is_none_stays_text(
    workspace: Any,
) -> None:
    import_bytes(
        workspace,
        b"id,amount,born,seen,vip,zip,phone,code\n"
        b"1,12.50,1980-02-29,2026-01-02T03:04:05Z,yes,08001,600100200,007\n"
        b"2,-3,1990-12-31,2026-02-03T04:05:06+02:00,no,08002,600100201,008\n",
    )
    assert dict(Attribute.objects.values_list("name", "type")) == {
        "id": "text",
        "amount": "number",
        "born": "date",
        "seen": "datetime",
        "vip": "boolean",
        "zip": "text",
        "phone": "text",
        "code": "text",
    }
    second = values("2")
    assert second["amount"] == -3
    assert second["vip"] is False
    assert second["seen"] == "2026-02-03T02:05:06Z"
    assert second["zip"] == "08002"


def test_a_row_that_does_not_convert_stops_the_import_and_says_where(workspace: Any) -> None:
    load = import_bytes(workspace, b"id,amount\n1,5\n2,many\n3,7\n", types={"amount": "number"})
    assert load.state == Import.State.FAILED
    assert Profile.objects.count() == 0
    assert not Attribute.objects.exists()
    row = RefusedRow.objects.get()
    assert (row.row_number, row.column, row.value, row.reason) == (
        2,
        "amount",
        "many",
        "not_a_number",
    )


def test_bad_rows_are_skipped_and_counted_when_asked(workspace: Any) -> None:
    load = import_bytes(
        workspace,
        b"id,amount\n1,5\n,6\n3,7,extra\n4\n5,many\n6,8\n",
        types={"amount": "number"},
        skip_refused=True,
    )
    assert load.state == Import.State.SUCCEEDED
    assert counts(load) == {"added": 2, "refused": 4}
    found = dict(RefusedRow.objects.values_list("row_number", "reason"))
    assert found == {2: "no_key", 3: "too_many_columns", 4: "missing_columns", 5: "not_a_number"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"id,name\n", "no rows"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "This is a picture"),
        (b"id,,name\n1,2,3\n", "no name"),
        (b"id,name,name\n1,2,3\n", "Two columns"),
        (b"\xff\xfea\0\x00\xd8", "encoding is damaged"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_what_to_do(
    workspace: Any, content: bytes, says: str
) -> None:
    source = sources.create_source(workspace, "S")
    with pytest.raises(UnreadableFile, match=says):
        drafts.take_file(source, "x.csv", [content])
    assert not Import.objects.exists()


def test_two_sources_fill_one_profile_each_its_own_attributes(workspace: Any) -> None:
    shop = import_bytes(workspace, b"id,name\n1,Ann\n2,Bob\n")
    import_bytes(workspace, b"id,points\n1,10\n3,30\n", drop=["id"])
    assert values("1") == {"id": "1", "name": "Ann", "points": 10}
    import_bytes(workspace, b"id,name\n1,Anna\n", source=shop.source)
    assert values("1") == {"id": "1", "name": "Anna", "points": 10}


def test_an_attribute_that_another_source_fills_is_not_taken_over(workspace: Any) -> None:
    import_bytes(workspace, b"id,name\n1,Ann\n")
    with pytest.raises(sources.Refused, match="name"):
        import_bytes(workspace, b"nr,name\n1,Bob\n", key="nr")


def test_hostile_names_and_values_are_only_text(workspace: Any) -> None:
    import_bytes(workspace, b'id,"x\'); DROP TABLE raw; --"\n1,"\'); DROP TABLE judged; --"\n')
    assert values("1")["x'); DROP TABLE raw; --"] == "'); DROP TABLE judged; --"


@pytest.mark.parametrize("key", ["n", "N", "key", "row"])
def test_columns_may_be_called_anything(workspace: Any, key: str) -> None:
    names = [key, "id", "v0", "v1", "c0", "c1", "problem", "attributes", "value", "select"]
    rows = [names, ["9", *"abcdefghi"], ["8", *"jklmnopqr"]]
    content = "".join(",".join(row) + "\n" for row in rows).encode()
    assert counts(import_bytes(workspace, content, key=key)) == {"added": 2}
    assert {str(value) for value in values("9").values()} == {"9", *"abcdefghi"}


def test_a_hundred_thousand_rows_are_imported(workspace: Any) -> None:
    rows = "".join(f"k{n},p{n}@example.com,{n}\n" for n in range(100_000))
    load = import_bytes(workspace, f"id,email,points\n{rows}".encode())
    assert counts(load) == {"added": 100_000}


@pytest.mark.django_db(transaction=True)
def test_a_worker_imports_and_one_import_of_a_source_goes_on_at_a_time(
    worker: Any, workspace: Any
) -> None:
    from tests.conftest import wait_until

    source = sources.create_source(workspace, "S")
    loads = []
    for name in ("first", "second"):
        content = "id,name\n" + "".join(f"{n},{name}\n" for n in range(20_000))
        load = drafts.take_file(source, "x.csv", [content.encode()])
        drafts.queue(
            load,
            key="id",
            columns=drafts.chosen_columns(load),
            skip_refused=False,
            by=None,
        )
        loads.append(load)
    wait_until(lambda: not Import.objects.exclude(state="succeeded").exists(), 60, "the imports")
    assert Profile.objects.count() == 20_000
    for load in loads:
        load.refresh_from_db()
        counts(load)


def test_an_import_whose_worker_died_is_taken_up_again(workspace: Any) -> None:
    load = import_bytes(workspace, b"id,name\n1,Ann\n")
    Profile.objects.all().delete()
    Import.objects.filter(pk=load.pk).update(state="running", stage="storing")
    load.refresh_from_db()
    imports.run_import(load)
    load.refresh_from_db()
    assert counts(load) == {"added": 1}


class TestTheCommand:
    def run(self, *arguments: str, **options: Any) -> str:
        from io import StringIO

        out = StringIO()
        call_command("import_profiles", *arguments, stdout=out, **options)
        return out.getvalue()

    def test_it_prints_one_json_object(self, workspace: Any) -> None:
        said = json.loads(
            self.run(workspace.slug, str(SAMPLE), key="ProspectAlternateKey", json=True)
        )
        assert said.pop("seconds") > 0
        assert said == {
            "read": 2059,
            "added": 2053,
            "changed": 0,
            "unchanged": 0,
            "superseded": 6,
            "refused": 0,
            "removed": 0,
        }

    def test_unknown_things_are_named(self, workspace: Any, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="no workspace"):
            self.run("nowhere", str(SAMPLE), key="x")
        with pytest.raises(CommandError, match="no file"):
            self.run(workspace.slug, str(tmp_path / "none.csv"), key="x")
        with pytest.raises(CommandError, match="no column"):
            self.run(workspace.slug, str(SAMPLE), key="Nope")
        assert not Source.objects.exists()


def test_a_source_removed_while_it_is_imported_leaves_nothing(
    workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sources.create_source(workspace, "s")
    load = drafts.take_file(source, "customers.csv", [b"id,name\n1,Ann\n"])
    columns = drafts.chosen_columns(load)
    drafts.prepare(load, key="id", columns=columns, skip_refused=False, by=None)
    read = reading.read

    def read_and_remove(*file: Any) -> Any:
        found = read(*file)
        sources.remove_source(source, by=None)
        return found

    monkeypatch.setattr(reading, "read", read_and_remove)
    run_import_task(workspace.pk, load.pk)
    assert not Profile.objects.exists()
    assert not Attribute.objects.exists()
    assert not Path(load.file_path).exists()


def test_an_import_that_workers_die_of_is_given_up(workspace: Any, monkeypatch: Any) -> None:
    class WorkerDied(BaseException):
        pass

    def die(*arguments: object) -> None:
        raise WorkerDied

    monkeypatch.setattr(imports.reading, "read", die)
    for _attempt in range(imports.MAX_ATTEMPTS):
        load = Import.objects.first()
        with pytest.raises(WorkerDied):
            imports.run_import(load) if load else import_bytes(workspace, b"id\n1\n")
    load = Import.objects.get()
    assert load.state == Import.State.RUNNING
    imports.run_import(load)
    load.refresh_from_db()
    assert load.state == Import.State.FAILED
    assert "not tried again" in str(load.reason)


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_leaves_an_import_alone_that_goes_on(workspace: Any, monkeypatch: Any) -> None:
    load = import_bytes(workspace, b"id\n1\n")
    long_ago = timezone.now() - timedelta(minutes=10)
    Import.objects.update(state=Import.State.RUNNING, heartbeat_at=long_ago)
    taken_up: list[tuple[int, int]] = []
    monkeypatch.setattr(run_import_task, "delay", lambda *known: taken_up.append(known))
    with held_elsewhere(locks.SOURCE, load.source_id):
        sweep()
        assert taken_up == []
    sweep()
    sweep()
    assert taken_up == [(workspace.pk, load.pk)]
