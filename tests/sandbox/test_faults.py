"""Everything that can be ordered to go wrong, how often, where, and with which answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.sandbox.asking import Api, refresh

IMPORT = "/activities/contacts_json_import"
THROTTLED = {"error_key": "throttled", "error_message": "Too Many Requests"}


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def statuses(api: Api, count: int, path: str = "/contact_lists") -> list[int]:
    return [api.get(path).status_code for _ in range(count)]


def body(api: Api) -> dict[str, Any]:
    lists = [api.sandbox.lists()["Newsletter"]]
    return {"import_data": [{"email": "a@example.com"}], "list_ids": lists}


@pytest.mark.parametrize(
    ("fault", "status", "key"),
    [
        ({"kind": "throttled"}, 429, "throttled"),
        ({"kind": "quota_exceeded"}, 429, "quota_exceeded"),
        ({"kind": "queue_full"}, 429, "too_many_activities"),
        ({"kind": "revoked"}, 401, "unauthorized"),
    ],
)
def test_a_gateways_fault_is_an_object_as_often_as_ordered(
    api: Api, fault: dict[str, Any], status: int, key: str
) -> None:
    api.sandbox.control("fault", count=2, **fault)
    answers = [api.get("/contact_lists") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["error_key"] == key


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_is_an_array(api: Api, status: int) -> None:
    api.sandbox.control("fault", kind="server_error", status=status, count=1)
    answer = api.get("/contact_lists")
    assert answer.status_code == status
    assert answer.json()[0]["error_key"] == "contacts.api.internal_error"


def test_an_error_can_be_a_page_or_nothing_at_all(api: Api) -> None:
    for kind, status in (("html_error", 502), ("html_error", 504), ("empty_error", 500)):
        api.sandbox.control("fault", kind=kind, status=status, count=1)
    page, other, nothing = (api.get("/contact_lists") for _ in range(3))
    assert (page.status_code, other.status_code, nothing.status_code) == (502, 504, 500)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<h1>502 ERROR</h1>" in page.text
    assert nothing.content == b""


@pytest.mark.parametrize("kind", ["throttled", "quota_exceeded", "queue_full", "server_error"])
def test_retry_after_is_told_only_when_ordered(api: Api, kind: str) -> None:
    api.sandbox.control("fault", kind=kind, count=1)
    api.sandbox.control("fault", kind=kind, count=1, retry_after=7)
    found = [api.get("/contact_lists").headers.get("Retry-After") for _ in range(2)]
    assert found == [None, "7"]


def test_a_fault_without_a_count_is_for_ever_until_cleared(api: Api) -> None:
    api.sandbox.control("fault", kind="throttled")
    assert statuses(api, 5) == [429] * 5
    api.sandbox.control("clear_faults")
    assert statuses(api, 1) == [200]


def test_a_fault_can_be_for_one_route_or_method_and_begin_later(api: Api) -> None:
    order = {"kind": "server_error", "count": 1, "route": "GET /v3/contact_lists", "after": 1}
    api.sandbox.control("fault", **order)
    assert statuses(api, 1, "/account/summary") == [200]
    assert api.post("/contact_lists", {"name": "Posted"}).status_code == 201
    assert statuses(api, 3) == [200, 500, 200]


def test_chance_is_the_same_each_time_for_one_seed(api: Api) -> None:
    found = []
    for _ in range(2):
        api.sandbox.control("clear_faults")
        api.sandbox.control("fault", kind="throttled", probability=0.5)
        found.append(statuses(api, 40))
    assert found[0] == found[1]
    assert 8 < found[0].count(429) < 32


def test_faults_on_order_are_shown_to_who_asks(api: Api) -> None:
    api.sandbox.control("fault", kind="slow", seconds=0, count=2)
    statuses(api, 1)
    (fault,) = api.sandbox.control("statistics")["faults"]
    assert (fault["kind"], fault["count"]) == ("slow", 1)
    assert "slow, 1 times" in requests.get(api.sandbox.url, timeout=10).text


def test_a_reset_leaves_no_fault(api: Api) -> None:
    api.sandbox.control("fault", kind="throttled")
    api.sandbox.control("reset")
    assert statuses(Api(api.sandbox), 2) == [200, 200]


@pytest.mark.parametrize(("kind", "taken"), [("cut_before", 0), ("cut_after", 1)])
def test_a_cut_connection_leaves_the_request_untaken_or_taken(
    api: Api, kind: str, taken: int
) -> None:
    api.sandbox.control("fault", kind=kind, count=1)
    with pytest.raises(requests.ConnectionError):
        api.post(IMPORT, body(api))
    assert api.sandbox.control("statistics")["imports"] == taken
    assert len(api.get("/activities").json()["activities"]) == taken


def test_an_answer_can_break_off_in_the_middle(api: Api) -> None:
    api.sandbox.control("fault", kind="cut_during", count=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.post(IMPORT, body(api))
    assert api.sandbox.control("statistics")["imports"] == 1


def test_a_rotated_token_whose_answer_was_cut_is_lost(sandbox: Any) -> None:
    kept = sandbox.tokens()["refresh_token"]
    sandbox.control("fault", kind="cut_after", count=1, route="/v1/token")
    with pytest.raises(requests.ConnectionError):
        refresh(sandbox, kept)
    assert refresh(sandbox, kept).json()["error"] == "invalid_grant"


def test_a_token_request_cut_before_it_was_taken_costs_nothing(sandbox: Any) -> None:
    kept = sandbox.tokens()["refresh_token"]
    sandbox.control("fault", kind="cut_before", count=1, route="/v1/token")
    with pytest.raises(requests.ConnectionError):
        refresh(sandbox, kept)
    assert refresh(sandbox, kept).status_code == 200


def test_a_slow_answer_comes_late_and_right(api: Api) -> None:
    api.sandbox.control("fault", kind="slow", seconds=0.5, count=1)
    started = time.monotonic()
    assert statuses(api, 1) == [200]
    assert time.monotonic() - started >= 0.5


def test_latency_is_on_every_request_and_holds_nobody_else_up(api: Api) -> None:
    api.sandbox.control("configure", latency=0.4)
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: api.get("/contact_lists").status_code, range(8)))
    assert found == [200] * 8
    assert 0.4 <= time.monotonic() - started < 8 * 0.4


@pytest.mark.parametrize("end", ["failed", "timed_out", "cancelled"])
def test_an_activity_can_end_badly_and_does_nothing_then(api: Api, end: str) -> None:
    api.sandbox.control("fault", kind=f"activity_{end}", count=1)
    ended = api.ended(api.post(IMPORT, body(api)))
    assert (ended["state"], ended["percent_done"]) == (end, 100)
    assert api.sandbox.control("accounts")[0]["contacts"] == 0


def test_an_activitys_fault_waits_for_an_activity(api: Api) -> None:
    api.sandbox.control("fault", kind="activity_failed", count=1, route="json_import")
    assert statuses(api, 2) == [200, 200]
    assert api.ended(api.post("/activities/contact_exports", {}))["state"] == "completed"
    assert api.ended(api.post(IMPORT, body(api)))["state"] == "failed"


def test_the_token_endpoint_is_throttled_or_finds_the_grant_revoked(sandbox: Any) -> None:
    kept = sandbox.tokens()["refresh_token"]
    sandbox.control("fault", kind="token_throttled", count=1)
    assert Api(sandbox).get("/contact_lists").status_code == 200
    assert refresh(sandbox, kept).json() == THROTTLED
    kept = sandbox.tokens()["refresh_token"]
    sandbox.control("fault", kind="revoked", count=1, route="/v1/token")
    refused = refresh(sandbox, kept)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_faults_and_latency_are_ordered_by_command_line_and_survive_a_reset() -> None:
    faults = [
        "server_error:count=1,status=503,route=GET /v3/account",
        "throttled:count=2,retry_after=3,route=contact_lists",
    ]
    with SandboxProcess(rate_per_second=1_000, fault=faults, latency=0.1) as started:
        for _ in range(2):
            api = Api(started)
            began = time.monotonic()
            assert statuses(api, 3) == [429, 429, 200]
            assert statuses(api, 2, "/account/summary") == [503, 200]
            assert time.monotonic() - began >= 0.5
            started.control("reset")


@pytest.mark.parametrize(
    "option",
    [
        {"fault": ["flood"]},
        {"fault": ["slow:seconds=long"]},
        {"fault": ["slow:colour=red"]},
        {"latency": -1},
        {"rate_per_day": -1},
    ],
)
def test_a_bad_option_ends_it_at_once(option: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        SandboxProcess(**option).start()
