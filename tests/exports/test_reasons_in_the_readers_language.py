"""Why a run ended so, or waits: kept as a code, told in the language of whoever looks."""

import ast
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.db.migrations.state import ModelState, ProjectState
from django.utils import translation

from config.database_roles import as_owner
from connections import services as connection_services
from connections import words
from connections.constant_contact import errors
from exports import whys
from exports.models import Run
from exports.reasons import text as rejection_text
from exports.runs import run_account
from segments.models import Segment
from tests.exports.engine_world import World
from workspaces import execution, sentences, services
from workspaces.models import AuditEntry, Refresh
from workspaces.templatetags.workspaces import detail

pytestmark = pytest.mark.django_db(transaction=True)

APPS = [Path(app) for app in ("connections", "exports")]


@pytest.fixture
def world(transactional_db: None, workspace: Any, sandbox: Any) -> World:
    return World(workspace, sandbox)


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in the apps, by the name of what is called."""
    for app in APPS:
        for path in app.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    yield getattr(node.func, "id", getattr(node.func, "attr", "")), node


def subclasses(kind: type) -> set[type]:
    return {kind, *(sub for one in kind.__subclasses__() for sub in subclasses(one))}


def test_every_code_that_is_given_has_words() -> None:
    given = {
        call.args[0].value
        for name, call in calls()
        if name in ("why", "NotUsable") and call.args and isinstance(call.args[0], ast.Constant)
    }
    errors_of = subclasses(errors.ProviderError) - {errors.ProviderError}
    given |= {kind.usual_code for kind in errors_of}  # type: ignore[attr-defined]
    given |= {
        keyword.value.value
        for _name, call in calls()
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    assert len(given) > 40
    known = {*words.TEXTS, *whys.TEXTS}
    assert given <= known
    assert not set(words.TEXTS) & set(whys.TEXTS)
    assert known - given <= {"told", "import_cancelled", "import_failed", "import_timed_out"}


def test_every_failure_of_the_provider_is_told_with_what_it_said() -> None:
    for code in words.TEXTS:
        told = words.text(code, name="Shop", status=503, said="Bad day")
        assert "%(" not in told
        assert told.endswith("“Bad day”")


def test_a_skipped_run_keeps_the_segment_and_tells_it_in_any_language(world: World) -> None:
    run = world.run()
    assert run.why == {"code": "segment_never_refreshed", "segment": "Everyone"}
    world.segment.refresh_state = "failed"
    world.segment.save()
    run = world.run()
    assert run.why == {"code": "segment_failed", "segment": "Everyone"}
    assert run_account(run)["reason"].startswith("The last refresh of the segment “Everyone”")


def test_what_was_refused_for_a_lack_of_consent_is_translated(world: World) -> None:
    world.add_people(2)
    connection_services.withdraw_consent(world.connection, by=world.connection.export_user)
    run = world.run()
    assert run.why == {"code": "no_consent", "name": world.connection.name}
    with translation.override("ca"):
        catalan = run.reason
    with translation.override("es"):
        spanish = run.reason
    assert len({run.reason, catalan, spanish}) == 3
    assert all(world.connection.name in said for said in (run.reason, catalan, spanish))


def test_a_failed_batch_tells_its_cause_to_run_batch_and_profiles_alike(world: World) -> None:
    world.add_people(2)
    world.sandbox.control("fault", kind="activity_failed", count=1, route="contacts_json_import")
    run = world.run()
    batch = run.batches.get()
    assert (run.state, batch.why["code"]) == (Run.State.FAILED, "import_failed")
    assert batch.reason.startswith("The import failed at Constant Contact.")
    assert batch.reason in run.reason
    rejection = run.rejections.first()
    assert rejection is not None
    assert batch.reason in rejection_text(rejection.reason, rejection.detail)
    assert '{"code"' not in run.reason + rejection_text(rejection.reason, rejection.detail)


def test_a_preview_tells_a_missing_attribute_in_words(world: World) -> None:
    from exports.preview import PreviewProblem, configured

    world.destination.matching["first_name"] = "gone"
    with pytest.raises(PreviewProblem, match="The attribute “gone” no longer exists"):
        configured(world.destination, [world.segment])


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    kept = whys.why("too_many", count=1_234_567, most=1_000_000)
    assert "1,234,567" in whys.text(kept)
    with translation.override("es"):
        assert "1.234.567" in whys.text(kept)


def test_a_refresh_is_told_in_the_readers_language_whatever_stopped_it(
    world: World, monkeypatch: Any
) -> None:
    rules = {"match": "all", "rules": [{"attribute": "gone", "operator": "is", "value": "x"}]}
    Segment.objects.filter(pk=world.segment.pk).update(rules=rules)
    refresh = services.start_refresh(
        world.workspace, trigger=Refresh.Trigger.COMMAND, in_worker=False
    )
    execution.run_refresh(world.workspace.pk, refresh.pk)
    refresh.refresh_from_db()
    segment, export = refresh.steps.order_by("position")
    for one in (refresh, segment, export):
        with translation.override("es"):
            spanish = str(one.reason)
        assert spanish != str(one.reason)
        assert "gone" in spanish or world.segment.name in spanish
    entry = AuditEntry.objects.get(action="refresh.failed")
    with translation.override("ca"):
        assert detail(entry.details["reason"], "reason") == str(refresh.reason)


def test_what_was_kept_as_text_is_read_as_text_and_a_sentence_as_a_sentence() -> None:
    assert sentences.read("It rained.") == "It rained."
    one = sentences.ngettext("%(count)d row", "%(count)d rows", 2) % {
        "count": 2,
        "named": sentences.gettext("Why") % {},
    }
    again = sentences.read(one.kept())
    assert (again, str(again)) == (one, "2 rows")


def test_sentences_from_before_are_kept_as_they_were(world: World) -> None:
    before = ProjectState()
    for name in ("Run", "Batch"):
        fields = [("id", models.BigAutoField(primary_key=True)), ("reason", models.TextField())]
        before.add_model(ModelState("exports", name, fields))
    name = "0005_reasons_as_codes"
    migration = import_module(f"exports.migrations.{name}").Migration(name, "exports")
    with transaction.atomic():
        with as_owner(connection), connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA before; SET LOCAL search_path TO before")
            with connection.schema_editor() as editor:
                for model in before.apps.get_models():
                    editor.create_model(model)
                cursor.execute("INSERT INTO exports_run (reason) VALUES ('It rained.'), ('')")
                migration.apply(before, editor)
            cursor.execute("SELECT why FROM exports_run ORDER BY id")
            kept = [json.loads(why) for (why,) in cursor.fetchall()]
        transaction.set_rollback(True)
    runs = [Run(workspace=world.workspace, destination=world.destination, why=why) for why in kept]
    assert [run.reason for run in runs] == ["It rained.", ""]
