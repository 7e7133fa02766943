"""Limits: requests a second and a day by API key, a queue by account, each in its own words."""

import time
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.sandbox.asking import Api, refresh

IMPORT = "/activities/contacts_json_import"
THROTTLED = {"error_key": "throttled", "error_message": "Too Many Requests"}
SPENT = {"error_key": "quota_exceeded", "error_message": "Limit Exceeded"}


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def statuses(api: Api, count: int) -> list[int]:
    return [api.get("/contact_lists").status_code for _ in range(count)]


def at_once(api: Api, count: int) -> list[int]:
    """Within one second, and none in the second before, however busy the machine is."""
    while True:
        began = time.monotonic()
        found = statuses(api, count)
        if time.monotonic() - began < 1:
            return found
        time.sleep(1.05)


def test_four_requests_a_second_and_the_others_are_throttled(api: Api) -> None:
    api.sandbox.control("configure", rate_per_second=4)
    found = at_once(api, 8)
    assert found == [200] * 4 + [429] * 4
    refused = api.get("/contact_lists")
    assert refused.json() == THROTTLED
    assert "Retry-After" not in refused.headers
    time.sleep(1.05)
    assert statuses(api, 1) == [200]


def test_any_second_counts_and_not_the_clocks(api: Api) -> None:
    api.sandbox.control("configure", rate_per_second=2)
    assert statuses(api, 1) == [200]
    time.sleep(0.5)
    assert statuses(api, 1) == [200]
    time.sleep(0.55)
    assert statuses(api, 2) == [200, 429]


def test_the_limit_is_the_applications_whichever_account_asks(api: Api) -> None:
    other = Api(api.sandbox, account=api.sandbox.control("accounts")[1]["account"])
    api.sandbox.control("configure", rate_per_second=2)
    assert [one.get("/contact_lists").status_code for one in (api, other, api)] == [200, 200, 429]


def test_a_bad_token_uses_up_a_turn_too(api: Api) -> None:
    api.sandbox.control("configure", rate_per_second=1)
    stranger = requests.get(f"{api.sandbox.api_url}/contact_lists", timeout=10)
    assert stranger.status_code == 401
    assert statuses(api, 1) == [429]


def test_the_most_in_a_second_is_told_refused_ones_too(api: Api) -> None:
    api.sandbox.control("forget_statistics")
    api.sandbox.control("configure", rate_per_second=1)
    statuses(api, 3)
    told = api.sandbox.control("statistics")
    assert told["most_in_a_second"] == 3
    assert told["requests"] == {"GET /v3/contact_lists 200": 1, "GET /v3/contact_lists 429": 2}
    assert told["today"] == 1


def test_the_days_requests_end_and_begin_again_at_midnight(api: Api) -> None:
    api.sandbox.control("configure", rate_per_day=2)
    assert statuses(api, 3) == [200, 200, 429]
    refused = api.get("/contact_lists")
    assert refused.json() == SPENT
    assert "Retry-After" not in refused.headers
    # The end of the day is UTC's, however little of it is left.
    api.sandbox.control("clock", offset=86_400 - time.time() % 86_400 + 5)
    assert statuses(api, 3) == [200, 200, 429]


def test_the_token_endpoint_counts_apart(api: Api) -> None:
    api.sandbox.control("configure", rate_per_second=1, token_rate=1)
    kept = api.sandbox.tokens()["refresh_token"]
    assert refresh(api.sandbox, kept).status_code == 200
    assert refresh(api.sandbox, "x").json() == THROTTLED
    assert Api(api.sandbox).get("/contact_lists").status_code == 200


def test_a_thousand_activities_wait_and_no_more_those_that_ended_aside(api: Api) -> None:
    for end in ("failed", "timed_out", "cancelled"):
        api.sandbox.control("fault", kind=f"activity_{end}", count=1)
        assert api.imported([{"email": "a@example.com"}])["state"] == end
    api.imported([{"email": "a@example.com"}])
    api.sandbox.control("configure", activity_latency=60)
    lists = [api.sandbox.lists()["Newsletter"]]
    wanted = {"import_data": [{"email": "a@example.com"}], "list_ids": lists}
    assert api.post_often(IMPORT, wanted, 1_000) == {201}
    refused = api.post(IMPORT, wanted)
    assert refused.status_code == 429
    assert refused.json()["error_key"] == "too_many_activities"
    assert api.post("/activities/contact_exports", {}).status_code == 429
    assert len(api.get("/activities", limit=500).json()["activities"]) == 500
    other = Api(api.sandbox, account=api.sandbox.control("accounts")[1]["account"])
    assert other.post("/activities/contact_exports", {}).status_code == 201


def test_started_without_options_it_has_the_providers_limits() -> None:
    with SandboxProcess() as plain:
        told = plain.control("configure")
    assert told == {
        "rate_per_second": 4,
        "rate_per_day": 10_000,
        "token_rate": 1,
        "rotating": True,
        "latency": 0.0,
        "activity_latency": 0.0,
    }


def test_the_rates_and_the_kind_of_refresh_tokens_are_options() -> None:
    options: dict[str, object] = {
        "rate_per_second": 10,
        "rate_per_day": 250_000,
        "token_rate": 2,
        "refresh_tokens": "long-lived",
        "activity_latency": 1.5,
    }
    with SandboxProcess(**options) as partner:
        told = partner.control("configure")
    assert (told["rate_per_second"], told["rate_per_day"], told["token_rate"]) == (10, 250_000, 2)
    assert (told["rotating"], told["activity_latency"]) == (False, 1.5)
