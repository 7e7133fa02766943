"""`Idempotency-Key`: what is asked twice is done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_scopes import scope

from api.idempotency import KEPT
from api.models import KeptAnswer
from segments.models import Import, Source
from tests.api.client import Program, program, service_token
from tests.workspaces.factories import WorkspaceFactory
from workspaces.models import Refresh, Workspace

FILE = b"id,city\n1,Paris\n"


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


def test_a_repeated_request_gets_its_first_answer(workspace: Workspace) -> None:
    caller = program(workspace)
    first = caller.post("/refreshes", **keyed("nightly"))
    again = caller.post("/refreshes", **keyed("nightly"))
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Refresh.objects.count() == 1


def test_another_request_with_the_key_is_refused(workspace: Workspace) -> None:
    caller = program(workspace)
    body = {"name": "New", "rules": {"match": "all", "rules": []}, "draft": True}
    assert caller.post("/segments", body, **keyed("k")).status_code == 201
    other = caller.post("/segments", {**body, "name": "Other"}, **keyed("k"))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = caller.post("/refreshes", **keyed("k"))
    assert elsewhere.json()["code"] == "idempotency_key_reused"


def test_a_file_sent_twice_is_loaded_once_and_another_is_not_taken_for_it(
    workspace: Workspace,
) -> None:
    caller = program(workspace)
    first = caller.upload("/sources?name=Shop&key=id", FILE, **keyed("file"))
    again = caller.upload("/sources?name=Shop&key=id", FILE, **keyed("file"))
    assert first.status_code == 202, first.content
    assert again.json()["id"] == first.json()["id"]
    assert (Source.objects.count(), Import.objects.count()) == (1, 1)
    other = caller.upload("/sources?name=Shop&key=id", FILE + b"2,Rome\n", **keyed("file"))
    assert other.json()["code"] == "idempotency_key_reused"


def test_what_was_refused_may_be_asked_again(workspace: Workspace) -> None:
    caller = program(workspace)
    going_on = Refresh.objects.create(workspace=workspace, trigger="api", state="running")
    refused = caller.post("/refreshes", **keyed("k"))
    assert (refused.status_code, refused.json()["code"]) == (409, "already_running")
    going_on.delete()
    assert caller.post("/refreshes", **keyed("k")).status_code == 202


def test_tokens_do_not_share_keys_and_a_day_later_a_key_is_new(workspace: Workspace) -> None:
    first, second = program(workspace), program(workspace)
    draft = {"rules": {"match": "all", "rules": []}, "draft": True}
    assert first.post("/segments", {"name": "A", **draft}, **keyed("k")).status_code == 201
    assert second.post("/segments", {"name": "B", **draft}, **keyed("k")).status_code == 201
    KeptAnswer.objects.update(created_at=timezone.now() - KEPT - timedelta(seconds=1))
    assert first.post("/segments", {"name": "C", **draft}, **keyed("k")).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_what_is_no_key_is_said(workspace: Workspace, key: str) -> None:
    answer = program(workspace).post("/refreshes", **keyed(key))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_done_and_all_get_its_answer() -> None:
    workspace = WorkspaceFactory()
    with scope(workspace=workspace):
        text = service_token(workspace).text
    together = Barrier(4)

    def ask(_number: int) -> Any:
        caller = Program(text)
        together.wait()
        try:
            return caller.post("/refreshes", **keyed("at once"))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    with scope(workspace=workspace):
        assert Refresh.objects.count() == 1
