"""The authorization server: a person allows or denies, a code is good once, tokens wear out."""

from typing import Any

import pytest
import requests

from tests.sandbox.asking import answered, authorize_url, exchange, refresh


def test_the_page_names_the_accounts_and_what_is_asked_for(sandbox: Any) -> None:
    page = requests.get(authorize_url(sandbox), timeout=10).text
    for text in ("Harbour Books", "Alpine Ski House", "See and change contacts", "Allow", "Deny"):
        assert text in page


def test_a_code_becomes_tokens_that_open_the_account(sandbox: Any) -> None:
    back = answered(sandbox)
    assert back["state"] == "a-state"
    given = exchange(sandbox, back["code"])
    assert given.status_code == 200
    tokens = given.json()
    assert tokens["token_type"] == "Bearer"
    assert set(tokens["scope"].split()) == {"offline_access", "contact_data", "account_read"}
    summary = requests.get(
        f"{sandbox.api_url}/account/summary",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
        timeout=10,
    )
    assert summary.json()["organization_name"] == "Harbour Books"


def test_a_code_is_good_once(sandbox: Any) -> None:
    code = answered(sandbox)["code"]
    assert exchange(sandbox, code).status_code == 200
    again = exchange(sandbox, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "another-verifier-of-at-least-forty-three-characters"},
        {"code_verifier": ""},
        {"redirect_uri": "http://localhost:9/elsewhere"},
    ],
)
def test_a_code_is_worth_nothing_to_who_did_not_ask_for_it(
    sandbox: Any, changes: dict[str, str]
) -> None:
    stolen = exchange(sandbox, answered(sandbox)["code"], **changes)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def test_a_wrong_secret_is_refused(sandbox: Any) -> None:
    answer = requests.post(
        f"{sandbox.auth_url}/v1/token",
        data={"grant_type": "refresh_token", "refresh_token": "x"},
        auth=(sandbox.client_id, "wrong"),
        timeout=10,
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_person_who_denies_sends_the_browser_back_with_that(sandbox: Any) -> None:
    back = answered(sandbox, "deny")
    assert (back["error"], back["state"]) == ("access_denied", "a-state")
    assert "code" not in back


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
    ],
)
def test_a_bad_request_comes_back_as_an_error(
    sandbox: Any, changes: dict[str, Any], error: str
) -> None:
    assert answered(sandbox, **changes)["error"] == error


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "unknown"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": None}],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    sandbox: Any, changes: dict[str, Any]
) -> None:
    page = requests.get(authorize_url(sandbox, **changes), timeout=10, allow_redirects=False)
    assert page.status_code == 400
    assert "Location" not in page.headers


def test_a_rotating_refresh_token_is_good_once(sandbox: Any) -> None:
    first = sandbox.tokens()["refresh_token"]
    second = refresh(sandbox, first).json()["refresh_token"]
    assert second != first
    assert refresh(sandbox, first).json()["error"] == "invalid_grant"
    assert refresh(sandbox, second).status_code == 200


def test_a_long_lived_refresh_token_stays_good(sandbox: Any) -> None:
    sandbox.control("configure", rotating=False)
    kept = sandbox.tokens()["refresh_token"]
    for _ in range(3):
        given = refresh(sandbox, kept)
        assert (given.status_code, given.json()["refresh_token"]) == (200, kept)


def test_without_offline_access_there_is_no_refresh_token(sandbox: Any) -> None:
    code = answered(sandbox, scope="contact_data")["code"]
    assert "refresh_token" not in exchange(sandbox, code).json()
