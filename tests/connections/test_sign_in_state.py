"""The `state` of a sign-in: of one session, once, for ten minutes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections as databases
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from connections import oauth
from connections.models import Connection
from connections.oauth import SignIn
from tests.connections.factories import draft
from tests.connections.walk import answer_there, begin, only_connection, query, words
from tests.workspaces.factories import MembershipFactory, signed_in
from workspaces.models import Role, Workspace

ENDED = "This sign-in has ended"


@pytest.fixture
def browser(workspace: Workspace, sandbox: Any) -> Client:
    return signed_in(workspace)


def test_a_state_works_once(workspace: Workspace, browser: Client) -> None:
    back = answer_there(begin(browser, workspace))
    assert browser.get(back).status_code == 302
    again = browser.get(back)
    assert again.status_code == 400
    assert ENDED in words(again)
    assert only_connection().access_token is not None


def test_a_state_of_another_session_does_not_work(workspace: Workspace, browser: Client) -> None:
    back = answer_there(begin(browser, workspace))
    assert ENDED in words(signed_in(workspace).get(back))
    assert only_connection().access_token is None


def test_a_state_is_too_old_after_ten_minutes(
    workspace: Workspace, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = answer_there(begin(browser, workspace))
    now = time.time()
    monkeypatch.setattr(oauth.time, "time", lambda: now + 601)
    assert ENDED in words(browser.get(back))
    assert only_connection().access_token is None


@pytest.mark.parametrize("state", ["", "made-up", None])
def test_a_state_nobody_gave_does_not_work(
    workspace: Workspace, browser: Client, state: str | None
) -> None:
    begin(browser, workspace)
    asked = {"code": "a-code"} if state is None else {"code": "a-code", "state": state}
    answer = browser.get(reverse("connections_callback:callback"), asked)
    assert answer.status_code == 400
    assert ENDED in words(answer)


def test_who_is_not_signed_in_is_asked_to(workspace: Workspace, browser: Client) -> None:
    back = answer_there(begin(browser, workspace))
    answer = Client().get(back)
    assert answer["Location"].startswith(reverse("account_login"))


def test_who_is_no_administrator_any_more_connects_nothing(
    workspace: Workspace, browser: Client
) -> None:
    back = answer_there(begin(browser, workspace))
    MembershipFactory(workspace=workspace)
    member = browser.member  # type: ignore[attr-defined]
    member.role = Role.CONTRIBUTOR
    member.save()
    assert browser.get(back).status_code == 403
    member.delete()
    assert only_connection().access_token is None


def test_a_connection_removed_meanwhile_is_not_found(workspace: Workspace, browser: Client) -> None:
    back = answer_there(begin(browser, workspace))
    Connection.objects.all().delete()
    assert browser.get(back).status_code == 404


def test_several_sign_ins_may_be_open_at_once(workspace: Workspace, browser: Client) -> None:
    first = answer_there(begin(browser, workspace, name="First"))
    second = answer_there(begin(browser, workspace, name="Second"))
    assert browser.get(second).status_code == 302
    assert browser.get(first).status_code == 302
    assert Connection.objects.exclude(access_token=None).count() == 2


def test_only_the_last_few_sign_ins_are_kept(workspace: Workspace, browser: Client) -> None:
    states = [query(begin(browser, workspace, name=f"Account {n}"))["state"] for n in range(7)]
    assert sorted(browser.session[oauth.SESSION_KEY]) == sorted(states[-oauth.MOST_OPEN :])


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_do_not_use_a_state_twice(workspace: Workspace, sandbox: Any) -> None:
    connection = draft(workspace, MembershipFactory(workspace=workspace).user)
    session = SessionStore()
    state = query(oauth.begin(session, connection))["state"]
    session.save()
    together = threading.Barrier(4)

    def take(_: int) -> SignIn | None:
        try:
            with scope(workspace=workspace):
                mine = SessionStore(session.session_key)
                assert mine[oauth.SESSION_KEY]
                together.wait(10)
                return oauth.take(mine, state)
        finally:
            databases.close_all()

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(4)))
    assert len([one for one in taken if one]) == 1


def test_the_verifier_is_not_shown() -> None:
    assert "secret-verifier" not in repr(SignIn("slug", 1, "secret-verifier"))
