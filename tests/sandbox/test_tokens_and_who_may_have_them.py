"""The token endpoint: which credentials open it, how long what it gives lasts, how it refuses."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.sandbox.asking import (
    REDIRECT,
    VERIFIER,
    Api,
    answered,
    authorize_url,
    exchange,
    refresh,
    token,
)

DAY = 86_400


def test_parameters_go_in_the_query_as_well_as_in_a_form(sandbox: Any) -> None:
    given = requests.post(
        f"{sandbox.auth_url}/v1/token",
        params={
            "grant_type": "authorization_code",
            "code": answered(sandbox)["code"],
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        },
        auth=(sandbox.client_id, sandbox.client_secret),
        timeout=10,
    )
    assert given.status_code == 200


def test_an_answer_has_a_token_shaped_as_a_jwt_for_a_day_and_is_not_to_be_stored(
    sandbox: Any,
) -> None:
    given = exchange(sandbox, answered(sandbox)["code"])
    tokens = given.json()
    assert tokens["expires_in"] == DAY
    assert tokens["access_token"].count(".") == 2
    assert 800 < len(tokens["access_token"]) < 1_300
    assert given.headers["Cache-Control"] == "no-store"


def test_with_a_code_verifier_no_secret_is_needed(sandbox: Any) -> None:
    def public(**parameters: str) -> requests.Response:
        asked = {"client_id": sandbox.client_id, **parameters}
        return requests.post(f"{sandbox.auth_url}/v1/token", data=asked, timeout=10)

    code = answered(sandbox)["code"]
    given = public(
        grant_type="authorization_code",
        code=code,
        redirect_uri=REDIRECT,
        code_verifier=VERIFIER,
    )
    assert given.status_code == 200
    kept = given.json()["refresh_token"]
    assert public(grant_type="refresh_token", refresh_token=kept).status_code == 200


def test_without_verifier_and_without_secret_nothing_is_given(sandbox: Any) -> None:
    plain = {"code_challenge": None, "code_challenge_method": None}
    asked = {
        "grant_type": "authorization_code",
        "client_id": sandbox.client_id,
        "code": answered(sandbox, **plain)["code"],
        "redirect_uri": REDIRECT,
    }
    refused = requests.post(f"{sandbox.auth_url}/v1/token", data=asked, timeout=10)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


def test_a_secret_alone_is_enough_when_no_challenge_was_sent(sandbox: Any) -> None:
    code = answered(sandbox, code_challenge=None, code_challenge_method=None)["code"]
    asked = {"code": code, "redirect_uri": REDIRECT}
    assert token(sandbox, grant_type="authorization_code", **asked).status_code == 200


@pytest.mark.parametrize("verifier", ["short", "v" * 129, "with a blank " * 4])
def test_a_verifier_of_the_wrong_form_is_refused_though_it_fits(
    sandbox: Any, verifier: str
) -> None:
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
    code = answered(sandbox, code_challenge=challenge)["code"]
    refused = exchange(sandbox, code, code_verifier=verifier)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_code_lives_five_minutes(sandbox: Any) -> None:
    early, late = answered(sandbox)["code"], answered(sandbox)["code"]
    sandbox.control("clock", offset=290)
    assert exchange(sandbox, early).status_code == 200
    sandbox.control("clock", offset=310)
    assert exchange(sandbox, late).json()["error"] == "invalid_grant"


def test_an_access_token_lives_a_day(sandbox: Any) -> None:
    api = Api(sandbox)
    sandbox.control("clock", offset=DAY - 60)
    assert api.get("/account/summary").status_code == 200
    sandbox.control("clock", offset=DAY + 60)
    assert api.get("/account/summary").status_code == 401


@pytest.mark.parametrize("rotating", [True, False])
def test_a_refresh_token_dies_when_unused_for_180_days(sandbox: Any, *, rotating: bool) -> None:
    sandbox.control("configure", rotating=rotating)
    kept = sandbox.tokens()["refresh_token"]
    sandbox.control("clock", offset=179 * DAY)
    kept = refresh(sandbox, kept).json()["refresh_token"]
    sandbox.control("clock", offset=358 * DAY)
    kept = refresh(sandbox, kept).json()["refresh_token"]
    sandbox.control("clock", offset=539 * DAY)
    refused = refresh(sandbox, kept)
    assert refused.status_code == 400
    assert refused.json() == {
        "error": "invalid_grant",
        "error_description": "The refresh token is invalid or expired.",
    }


def test_a_new_authorization_ends_the_rotating_refresh_tokens_of_before(sandbox: Any) -> None:
    earlier = sandbox.tokens()["refresh_token"]
    exchange(sandbox, answered(sandbox)["code"])
    assert refresh(sandbox, earlier).json()["error"] == "invalid_grant"


def test_another_account_keeps_its_tokens_meanwhile(sandbox: Any) -> None:
    other = sandbox.control("accounts")[1]["account"]
    kept = sandbox.tokens(account=other)["refresh_token"]
    exchange(sandbox, answered(sandbox)["code"])
    assert refresh(sandbox, kept).status_code == 200


def test_revoking_one_account_leaves_the_other(sandbox: Any) -> None:
    first, second = (one["account"] for one in sandbox.control("accounts"))
    gone, stays = Api(sandbox, account=first), Api(sandbox, account=second)
    sandbox.control("revoke", account=first)
    assert gone.get("/account/summary").status_code == 401
    assert stays.get("/account/summary").json()["organization_name"] == "Alpine Ski House"


@pytest.mark.parametrize(
    ("parameters", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "unknown"}, 400, "invalid_grant"),
    ],
)
def test_what_it_can_not_do_is_refused_in_oauths_words(
    sandbox: Any, parameters: dict[str, str], status: int, error: str
) -> None:
    refused = token(sandbox, **parameters)
    assert refused.status_code == status
    assert set(refused.json()) == {"error", "error_description"}
    assert refused.json()["error"] == error


def test_a_body_that_is_no_form_is_refused(sandbox: Any) -> None:
    refused = requests.post(
        f"{sandbox.auth_url}/v1/token",
        json={"grant_type": "refresh_token"},
        auth=(sandbox.client_id, sandbox.client_secret),
        timeout=10,
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_a_refused_turn_is_a_throttled_object_and_costs_the_grant_nothing(sandbox: Any) -> None:
    sandbox.control("configure", token_rate=0)
    kept = sandbox.tokens()["refresh_token"]
    refused = refresh(sandbox, kept)
    assert refused.status_code == 429
    assert refused.json() == {"error_key": "throttled", "error_message": "Too Many Requests"}
    sandbox.control("configure", token_rate=1_000)
    assert refresh(sandbox, kept).status_code == 200


@pytest.mark.parametrize("state", ["", "with blank", "a+b", "a=b", "a/b", "a:b"])
def test_a_state_of_odd_characters_is_refused_and_not_sent_back(sandbox: Any, state: str) -> None:
    back = answered(sandbox, state=state)
    assert back["error"] == "invalid_request"
    assert "'state'" in back["error_description"]
    assert "state" not in back


def test_scopes_joined_by_a_quoted_plus_are_one_unknown_scope(sandbox: Any) -> None:
    assert answered(sandbox, scope="contact_data+account_read")["error"] == "invalid_scope"


def test_a_redirect_is_registered_to_the_character() -> None:
    registered = "http://localhost:9/callback"
    with SandboxProcess(redirect_uri=[registered]) as strict:
        for uri, status in (
            (registered, 200),
            (f"{registered}/", 400),
            (f"{registered}?x=1", 400),
            (f"{registered}#part", 400),
            ("https://localhost:9/callback", 400),
        ):
            page = requests.get(authorize_url(strict, redirect_uri=uri), timeout=10)
            assert page.status_code == status, uri


def test_there_are_no_discovery_documents(sandbox: Any) -> None:
    for name in ("openid-configuration", "oauth-authorization-server"):
        for base in (sandbox.url, sandbox.auth_url):
            assert requests.get(f"{base}/.well-known/{name}", timeout=10).status_code == 404
