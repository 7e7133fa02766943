"""The control endpoint: what a test orders behind the API's back, and orders without sense."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.asking import Api, refresh


def newsletter(sandbox: Any) -> str:
    found: str = sandbox.lists()["Newsletter"]
    return found


def test_people_are_there_before(sandbox: Any) -> None:
    rows = [
        {"email": "a@example.com", "first_name": "Pat"},
        {"email": "b@example.com", "permission": "unsubscribed"},
    ]
    told = sandbox.control("seed", contacts=rows, list_id=newsletter(sandbox))
    assert told == {"contacts": 2}
    assert sandbox.control("members", list_id=newsletter(sandbox)) == ["a@example.com"]
    left = Api(sandbox).get("/contacts", status="unsubscribed").json()["contacts"]
    assert [one["email_address"]["address"] for one in left] == ["b@example.com"]


def test_whole_contacts_stream_a_line_each(sandbox: Any) -> None:
    rows = [{"email": f"n{number}@example.com"} for number in range(12_000)]
    sandbox.control("seed", contacts=rows, list_id=newsletter(sandbox))
    found = list(sandbox.members(newsletter(sandbox)))
    assert len(found) == 12_000
    assert set(found[0]) == {
        "email",
        "first_name",
        "last_name",
        "more",
        "permission",
        "lists",
        "deleted",
    }


def test_people_are_taken_off_a_list_held_deleted(sandbox: Any) -> None:
    rows = [{"email": f"{name}@example.com"} for name in ("off", "held", "gone")]
    sandbox.control("seed", contacts=rows, list_id=newsletter(sandbox))
    sandbox.control("take_off", email="off@example.com", list_id=newsletter(sandbox))
    sandbox.control("hold", email="held@example.com")
    sandbox.control("delete", email="gone@example.com")
    known = {
        name: sandbox.control("contact", email=f"{name}@example.com")
        for name in ("off", "held", "gone")
    }
    assert known["off"]["lists"] == []
    assert known["off"]["permission"] == "implicit"
    assert known["held"]["permission"] == "temp_hold"
    assert known["gone"]["deleted"] is True
    assert sandbox.control("contact", email="nobody@example.com") is None


def test_who_unsubscribed_is_told_apart_by_who_did_it(sandbox: Any) -> None:
    rows = [{"email": "own@example.com"}, {"email": "ours@example.com"}]
    sandbox.control("seed", contacts=rows)
    sandbox.control("unsubscribe", email="own@example.com")
    sandbox.control("unsubscribe", email="ours@example.com", by="Account")
    found = Api(sandbox).get("/contacts", status="unsubscribed").json()["contacts"]
    sources = [one["email_address"]["opt_out_source"] for one in found]
    assert sources == ["Contact", "Account"]


def test_access_ends_and_the_grant_lives_on_or_all_ends(sandbox: Any) -> None:
    tokens = sandbox.tokens()
    api = Api(sandbox)
    sandbox.control("expire_tokens")
    assert api.get("/account/summary").status_code == 401
    kept = sandbox.tokens()["refresh_token"]
    assert refresh(sandbox, kept).status_code == 200
    sandbox.control("revoke")
    assert refresh(sandbox, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_statistics_count_and_forget(sandbox: Any) -> None:
    sandbox.control("forget_statistics")
    api = Api(sandbox)
    api.imported([{"email": "a@example.com"}, {"email": "bad"}])
    told = sandbox.control("statistics")
    assert (told["imports"], told["imported_contacts"]) == (1, 2)
    assert told["requests"]["POST /v3/activities/contacts_json_import 201"] == 1
    assert any(route.startswith("GET /v3/activities/{id} 200") for route in told["requests"])
    today = told["today"]
    sandbox.control("forget_statistics")
    told = sandbox.control("statistics")
    assert (told["total"], told["imports"], told["today"]) == (0, 0, today)


def test_a_reset_is_as_new_with_the_same_ids(sandbox: Any) -> None:
    before = sandbox.control("accounts")
    api = Api(sandbox)
    api.imported([{"email": "a@example.com"}])
    api.post("/contact_lists", {"name": "Another"})
    sandbox.control("configure", rate_per_second=1, activity_latency=9)
    sandbox.control("reset")
    assert sandbox.control("accounts") == before
    assert sandbox.control("configure")["rate_per_second"] == 10_000
    assert api.get("/contact_lists").status_code == 401


def test_what_waits_is_never_done_after_a_reset(sandbox: Any) -> None:
    sandbox.control("configure", activity_latency=0.3)
    api = Api(sandbox)
    body = {"import_data": [{"email": "a@example.com"}], "list_ids": [newsletter(sandbox)]}
    api.post("/activities/contacts_json_import", body)
    sandbox.control("reset")
    Api(sandbox).imported([{"email": "b@example.com"}])
    time.sleep(0.4)
    assert sandbox.control("members", list_id=newsletter(sandbox)) == ["b@example.com"]


@pytest.mark.parametrize(
    ("action", "values", "said"),
    [
        ("fault", {"kind": "flood"}, "there is no fault"),
        ("fault", {"kind": "slow", "probability": 0}, "probability"),
        ("fault", {"kind": "slow", "seconds": "long"}, "seconds can't be"),
        ("fault", {"kind": "slow", "seconds": -1}, "0 or more"),
        ("fault", {"kind": "slow", "count": 0}, "at least 1"),
        ("fault", {"kind": "slow", "count": True}, "count can't be"),
        ("fault", {"kind": "slow", "route": "("}, "not a pattern"),
        ("fault", {"kind": "server_error", "status": 200}, "between 400 and 599"),
        ("fault", {"kind": "slow", "colour": "red"}, "colour"),
        ("configure", {"rate": 3}, "no setting"),
        ("configure", {"latency": -1}, "can't be"),
        ("configure", {"rotating": 1}, "can't be"),
        ("seed", {"contacts": [], "list_id": "x"}, "no list"),
        ("seed", {"contacts": [{}]}, "'email' is missing"),
        ("seed", {"contacts": "people"}, "problem"),
        ("seed", {"contacts": [{"email": "a@example.com", "permission": "x"}]}, "no permission"),
        ("unsubscribe", {"email": "nobody@example.com"}, "no contact"),
        ("unsubscribe", {"email": "nobody@example.com", "by": "me"}, "Contact or Account"),
        ("members", {"list_id": "x", "account": "unknown"}, "no account"),
        ("tokens", {"user": "stranger@example.com"}, "no user"),
        ("clock", {"offset": "soon"}, "could not convert"),
        ("dance", {}, "there are"),
    ],
)
def test_an_order_that_makes_no_sense_is_answered_with_why(
    sandbox: Any, action: str, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        sandbox.control(action, **values)
    assert sandbox.control("statistics")["faults"] == []


def test_every_order_and_every_fault_is_in_the_readme(sandbox: Any) -> None:
    said = (Path(__file__).resolve().parents[2] / "sandbox" / "README.md").read_text()
    for action, values in (("dance", {}), ("fault", {"kind": "flood"})):
        with pytest.raises(ValueError, match="there are ") as refused:
            sandbox.control(action, **values)
        _, _, names = json.loads(str(refused.value))["problem"].rpartition("there are ")
        assert len(names.split(", ")) > 10
        for name in names.split(", "):
            assert f"`{name}`" in said, name


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"])
def test_an_order_that_is_no_object_is_a_400(sandbox: Any, body: bytes) -> None:
    refused = requests.post(f"{sandbox.url}/_control/configure", data=body, timeout=10)
    assert refused.status_code == 400
    assert json.loads(refused.text)["problem"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_make_a_browser_give_orders(sandbox: Any, site: str) -> None:
    api = Api(sandbox)
    headers = {"Sec-Fetch-Site": site}
    answer = requests.post(f"{sandbox.url}/_control/reset", headers=headers, timeout=10)
    assert answer.status_code == 403
    assert api.get("/contact_lists").status_code == 200
