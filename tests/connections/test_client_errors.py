"""The client against everything the sandbox can refuse, break or delay."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from connections.constant_contact import errors
from connections.constant_contact.client import Client
from connections.constant_contact.transport import LONGEST_WAIT_SECONDS, READ_ATTEMPTS
from sandbox.process import free_port
from tests.connections.factories import FixedToken, client_of


class Told:
    """A limiter that lets everything through and remembers what it was told."""

    def __init__(self) -> None:
        self.turns = 0
        self.was_spent = False

    def acquire(self) -> None:
        self.turns += 1

    def spent(self) -> None:
        self.was_spent = True


def an_import(sandbox: Any) -> bytes:
    rows = [{"email": "ann@example.com"}]
    return json.dumps({"import_data": rows, "list_ids": [sandbox.lists()["Newsletter"]]}).encode()


def asked(sandbox: Any, what: str) -> int:
    requests: dict[str, int] = sandbox.control("statistics")["requests"]
    return sum(count for key, count in requests.items() if what in key)


def test_a_change_that_is_throttled_is_left_to_the_caller(sandbox: Any) -> None:
    sandbox.control("fault", kind="throttled", count=1, retry_after=7)
    client = client_of(sandbox)
    with pytest.raises(errors.Throttled) as throttled:
        client.import_contacts(an_import(sandbox))
    assert (throttled.value.advice, throttled.value.retry_after) == ("retry", 7)
    assert (throttled.value.status, throttled.value.key) == (429, "throttled")
    assert not isinstance(throttled.value, errors.QueueFull)
    assert client.requests == 1
    assert sandbox.control("statistics")["imported_contacts"] == 0


@pytest.mark.parametrize("asked", [str(10**30), "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_waits_longer_than_a_day_whatever_is_asked(asked: str) -> None:
    answer = requests.Response()
    answer.headers["Retry-After"] = asked
    assert errors.retry_after(answer) == errors.LONGEST_RETRY_AFTER


def test_reading_that_is_throttled_waits_as_long_as_asked(sandbox: Any) -> None:
    sandbox.control("fault", kind="throttled", count=2, retry_after=1)
    client = client_of(sandbox)
    began = time.monotonic()
    assert client.account_summary().name == "Harbour Books"
    assert time.monotonic() - began >= 2
    assert client.requests == 3


def test_reading_does_not_wait_longer_than_a_page_may(sandbox: Any) -> None:
    sandbox.control("fault", kind="throttled", retry_after=LONGEST_WAIT_SECONDS + 1)
    client = client_of(sandbox)
    with pytest.raises(errors.Throttled) as throttled:
        client.account_summary()
    assert throttled.value.retry_after == LONGEST_WAIT_SECONDS + 1
    assert client.requests == 1


def test_a_spent_day_is_told_to_the_limiter_and_says_until_when(sandbox: Any) -> None:
    sandbox.control("fault", kind="quota_exceeded", count=2)
    for ask in (lambda client: client.account_summary(), _import(sandbox)):
        limiter = Told()
        client = client_of(sandbox, limiter=limiter)
        with pytest.raises(errors.BudgetSpent) as spent:
            ask(client)
        assert limiter.was_spent
        assert client.requests == limiter.turns == 1
        assert spent.value.advice == "retry"
        assert (spent.value.until.hour, spent.value.until.minute) == (0, 0)
        now = datetime.now(UTC)
        assert now < spent.value.until <= now + timedelta(days=1)


def _import(sandbox: Any) -> Any:
    return lambda client: client.import_contacts(an_import(sandbox))


def test_a_full_queue_is_told_from_too_many_requests(sandbox: Any) -> None:
    sandbox.control("fault", kind="queue_full", count=1)
    with pytest.raises(errors.QueueFull) as full:
        client_of(sandbox).import_contacts(an_import(sandbox))
    assert full.value.advice == "retry"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "server_error", "status": 500},
        {"kind": "server_error", "status": 503, "retry_after": 3},
        {"kind": "empty_error"},
    ],
)
def test_a_fault_of_the_provider_leaves_a_change_to_the_caller(
    sandbox: Any, fault: dict[str, Any]
) -> None:
    sandbox.control("fault", count=1, **fault)
    client = client_of(sandbox)
    with pytest.raises(errors.Unavailable) as unavailable:
        client.import_contacts(an_import(sandbox))
    assert unavailable.value.advice == "retry"
    assert unavailable.value.status == fault.get("status", 500)
    assert client.requests == 1


def test_a_gateway_that_got_no_answer_does_not_know_the_outcome(sandbox: Any) -> None:
    sandbox.control("fault", kind="html_error", count=1)
    with pytest.raises(errors.OutcomeUnknown) as unknown:
        client_of(sandbox).import_contacts(an_import(sandbox))
    assert (unknown.value.advice, unknown.value.status) == ("retry", 502)


@pytest.mark.parametrize("kind", ["server_error", "empty_error", "html_error", "cut_before"])
def test_reading_is_tried_again_through_a_fault(sandbox: Any, kind: str) -> None:
    sandbox.control("fault", kind=kind, count=1)
    client = client_of(sandbox)
    assert client.account_summary().name == "Harbour Books"
    assert client.requests == 2


def test_reading_gives_up_after_a_few_attempts(sandbox: Any) -> None:
    sandbox.control("fault", kind="server_error", status=500)
    client = client_of(sandbox)
    with pytest.raises(errors.Unavailable):
        client.account_summary()
    assert client.requests == READ_ATTEMPTS


def test_a_connection_cut_after_the_request_was_taken_leaves_the_outcome_unknown(
    sandbox: Any,
) -> None:
    sandbox.control("fault", kind="cut_after", count=1)
    client = client_of(sandbox)
    with pytest.raises(errors.OutcomeUnknown) as unknown:
        client.import_contacts(an_import(sandbox))
    assert (unknown.value.advice, unknown.value.status) == ("retry", 0)
    assert client.requests == 1
    assert sandbox.control("statistics")["imported_contacts"] == 1


def test_an_answer_that_does_not_come_in_time_leaves_the_outcome_unknown(sandbox: Any) -> None:
    sandbox.control("fault", kind="slow", seconds=3, count=1)
    client = client_of(sandbox, timeout=(2, 0.5))
    with pytest.raises(errors.OutcomeUnknown):
        client.import_contacts(an_import(sandbox))
    assert client.requests == 1


def test_reading_that_takes_too_long_is_tried_again(sandbox: Any) -> None:
    sandbox.control("fault", kind="slow", seconds=2, count=1)
    client = client_of(sandbox, timeout=(2, 0.5))
    assert client.account_summary().name == "Harbour Books"
    assert client.requests == 2


def test_a_provider_that_is_not_there_took_nothing() -> None:
    client = Client(f"http://127.0.0.1:{free_port()}/v3", FixedToken("token"))
    with pytest.raises(errors.Unavailable) as unavailable:
        client.import_contacts(b"{}")
    assert (unavailable.value.advice, client.requests) == ("retry", 1)


def test_an_unknown_name_of_the_provider_took_nothing() -> None:
    client = Client("http://constant-contact.invalid/v3", FixedToken("token"))
    with pytest.raises(errors.Unavailable):
        client.create_list("Newsletter")


def test_a_refused_token_is_renewed_once_and_the_request_made_again(sandbox: Any) -> None:
    good = sandbox.tokens()["access_token"]
    provider = FixedToken("stale-token", good)
    client = Client(sandbox.api_url, provider)
    activity = client.import_contacts(an_import(sandbox))
    assert activity.activity_id
    assert (provider.refreshed, client.requests) == (1, 2)
    assert sandbox.control("statistics")["imported_contacts"] == 1


@pytest.mark.parametrize("ask", ["read", "change"])
def test_a_token_refused_again_asks_for_sign_in(sandbox: Any, ask: str) -> None:
    provider = FixedToken("stale-token", "as-stale")
    client = Client(sandbox.api_url, provider)
    with pytest.raises(errors.SignInAgain) as refused:
        client.account_summary() if ask == "read" else client.create_list("A list")
    assert refused.value.advice == "sign_in"
    assert (provider.refreshed, client.requests) == (1, 2)
    assert refused.value.key == "unauthorized"


def test_a_missing_scope_is_forbidden(sandbox: Any) -> None:
    token = sandbox.control("tokens", scopes="contact_data")["access_token"]
    with pytest.raises(errors.Forbidden) as forbidden:
        Client(sandbox.api_url, FixedToken(token)).account_summary()
    assert forbidden.value.advice == "give_up"


def test_what_is_not_there_is_not_found(sandbox: Any) -> None:
    client = client_of(sandbox)
    nobody = "00000000-0000-0000-0000-000000000000"
    for ask in (client.list, client.activity):
        with pytest.raises(errors.NotFound) as missing:
            ask(nobody)
        assert (missing.value.advice, missing.value.status) == ("give_up", 404)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"import_data": [], "list_ids": []}'])
def test_a_request_that_makes_no_sense_is_not_tried_again(sandbox: Any, body: bytes) -> None:
    client = client_of(sandbox)
    with pytest.raises(errors.InvalidRequest) as refused:
        client.import_contacts(body)
    assert (refused.value.advice, refused.value.status) == ("give_up", 400)
    assert refused.value.key == "contacts.api.validation.error"
    assert client.requests == 1


def test_real_limits_of_the_provider_are_understood(sandbox: Any) -> None:
    sandbox.control("configure", rate_per_second=1)
    client = client_of(sandbox)
    client.create_list("The second's only one")
    with pytest.raises(errors.Throttled):
        client.create_list("One too many")
    sandbox.control("configure", rate_per_second=10_000, rate_per_day=0)
    with pytest.raises(errors.BudgetSpent):
        client.create_list("One too many")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("activity_failed", "failed"),
        ("activity_timed_out", "timed_out"),
        ("activity_cancelled", "cancelled"),
    ],
)
def test_an_activity_that_ends_badly_has_ended(sandbox: Any, kind: str, state: str) -> None:
    sandbox.control("fault", kind=kind, count=1)
    client = client_of(sandbox)
    activity = client.import_contacts(an_import(sandbox))
    deadline = time.monotonic() + 5
    while not activity.has_ended:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        activity = client.activity(activity.activity_id)
    assert activity.state == state


def test_an_activity_that_never_ends_has_not_ended(sandbox: Any) -> None:
    sandbox.control("fault", kind="activity_stuck", count=1)
    client = client_of(sandbox)
    activity = client.import_contacts(an_import(sandbox))
    time.sleep(0.2)
    assert not client.activity(activity.activity_id).has_ended
