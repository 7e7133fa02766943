"""Limits that hold, and everything that can be ordered to go wrong."""

import time
from typing import Any

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.sandbox.asking import Api, refresh

IMPORT = "/activities/contacts_json_import"


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def body(api: Api) -> dict[str, Any]:
    lists = [api.sandbox.lists()["Newsletter"]]
    return {"import_data": [{"email": "a@example.com"}], "list_ids": lists}


def test_more_requests_a_second_than_allowed_get_a_429(api: Api) -> None:
    api.sandbox.control("configure", rate_per_second=4)
    statuses = [api.get("/contact_lists").status_code for _ in range(8)]
    assert 429 in statuses
    time.sleep(1.1)
    assert api.get("/contact_lists").status_code == 200


def test_the_days_requests_end_and_begin_again_at_midnight(api: Api) -> None:
    api.sandbox.control("configure", rate_per_day=2)
    assert [api.get("/contact_lists").status_code for _ in range(3)] == [200, 200, 429]
    refused = api.get("/contact_lists")
    assert "limit" in str(refused.json()).lower()
    api.sandbox.control("clock", offset=86_400)
    api = Api(api.sandbox)
    assert api.get("/contact_lists").status_code == 200


def test_a_thousand_activities_wait_and_no_more(api: Api) -> None:
    api.sandbox.control("configure", activity_latency=60)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {api.token}"
        wanted = body(api)
        for _ in range(1_000):
            assert session.post(f"{api.sandbox.api_url}{IMPORT}", json=wanted).status_code == 201
        assert session.post(f"{api.sandbox.api_url}{IMPORT}", json=wanted).status_code == 429
    assert api.get("/activities", limit=500).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "throttled", "retry_after": 7}, 429),
        ({"kind": "quota_exceeded"}, 429),
        ({"kind": "queue_full"}, 429),
        ({"kind": "server_error", "status": 503}, 503),
        ({"kind": "html_error"}, 502),
        ({"kind": "empty_error"}, 500),
        ({"kind": "revoked"}, 401),
    ],
)
def test_a_fault_strikes_as_often_as_ordered(api: Api, fault: dict[str, Any], status: int) -> None:
    api.sandbox.control("fault", count=2, **fault)
    answers = [api.get("/contact_lists") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers.get("Retry-After") == ("7" if "retry_after" in fault else None)


def test_a_fault_can_be_for_one_route_and_begin_later(api: Api) -> None:
    api.sandbox.control("fault", kind="server_error", count=1, route="contact_lists", after=1)
    assert api.get("/account/summary").status_code == 200
    statuses = [api.get("/contact_lists").status_code for _ in range(3)]
    assert statuses == [200, 500, 200]


@pytest.mark.parametrize(("kind", "taken"), [("cut_before", 0), ("cut_after", 1)])
def test_a_cut_connection_leaves_the_request_untaken_or_taken(
    api: Api, kind: str, taken: int
) -> None:
    api.sandbox.control("fault", kind=kind, count=1)
    with pytest.raises(requests.ConnectionError):
        api.post(IMPORT, body(api))
    assert api.sandbox.control("statistics")["imports"] == taken


def test_a_slow_answer_comes_late(api: Api) -> None:
    api.sandbox.control("fault", kind="slow", seconds=0.5, count=1)
    started = time.monotonic()
    assert api.get("/contact_lists").status_code == 200
    assert time.monotonic() - started > 0.5


@pytest.mark.parametrize("end", ["failed", "timed_out", "cancelled"])
def test_an_activity_can_end_badly_and_does_nothing_then(api: Api, end: str) -> None:
    api.sandbox.control("fault", kind=f"activity_{end}", count=1)
    assert api.ended(api.post(IMPORT, body(api)))["state"] == end
    assert api.sandbox.control("accounts")[0]["contacts"] == 0


def test_an_activity_can_stay_for_ever(api: Api) -> None:
    api.sandbox.control("fault", kind="activity_stuck", count=1)
    started = api.post(IMPORT, body(api)).json()
    time.sleep(0.3)
    assert api.get(f"/activities/{started['activity_id']}").json()["state"] == "processing"


def test_a_revoked_grant_is_an_invalid_grant_at_the_token_endpoint(sandbox: Any) -> None:
    kept = sandbox.tokens()["refresh_token"]
    sandbox.control("fault", kind="revoked", count=1, route="/v1/token")
    assert refresh(sandbox, kept).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("action", "values", "said"),
    [
        ("fault", {"kind": "flood"}, "there is no fault"),
        ("fault", {"kind": "slow", "probability": 0}, "probability"),
        ("configure", {"rate": 3}, "no setting"),
        ("configure", {"latency": -1}, "can't be"),
        ("seed", {"contacts": [], "list_id": "x"}, "no list"),
        ("unsubscribe", {"email": "nobody@example.com"}, "no contact"),
        ("dance", {}, "there are"),
    ],
)
def test_an_order_that_makes_no_sense_is_answered_with_why(
    sandbox: Any, action: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        sandbox.control(action, **values)


def test_another_site_cannot_make_a_browser_give_orders(sandbox: Any) -> None:
    answer = requests.post(
        f"{sandbox.url}/_control/reset", headers={"Sec-Fetch-Site": "cross-site"}, timeout=10
    )
    assert answer.status_code == 403


def test_faults_and_latency_are_ordered_by_command_line_too(tmp_path: Any) -> None:
    data = tmp_path / "sandbox.state"
    options = {"fault": ["server_error:count=1,status=503"], "latency": 0.2, "data": data}
    with SandboxProcess(rate_per_second=1_000, token_rate=1_000, **options) as started:
        api = Api(started)
        began = time.monotonic()
        assert api.get("/contact_lists").status_code == 503
        assert api.get("/contact_lists").status_code == 200
        assert time.monotonic() - began > 0.3
        api.imported([{"email": "kept@example.com"}])
        started.stop()
        started.start()
        assert started.control("contact", email="kept@example.com")["email"] == "kept@example.com"
        assert api.get("/account/summary").status_code in (200, 503)


@pytest.mark.parametrize("option", [{"fault": ["flood"]}, {"latency": -1}, {"rate_per_day": -1}])
def test_a_bad_option_ends_it_at_once(option: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        SandboxProcess(**option).start()
