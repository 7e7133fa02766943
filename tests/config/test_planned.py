"""Statements that PostgreSQL plans once: the same rows, for the same eyes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django_scopes import scope, scopes_disabled

from config.planned import Planned
from config.row_security import across_workspaces
from tests.workspaces.factories import MembershipFactory
from workspaces.live import pulse, watchers

pytestmark = pytest.mark.django_db(transaction=True)
MEMBERS = Planned(
    "SELECT id, 'a %% of ' || %(said)s FROM workspaces_membership"
    " WHERE workspace_id = ANY(%(workspaces)s)",
    said="text",
    workspaces="bigint[]",
)


@pytest.fixture(autouse=True)
def on_a_connection_of_its_own() -> Iterator[None]:
    connection.close()
    yield
    connection.close()


@pytest.fixture
def members() -> list[Any]:
    with scopes_disabled():
        return [MembershipFactory() for _ in range(2)]


def asked_of(members: list[Any]) -> list[Any]:
    return MEMBERS.ask(said="it's", workspaces=[one.workspace_id for one in members])


def plans() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, generic_plans + 100 * custom_plans FROM pg_prepared_statements"
        )
        return dict(cursor.fetchall())


def test_it_is_planned_once_however_often_and_for_however_many_it_is_asked(
    members: list[Any],
) -> None:
    with across_workspaces():
        for _ in range(3):
            assert len(asked_of(members)) == 2
            assert asked_of(members[:1]) == [(members[0].pk, "a % of it's")]
            assert asked_of([]) == []
    assert plans() == {MEMBERS.name: 9}


def test_it_shows_rows_of_the_workspace_in_scope_only_whatever_it_was_planned_in(
    members: list[Any],
) -> None:
    with across_workspaces():
        assert len(asked_of(members)) == 2
    with scope(workspace=members[0].workspace):
        assert [row[0] for row in asked_of(members)] == [members[0].pk]
    with scope(workspace=members[1].workspace):
        assert [row[0] for row in asked_of(members)] == [members[1].pk]
    with scopes_disabled():
        assert asked_of(members) == []


def test_another_process_lent_by_a_pooler_plans_it_too(members: list[Any]) -> None:
    with across_workspaces():
        asked_of(members)
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
        assert len(asked_of(members)) == 2
    assert plans() == {MEMBERS.name: 1}


def test_one_that_has_it_from_before_is_no_matter(
    members: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with across_workspaces():
        asked_of(members)
        monkeypatch.setattr("config.planned._prepared", {})
        assert len(asked_of(members)) == 2
    assert plans() == {MEMBERS.name: 2}


def test_in_a_transaction_it_leaves_nothing(members: list[Any]) -> None:
    with across_workspaces(), transaction.atomic():
        assert len(asked_of(members)) == 2
        with connection.cursor() as cursor:
            cursor.execute("SHOW plan_cache_mode")
            assert cursor.fetchone() == ("auto",)
    assert plans() == {}


def test_what_looks_for_open_pages_is_planned_once(members: list[Any]) -> None:
    workspaces = [one.workspace_id for one in members]
    for _ in range(2):
        assert set(pulse.of(workspaces)) == set(workspaces)
        assert watchers.still_there([]) == []
    assert sorted(plans().values()) == [2, 2]
