"""Removal: guided over what uses the connection, all of it or nothing, tokens with it."""

from typing import Any

import pytest
from django.db import connection as database
from django.test import Client

from connections import dependents, services
from connections.dependents import Dependent
from connections.models import Connection, Consent
from tests.connections.factories import ConnectionFactory, draft
from tests.connections.walk import url, words
from tests.workspaces.factories import signed_in
from workspaces.models import AuditEntry, User, Workspace


class Users:
    """Things that use a connection, as another app would register them."""

    def __init__(self) -> None:
        self.left = ["news", "events"]
        self.done: list[tuple[str, str, User]] = []
        self.busy = ""

    def of(self, connection: Connection) -> list[Dependent]:
        return [self._dependent(key) for key in self.left]

    def _dependent(self, key: str) -> Dependent:
        return Dependent(
            key, key.title(), f"/{key}/", self._let_go(key, "detach"), self._let_go(key, "remove")
        )

    def _let_go(self, key: str, how: str) -> Any:
        def let_go(by: User) -> None:
            if key == self.busy:
                raise services.Refused(f"{key.title()} is running. Cancel it first.")
            self.left.remove(key)
            self.done.append((key, how, by))

        return let_go


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Users:
    found = Users()
    monkeypatch.setattr(
        dependents, "_finders", [lambda asked: {one.pk: found.of(one) for one in asked}]
    )
    return found


@pytest.fixture
def browser(workspace: Workspace) -> Client:
    return signed_in(workspace)


@pytest.fixture
def connection(workspace: Workspace) -> Connection:
    made: Connection = ConnectionFactory(workspace=workspace, name="Newsletter account")
    return made


def test_each_that_uses_it_is_detached_or_removed_first(
    workspace: Workspace, browser: Client, connection: Connection, users: Users
) -> None:
    where = url("remove", workspace, connection.pk)
    page = words(browser.get(where))
    assert page.count("Detach: it keeps its settings") == 2
    assert 'href="/news/"' in page
    answer = browser.post(
        where, {"dependent-news": "detach", "dependent-events": "remove"}, follow=True
    )
    assert "The connection “Newsletter account” is removed" in words(answer)
    by = browser.member.user  # type: ignore[attr-defined]
    assert users.done == [("news", "detach", by), ("events", "remove", by)]
    assert not Connection.objects.exists()
    assert AuditEntry.objects.get(action="connection.removed").target_label == "Newsletter account"


@pytest.mark.parametrize("choice", [None, "", "delete", "__class__"])
def test_without_a_choice_for_each_nothing_happens(
    workspace: Workspace,
    browser: Client,
    connection: Connection,
    users: Users,
    choice: str | None,
) -> None:
    users.left = ["events"]
    chosen = {} if choice is None else {"dependent-events": choice}
    answer = browser.post(url("remove", workspace, connection.pk), chosen, follow=True)
    assert "still used by Events" in words(answer)
    assert (users.done, Connection.objects.count()) == ([], 1)


def test_what_is_busy_says_so_and_the_connection_stays(
    workspace: Workspace, browser: Client, connection: Connection, users: Users
) -> None:
    users.busy = "events"
    answer = browser.post(
        url("remove", workspace, connection.pk),
        {"dependent-news": "detach", "dependent-events": "remove"},
        follow=True,
    )
    assert "Events is running. Cancel it first." in words(answer)
    assert Connection.objects.count() == 1
    assert not AuditEntry.objects.filter(action="connection.removed").exists()


def test_tokens_and_consents_go_with_it(
    workspace: Workspace, browser: Client, connection: Connection
) -> None:
    browser.post(url("remove", workspace, connection.pk))
    assert not Consent.objects.exists()
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM connections_connection")
        assert cursor.fetchone() == (0,)


def test_a_draft_is_removed_too(workspace: Workspace, browser: Client) -> None:
    begun = draft(workspace, browser.member.user)  # type: ignore[attr-defined]
    browser.post(url("remove", workspace, begun.pk))
    assert not Connection.objects.exists()


def test_removing_what_is_gone_says_so(connection: Connection) -> None:
    by = connection.export_user
    assert by is not None
    services.remove_connection(connection, by=by)
    with pytest.raises(services.Refused, match="removed in the meantime"):
        services.remove_connection(connection, by=by)
