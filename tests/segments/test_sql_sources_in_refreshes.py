"""A refresh loads the SQL sources first; what depends on one that failed is skipped."""

from datetime import UTC, datetime, time
from typing import Any
from unittest.mock import patch

import pytest

from segments import imports, reading, sources, sql_sources
from segments.models import Import, SqlQuery
from tests.segments.databases import Postgres
from tests.segments.factories import AttributeFactory, SegmentFactory, group, rule
from tests.segments.test_sql_sources import made
from tests.workspaces.factories import MembershipFactory
from workspaces import execution, services
from workspaces.models import Refresh, User, Workspace
from workspaces.scheduling import run_due_hooks
from workspaces.timing import Timing


@pytest.fixture
def member(workspace: Workspace) -> User:
    return MembershipFactory(workspace=workspace).user


@pytest.fixture
def query(postgres: Postgres, workspace: Workspace, member: User) -> SqlQuery:
    return made(postgres, workspace, member)


def refreshed(workspace: Workspace) -> Refresh:
    refresh = services.start_refresh(workspace, trigger=Refresh.Trigger.MEMBER, in_worker=False)
    execution.run_refresh(workspace.pk, refresh.pk)
    refresh.refresh_from_db()
    return refresh


def states(refresh: Refresh) -> dict[str, str]:
    return dict(refresh.steps.values_list("name", "state"))


def test_a_refresh_loads_the_source_before_the_segments(
    workspace: Workspace, postgres: Postgres, query: SqlQuery
) -> None:
    segment = SegmentFactory(
        workspace=workspace, name="Rich", rules=group(rule("points", "greater_than", 100))
    )
    postgres.run("UPDATE people SET points = 500 WHERE id = 1")
    refresh = refreshed(workspace)
    assert states(refresh) == {"Shop": "succeeded", "Rich": "succeeded"}
    step = refresh.steps.get(name="Shop")
    load = Import.objects.get(trigger="refresh")
    nothing = {"added": 0, "removed": 0, "refused": 0}
    assert step.counts == {"load": load.pk, "rows": 2, "changed": 1} | nothing
    segment.refresh_from_db()
    assert segment.member_count == 1
    assert refresh.steps.get(name="Rich").needs == [step.position]


def test_what_depends_on_a_source_that_failed_is_skipped_until_it_is_tried_again(
    workspace: Workspace, postgres: Postgres, query: SqlQuery, member: User
) -> None:
    SegmentFactory(
        workspace=workspace, name="Rich", rules=group(rule("points", "greater_than", 100))
    )
    AttributeFactory(workspace=workspace, name="city")
    SegmentFactory(workspace=workspace, name="Paris")
    postgres.run("ALTER TABLE people RENAME TO persons")
    refresh = refreshed(workspace)
    assert states(refresh) == {"Shop": "failed", "Rich": "skipped", "Paris": "succeeded"}
    failed = refresh.steps.get(name="Shop")
    assert "does not exist" in str(failed.reason)
    assert "“Shop”" in str(refresh.steps.get(name="Rich").reason)
    postgres.run("ALTER TABLE persons RENAME TO people")
    with patch("workspaces.execution.send_to_worker"):
        services.retry_refresh(refresh, step=failed, by=member)
    execution.run_refresh(workspace.pk, refresh.pk)
    assert set(states(refresh).values()) == {"succeeded"}
    assert Import.objects.filter(trigger="refresh").count() == 2


def test_a_load_that_goes_on_already_is_the_refreshs_too(
    workspace: Workspace, query: SqlQuery
) -> None:
    with patch("segments.tasks.run_import_task.delay"):
        load = sql_sources.begin_load(query, trigger="member")
    assert refreshed(workspace).steps.get(name="Shop").counts["load"] == load.pk
    assert not Import.objects.filter(trigger="refresh").exists()


def test_a_step_that_a_worker_died_of_goes_on_with_its_load(
    workspace: Workspace, query: SqlQuery
) -> None:
    refresh = services.start_refresh(workspace, trigger=Refresh.Trigger.MEMBER, in_worker=False)

    def die(load: Import) -> None:
        raise KeyboardInterrupt

    with patch.object(imports, "run_import", die), pytest.raises(KeyboardInterrupt):
        execution.run_refresh(workspace.pk, refresh.pk)
    execution.run_refresh(workspace.pk, refresh.pk)
    assert states(refresh) == {"Shop": "succeeded"}
    assert Import.objects.filter(trigger="refresh").count() == 1


def test_a_source_removed_while_it_loads_is_no_fault_of_the_refresh(
    workspace: Workspace, query: SqlQuery
) -> None:
    read = reading.read

    def read_and_remove(*file: Any) -> reading.Reading:
        found = read(*file)
        sources.remove_source(query.source, by=None)
        return found

    with patch.object(reading, "read", read_and_remove):
        assert states(refreshed(workspace)) == {"Shop": "succeeded"}


def test_a_source_with_a_schedule_of_its_own_or_none_is_not_in_a_refresh(
    workspace: Workspace, query: SqlQuery, member: User
) -> None:
    for schedule in ("own", "off"):
        sql_sources.reschedule(query, timing=Timing(schedule, (1,), (time(7, 30),)), by=member)
        assert states(refreshed(workspace)) == {}


def test_a_source_is_loaded_at_times_of_its_own(
    workspace: Workspace, query: SqlQuery, member: User
) -> None:
    sql_sources.reschedule(
        query, timing=Timing("own", (1, 2, 3, 4, 5, 6, 7), (time(7, 30),), "UTC"), by=member
    )
    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    SqlQuery.objects.update(next_run_at=datetime(2026, 3, 1, 7, 30, tzinfo=UTC))
    with patch("segments.tasks.run_import_task.delay"):
        run_due_hooks(now)
        run_due_hooks(now)
        load = Import.objects.get(trigger="schedule")
        query.refresh_from_db()
        assert query.next_run_at == datetime(2026, 3, 3, 7, 30, tzinfo=UTC)
        # Still going on at its next time: that one is left out.
        run_due_hooks(query.next_run_at)
    imports.run_import(load)
    assert Import.objects.filter(trigger="schedule").count() == 1


def test_a_load_that_falls_due_during_a_refresh_waits_for_its_end(
    workspace: Workspace, query: SqlQuery, member: User
) -> None:
    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    SqlQuery.objects.update(schedule="own", days=[1], times=[time(8)], next_run_at=now)
    refresh = Refresh.objects.create(workspace=workspace, trigger="member", state="running")
    with patch("segments.tasks.run_import_task.delay"):
        run_due_hooks(now)
        assert not Import.objects.filter(trigger="schedule").exists()
        Refresh.objects.filter(pk=refresh.pk).update(state="succeeded")
        run_due_hooks(now)
    assert Import.objects.filter(trigger="schedule").count() == 1
