"""The JSON import as a whole: strict about its envelope, counted, and silent about rows."""

from typing import Any

import pytest

from tests.sandbox.asking import Api

PATH = "/activities/contacts_json_import"
UNKNOWN = "b116ba41-0000-5ceb-92e4-7a2afff75414"


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def people(count: int, name: str = "p") -> list[dict[str, str]]:
    return [
        {"email": f"{name}{n}@example.com", "first_name": f"F{n}", "last_name": f"L{n}"}
        for n in range(count)
    ]


def test_contacts_arrive_in_the_providers_own_time(api: Api) -> None:
    api.sandbox.control("configure", activity_latency=0.3)
    body = {"import_data": people(3), "list_ids": [api.sandbox.lists()["Newsletter"]]}
    started = api.post(PATH, body)
    assert started.json()["state"] == "initialized"
    assert api.sandbox.control("members", list_id=body["list_ids"][0]) == []
    ended = api.ended(started)
    assert (ended["state"], ended["status"]["person_count"]) == ("completed", 3)
    assert len(api.sandbox.control("members", list_id=body["list_ids"][0])) == 3


def test_bad_rows_are_counted_and_never_named(api: Api) -> None:
    rows = [
        *people(2),
        {"email": "no address"},
        {"email": f"{'x' * 80}@example.com"},
        {"email": "long@example.com", "first_name": "x" * 51},
        {"email": "day@example.com", "anniversary": "2025-02-30"},
        {"email": "half@example.com", "birthday_month": 2},
        "no object",
    ]
    ended = api.imported(rows)
    status = ended["status"]
    assert status["error_count"] + status["correctable_count"] == 6
    assert ended["activity_errors"] == []
    for row in rows:
        assert isinstance(row, str) or row["email"] not in str(ended)
    assert len(api.sandbox.control("members", list_id=api.sandbox.lists()["Newsletter"])) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"list_ids": []},
        {"list_ids": [UNKNOWN]},
        {"list_ids": None},
        {"import_data": []},
        {"import_data": None},
        {"import_data": "people"},
        {"list_ids": ["not-an-id"]},
        {"sms_permission_to_send": "implicit"},
    ],
)
def test_what_makes_no_sense_is_a_400_with_an_array(api: Api, change: dict[str, Any]) -> None:
    good = {"import_data": people(1), "list_ids": [api.sandbox.lists()["Newsletter"]]}
    refused = api.post(PATH, good | change)
    assert refused.status_code == 400
    assert refused.json()[0]["error_key"] == "contacts.api.validation.error"
    assert api.sandbox.control("statistics")["imports"] == 0


def test_what_lies_beyond_the_limits_is_dropped_without_a_word(api: Api) -> None:
    assert api.imported(people(40_001))["status"]["person_count"] == 40_000
    wide = [row | {"street": "s" * 255} for row in people(20_000, "wide")]
    counted = api.imported(wide)["status"]["person_count"]
    assert 10_000 < counted < 20_000
    assert api.sandbox.control("contact", email=f"wide{counted - 1}@example.com")
    assert api.sandbox.control("contact", email=f"wide{counted}@example.com") is None


def test_nothing_is_seen_from_another_account(api: Api) -> None:
    api.imported(people(2))
    other = api.sandbox.control("accounts")[1]["account"]
    stranger = Api(api.sandbox, account=other)
    assert stranger.get("/contacts").json()["contacts"] == []
    newsletter = api.sandbox.lists()["Newsletter"]
    assert stranger.get(f"/contact_lists/{newsletter}").status_code == 404


def test_a_deleted_list_takes_nobody(api: Api) -> None:
    events = api.sandbox.lists()["Events"]
    api.ask("DELETE", f"/contact_lists/{events}")
    refused = api.post(PATH, {"import_data": people(1), "list_ids": [events]})
    assert refused.status_code == 400


def test_one_import_can_be_for_several_lists(api: Api) -> None:
    lists = api.sandbox.lists()
    wanted = [lists["Newsletter"], lists["Events"].upper()]
    api.ended(api.post(PATH, {"import_data": people(2), "list_ids": wanted}))
    known = api.sandbox.control("contact", email="p1@example.com")
    assert known["lists"] == sorted([lists["Newsletter"], lists["Events"]])


def test_who_is_new_is_implicit_and_came_by_the_account(api: Api) -> None:
    api.imported(people(1))
    (known,) = api.get("/contacts").json()["contacts"]
    assert known["email_address"]["permission_to_send"] == "implicit"
    assert known["email_address"]["opt_in_source"] == "Account"
