"""Imports, lists, memberships and exports: strict, counted, and silent about rows."""

import csv
from typing import Any

import pytest

from tests.sandbox.asking import Api

PATH = "/activities/contacts_json_import"


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


def test_an_address_is_one_contact_however_it_is_written_and_the_last_row_wins(api: Api) -> None:
    api.imported([{"email": "A@Example.com", "first_name": "One"}])
    api.imported([{"email": "a@example.COM", "first_name": "Two"}])
    assert api.sandbox.control("accounts")[0]["contacts"] == 1
    assert api.sandbox.control("contact", email="a@example.com")["first_name"] == "Two"


def test_custom_fields_go_by_their_name_and_unknown_ones_vanish(api: Api) -> None:
    made = api.post("/contact_custom_fields", {"label": "Shoe size", "type": "string"})
    assert made.json()["name"] == "Shoe_size"
    api.imported([{"email": "a@example.com", "cf:Shoe_size": "42", "cf:Hat size": "7"}])
    assert api.sandbox.control("contact", email="a@example.com")["more"] == {"cf:Shoe_size": "42"}


def test_who_unsubscribed_is_updated_and_not_put_on_a_list(api: Api) -> None:
    api.imported([{"email": "a@example.com"}])
    api.sandbox.control("unsubscribe", email="a@example.com")
    ended = api.imported([{"email": "a@example.com", "first_name": "New"}], "Events")
    assert ended["status"]["cannot_add_to_list_count"] == 1
    known = api.sandbox.control("contact", email="a@example.com")
    assert (known["first_name"], known["permission"]) == ("New", "unsubscribed")
    assert api.sandbox.lists()["Events"] not in known["lists"]


@pytest.mark.parametrize(
    "change",
    [
        {"list_ids": []},
        {"list_ids": ["b116ba41-0000-5ceb-92e4-7a2afff75414"]},
        {"list_ids": None},
        {"import_data": []},
        {"import_data": None},
        {"import_data": "people"},
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


def ids_of(api: Api) -> list[str]:
    found = api.get("/contacts", limit=500).json()["contacts"]
    return [one["contact_id"] for one in found]


def test_people_are_taken_off_a_list_by_id_at_most_500_at_once(api: Api) -> None:
    api.imported(people(5))
    newsletter = api.sandbox.lists()["Newsletter"]
    ids = ids_of(api)
    body = {"source": {"contact_ids": ids[:2]}, "list_ids": [newsletter]}
    ended = api.ended(api.post("/activities/remove_list_memberships", body))
    assert ended["status"]["items_completed_count"] == 2
    assert len(api.sandbox.control("members", list_id=newsletter)) == 3
    assert api.sandbox.control("accounts")[0]["contacts"] == 5
    too_many = {"source": {"contact_ids": ids * 101}, "list_ids": [newsletter]}
    assert api.post("/activities/remove_list_memberships", too_many).status_code == 400


def test_a_list_is_read_back_as_a_file(api: Api) -> None:
    api.imported([{"email": "q@example.com", "first_name": 'Quote " and, comma'}])
    body = {"list_ids": [api.sandbox.lists()["Newsletter"]]}
    ended = api.ended(api.post("/activities/contact_exports", body))
    href = ended["_links"]["results"]["href"]
    file = api.ask("GET", f"{api.sandbox.url}{href}")
    (row,) = csv.DictReader(file.text.splitlines())
    assert (row["Email address"], row["First name"]) == ("q@example.com", 'Quote " and, comma')


def test_nothing_is_seen_from_another_account(api: Api) -> None:
    api.imported(people(2))
    other = api.sandbox.control("accounts")[1]["account"]
    stranger = Api(api.sandbox, account=other)
    assert stranger.get("/contacts").json()["contacts"] == []
    newsletter = api.sandbox.lists()["Newsletter"]
    assert stranger.get(f"/contact_lists/{newsletter}").status_code == 404
