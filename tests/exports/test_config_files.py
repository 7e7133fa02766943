"""A workspace's configuration as a file: exported, compared, applied."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django_scopes import scope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.config_files import applying, document, yaml_text
from exports.config_files.document import Problem
from exports.models import Destination
from segments import sql_loads
from segments.models import Attribute, Profile, Segment, Source, SqlQuery
from tests.exports.config_world import EVERYTHING, apply, configurations, exported, made, parsed
from tests.exports.factories import ConnectionFactory
from tests.segments.factories import SqlQueryFactory
from tests.workspaces.factories import WorkspaceFactory
from workspaces.models import AuditEntry


@pytest.fixture
def account(workspace: Any, monkeypatch: Any) -> Any:
    """A connection whose account has two lists."""
    from exports import lists

    known = [lists.ContactList("1" * 8, "Newsletter"), lists.ContactList("2" * 8, "Offers")]
    monkeypatch.setattr(lists, "lists_of", lambda connection, fresh=False: known)
    monkeypatch.setattr(
        lists, "verified", lambda connection, pk: next(one for one in known if one.id == pk)
    )
    return ConnectionFactory(workspace=workspace, name="Newsletter account")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("config", *arguments, stdout=out)
    return out.getvalue()


def test_a_file_makes_an_empty_workspace_what_it_says_and_applied_again_changes_nothing(
    workspace: Any, account: Any
) -> None:
    assert {change.action for change in apply(workspace, EVERYTHING)} >= {"add", "change"}
    recent = Segment.objects.get(name="Recent")
    vips = Segment.objects.get(name="VIPs")
    assert recent.rules["rules"][2]["rules"][0] == {"segment": vips.pk, "operator": "member"}
    assert recent.rules["rules"][1]["value"] == "2026-12-31"
    assert recent.refresh_state == "queued"
    assert Segment.objects.get(name="Resting").state == "inactive"
    assert Segment.objects.get(name="Unfinished").is_draft
    export = Destination.objects.get()
    assert (export.list_id, export.schedule, export.next_run_at) == ("1" * 8, "off", None)
    query = SqlQuery.objects.select_related("source").get()
    assert (query.source.name, query.password, query.is_ready) == ("Warehouse", None, True)
    assert Attribute.objects.get(name="joined").source == Source.objects.get(name="Web shop")

    entries = AuditEntry.objects.count()
    whole = exported(workspace)
    assert made(apply(workspace, EVERYTHING)) == []
    assert made(apply(workspace, whole)) == []
    assert AuditEntry.objects.count() == entries
    assert parsed(whole) == parsed(EVERYTHING)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_exported_makes_the_same_of_an_empty_workspace(
    workspace: Any, account: Any, data: Any
) -> None:
    wanted = yaml_text.write(data.draw(configurations("Newsletter account", "Newsletter")))
    with transaction.atomic():
        try:
            apply(workspace, wanted)
            whole = exported(workspace)
            assert made(apply(workspace, whole)) == []
            assert made(apply(workspace, wanted)) == []
            other = WorkspaceFactory()
            with scope(workspace=other):
                ConnectionFactory(workspace=other, name="Newsletter account")
                apply(other, whole)
                assert exported(other) == whole
        finally:
            transaction.set_rollback(True)


def test_a_plan_shows_each_difference_and_changes_nothing(workspace: Any, account: Any) -> None:
    apply(workspace, EVERYTHING)
    whole = exported(workspace)
    other = whole.replace("value: 6", "value: 7").replace("removal_share: 5", "mode: add")
    other = other.replace("  Resting:", "  Dozing:")
    found = applying.plan(workspace, parsed(other), removes=False)
    assert [(one.action, one.kind, one.name) for one in found] == [
        ("add", "segment", "Dozing"),
        ("change", "segment", "Recent"),
        ("leave", "segment", "Resting"),
        ("change", "destination", "Newsletter"),
    ]
    [field] = found[1].fields
    assert (field.field, field.was, field.becomes) == ("rules.rules[0].value", 6, 7)
    assert [one.field for one in found[3].fields] == ["mode", "removal_share"]
    assert exported(workspace) == whole


def test_what_is_only_in_the_workspace_goes_if_asked_for_and_sections_left_out_stay(
    workspace: Any, account: Any
) -> None:
    apply(workspace, EVERYTHING)
    segments = "segue: 1\nsegments:\n  VIPs: {kind: static, listed_by: email}\n"
    with pytest.raises(Problem, match=r"segments\.Recent: It can't be removed.*Newsletter"):
        apply(workspace, segments, removes=True)
    gone = apply(workspace, f"{segments}destinations: {{}}\n", removes=True)
    assert {change.name for change in made(gone)} == {
        "Recent",
        "Resting",
        "Unfinished",
        "Newsletter",
    }
    assert Source.objects.count() == 2
    apply(workspace, "segue: 1\nattributes: {email: {type: text, label: E-mail}}", removes=True)
    assert list(Attribute.objects.values_list("name", flat=True)) == ["email"]


def test_a_new_type_converts_the_values_or_nothing_is_done(workspace: Any) -> None:
    apply(workspace, "segue: 1\nattributes: {points: {type: text}}")
    Profile.objects.create(workspace=workspace, key="1", attributes={"points": "12"})
    apply(workspace, "segue: 1\nattributes: {points: {type: integer}}")
    assert Profile.objects.get().attributes == {"points": 12}
    apply(workspace, "segue: 1\nattributes: {points: {type: text}}")
    Profile.objects.create(workspace=workspace, key="2", attributes={"points": "many"})
    with pytest.raises(Problem, match=r"attributes\.points\.type: 1 value does not convert"):
        apply(workspace, "segue: 1\nattributes: {new: {type: text}, points: {type: integer}}")
    assert Profile.objects.get(key="1").attributes == {"points": "12"}
    assert Attribute.objects.count() == 1


def test_a_type_and_the_rules_that_speak_of_it_change_in_one_file(
    workspace: Any, account: Any
) -> None:
    """What the file leaves as it is has to agree with the new type; what it changes, too."""
    attributes = "segue: 1\nattributes: {email: {type: text}, points: {type: %s}}\n"
    destination = (
        "destinations: {News: {connection: Newsletter account, list: Newsletter,"
        " matching: {email: email%s}, segments: [Keen]}}\n"
    )
    rule = "segments: {Keen: {rules: {match: all, rules: [{attribute: points, operator: %s}]}}}\n"
    before = attributes % "date" + rule % "on, value: 2026-12-31"
    apply(workspace, before + destination % ", birthday: points")
    becomes = attributes % "integer"
    for unfit in (
        becomes,
        becomes + rule % "at_least, value: 5",
        becomes + rule % "at_least, value: 5" + destination % ", birthday: points",
        becomes + rule % "on, value: 2026-12-30" + destination % "",
    ):
        with pytest.raises(Problem):
            apply(workspace, unfit)
        assert Attribute.objects.get(name="points").type == "date"
    told = [change.kind for change in made(apply(
        workspace, becomes + rule % "at_least, value: 5" + destination % ""
    ))]  # fmt: skip
    assert told == ["attribute", "segment", "destination"]
    other = attributes % "text" + "segments: {}\n"
    with pytest.raises(Problem, match="“Keen”"):
        apply(workspace, other)
    apply(workspace, other + "destinations: {}\n", removes=True)
    assert Attribute.objects.get(name="points").type == "text"


# What is put in place of what, and what is said of it then.
WRONG = [
    ("{attribute: joined, operator: on, value: 2026-12-31}", "{attribute: nope, operator: on}",
     r"segments\.Recent\.rules\.rules\[1\]: There is no attribute “nope”"),
    ("{segment: VIPs, operator: member}", "{segment: Resting, operator: member}",
     r"segments\.(Recent|Resting)\.rules: These segments need each other: “.+” → “.+” → “.+”"),
    ("{segment: VIPs, operator: member}", "{segment: Nobody, operator: member}",
     r"segments\.Recent\.rules\.rules\[2\]\.rules\[0\]\.segment: There is no segment “Nobody”"),
    ("connection: Newsletter account", "connection: Another",
     r"destinations\.Newsletter\.connection: There is no connection “Another”"),
    ("list: Newsletter\n", "list: Nothing\n", r"destinations\.Newsletter\.list: The account of"),
    ("first_name: first}", "first_name: gone}",
     r"matching\.first_name: There is no attribute “gone”"),
    ("first_name: first}", "birthday: first}", r"matching\.birthday: Birthday is a date"),
    ("[Recent, VIPs]", "[Recent, Unfinished]", r"segments: The segment “Unfinished” is a"),
    ("[Recent, VIPs]", "[]", r"destinations\.Newsletter\.segments: Select at least one"),
    ("E-mail: email, ", "E-mail: mail, ",
     r"sources\[\"Web shop\"\]\.columns\[\"E-mail\"\]: There is no attribute “mail”"),
    ("pts: points", "pts: email", r"sources\.Warehouse\.columns\.pts: “email” is filled by"),
    ("kind: postgresql", "kind: oracle", r"sources\.Warehouse\.database\.kind: Select a valid"),
    ("mode: replace", "mode: whatever", r"sources\[\"Web shop\"\]\.mode: Input should be"),
    ("removal_share: 5", "removal_shore: 5", r"removal_shore: There is no such setting"),
    ('times: ["04:30"]', 'times: ["24:30"]', r"schedule\.times\[0\]: Write a time of day as"),
    ("enabled: true, days: [mon, fri], ", "enabled: true, days: [], ",
     r"schedule\.days: Choose at least one day"),
    ("segue: 1", "segue: 2", r"segue: This Segue reads files of version 1"),
]  # fmt: skip


def test_what_is_wrong_is_told_with_its_place_and_nothing_is_done(
    workspace: Any, account: Any, tmp_path: Path
) -> None:
    apply(workspace, EVERYTHING)
    whole, entries = exported(workspace), AuditEntry.objects.count()
    for old, new, told in WRONG:
        assert EVERYTHING.count(old) == 1
        with pytest.raises(Problem, match=told):
            applying.plan(workspace, parsed(EVERYTHING.replace(old, new)), removes=False)
    file = tmp_path / "segue.yaml"
    file.write_text(EVERYTHING.replace("[Recent, VIPs]", "[Recent, Nobody]"))
    told = r"segue.yaml: line \d+, destinations.Newsletter.segments: The segment “Nobody” is not"
    for step in ("plan", "apply"):
        with pytest.raises(CommandError, match=told):
            run(step, workspace.slug, str(file))
    assert exported(workspace) == whole
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "not in UTF-8"),
        (b"segue: [", "no YAML: line 2"),
        (b"segue: 1\nsegue: 1", "Line 2: .segue. is there twice"),
        (b"a: &a [1]\nb: [*a, *a]", "anchors and aliases are not taken"),
        (b"a: !!python/object/apply:os.system [ls]", "is not taken here"),
        (b"a: !!timestamp 2026-01-01", "is not taken here"),
        (b"[" * 500, "nested too deeply"),
        (b"- a\n" * 301_000, "more than 300,000 values"),
        (b"x" * 5_000_001, "more than 5,000,000 bytes"),
        (b"segue: 1\n---\nsegue: 1", "one document"),
        (b"a: " + b"9" * 5_000, "no number that can be read"),
        (b"a: 1e999", "too large"),
        (b'a: "\\0"', "no text can hold"),
        (b"? [a]\n: b", "a name is a text"),
    ],
)
def test_hostile_yaml_is_refused_in_words(content: bytes, told: str) -> None:
    with pytest.raises(yaml_text.Unreadable, match=told):
        yaml_text.read(content)


def test_words_that_yaml_takes_for_something_else_stay_words() -> None:
    tricky = {"a": ["on", "no", "1e3", "07:30", "2026-01-01", "~", "", "null", "0o7", "1_0"]}
    assert yaml_text.read(yaml_text.write(tricky).encode()).data == tricky
    found = yaml_text.read(b"a: [on, no, 07:30, 2026-01-01, true, 7, 0.5, ~]").data
    assert found == {"a": ["on", "no", "07:30", "2026-01-01", True, 7, 0.5, None]}


def test_no_secret_is_in_a_file_and_a_password_does_not_follow_to_another_server(
    workspace: Any,
) -> None:
    query = SqlQueryFactory(workspace=workspace, source__workspace=workspace)
    SqlQuery.objects.update(statement="SELECT 1 AS id")
    whole = exported(workspace)
    assert "secret" not in whole
    assert "password" not in whole
    apply(workspace, whole.replace("SELECT 1", "SELECT 2"))
    kept = SqlQuery.objects.get(pk=query.pk)
    assert (kept.statement, sql_loads.password_of(kept)) == ("SELECT 2 AS id", "a secret")
    with pytest.raises(Problem, match=r"database: The password was given for the server"):
        apply(workspace, whole.replace("127.0.0.1", "evil.example.com"))


def test_the_command_tells_differences_by_its_exit_status_and_as_json(
    workspace: Any, account: Any, tmp_path: Path
) -> None:
    file = tmp_path / "segue.yaml"
    file.write_text(EVERYTHING)
    with pytest.raises(SystemExit) as ended:
        run("plan", workspace.slug, str(file))
    assert ended.value.code == 2
    report = json.loads(run("apply", workspace.slug, str(file), "--json"))
    assert report["applied"]
    assert report["differences"] == len(report["changes"]) == 14
    assert "No differences" in run("plan", workspace.slug, str(file))
    run("export", workspace.slug, str(file))
    assert "No differences" in run("plan", workspace.slug, str(file))
    assert json.loads(run("export", workspace.slug, "--json"))["segue"] == document.VERSION
    with pytest.raises(CommandError, match="no workspace called"):
        run("export", "nowhere")
    told = AuditEntry.objects.get(action="configuration.applied").details
    assert (told["added"], told["changed"], len(told["digest"])) == (13, 1, 64)
