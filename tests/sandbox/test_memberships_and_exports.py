"""Activities on chosen contacts: off a list, onto one, deleted, written to a file."""

import csv
from typing import Any

import pytest
import requests

from tests.sandbox.asking import Api

REMOVE = "/activities/remove_list_memberships"
ADD = "/activities/add_list_memberships"
EXPORT = "/activities/contact_exports"
UNKNOWN = "b116ba41-0000-5ceb-92e4-7a2afff75414"


@pytest.fixture
def api(sandbox: Any) -> Api:
    api = Api(sandbox)
    api.imported([{"email": f"n{number}@example.com"} for number in range(4)])
    api.imported([{"email": f"n{number}@example.com"} for number in range(2)], "Events")
    return api


def list_id(api: Api, name: str) -> str:
    found: str = api.sandbox.lists()[name]
    return found


def members(api: Api, name: str) -> list[str]:
    """The names before the @."""
    found = api.sandbox.control("members", list_id=list_id(api, name))
    return sorted(address.partition("@")[0] for address in found)


def ids(api: Api, *names: str) -> list[str]:
    found = [api.get("/contacts", email=f"{name}@example.com").json() for name in names]
    return [one["contacts"][0]["contact_id"] for one in found]


def body(api: Api, source: dict[str, Any], name: str = "Newsletter", **more: Any) -> dict[str, Any]:
    return {"source": source, "list_ids": [list_id(api, name)], **more}


def test_people_leave_one_list_and_stay_on_the_others(api: Api) -> None:
    source = {"contact_ids": ids(api, "n0", "n3")}
    ended = api.ended(api.post(REMOVE, body(api, source)))
    wanted = {"items_total_count": 2, "items_completed_count": 2, "list_count": 1}
    assert (ended["state"], ended["status"]) == ("completed", wanted)
    assert members(api, "Newsletter") == ["n1", "n2"]
    assert members(api, "Events") == ["n0", "n1"]


def test_a_list_is_emptied_by_itself(api: Api) -> None:
    source = {"list_ids": [list_id(api, "Events")]}
    api.ended(api.post(REMOVE, body(api, source, "Events")))
    assert members(api, "Events") == []
    assert len(members(api, "Newsletter")) == 4


def test_the_people_are_the_sources_and_the_lists_are_the_targets(api: Api) -> None:
    api.ended(api.post(REMOVE, body(api, {"list_ids": [list_id(api, "Events")]})))
    assert members(api, "Newsletter") == ["n2", "n3"]
    assert members(api, "Events") == ["n0", "n1"]


def test_some_are_left_out(api: Api) -> None:
    source, exclude = {"all_active_contacts": True}, {"contact_ids": ids(api, "n2")}
    api.ended(api.post(REMOVE, body(api, source, exclude=exclude)))
    assert members(api, "Newsletter") == ["n2"]


def test_ids_of_nobody_are_passed_over(api: Api) -> None:
    source = {"contact_ids": [UNKNOWN, *ids(api, "n0")]}
    ended = api.ended(api.post(REMOVE, body(api, source)))
    assert ended["status"]["items_completed_count"] == 1


def test_another_accounts_contacts_are_nobody(api: Api) -> None:
    other = Api(api.sandbox, account=api.sandbox.control("accounts")[1]["account"])
    theirs = other.get("/contact_lists").json()["lists"][0]["list_id"]
    asked = {"source": {"contact_ids": ids(api, "n0")}, "list_ids": [theirs]}
    ended = other.ended(other.post(REMOVE, asked))
    assert ended["status"]["items_total_count"] == 0
    assert len(members(api, "Newsletter")) == 4


@pytest.mark.parametrize("path", [REMOVE, ADD])
@pytest.mark.parametrize(
    "source",
    [
        None,
        [],
        {},
        {"contact_ids": []},
        {"contact_ids": [UNKNOWN] * 501},
        {"contact_ids": ["not-an-id"]},
        {"contact_ids": "n0"},
        {"contact_ids": [UNKNOWN], "list_ids": [UNKNOWN]},
        {"list_ids": [UNKNOWN] * 51},
        {"email_addresses": ["n0@example.com"]},
        {"all_active_contacts": False},
        {"engagement_level": "keen"},
    ],
)
def test_a_source_that_makes_no_sense_is_a_400(api: Api, path: str, source: Any) -> None:
    refused = api.post(path, body(api, source))
    assert refused.status_code == 400
    assert refused.json()[0]["error_key"] == "contacts.api.validation.error"
    assert len(members(api, "Newsletter")) == 4


@pytest.mark.parametrize("lists", [None, [], [UNKNOWN], ["not-an-id"], [UNKNOWN] * 51])
def test_lists_that_make_no_sense_are_a_400(api: Api, lists: Any) -> None:
    asked = {"source": {"contact_ids": ids(api, "n0")}, "list_ids": lists}
    assert api.post(REMOVE, asked).status_code == 400


def test_only_some_sources_can_leave_people_out(api: Api) -> None:
    source, exclude = {"contact_ids": ids(api, "n0")}, {"contact_ids": ids(api, "n1")}
    assert api.post(REMOVE, body(api, source, exclude=exclude)).status_code == 400


def test_people_are_put_on_a_list_but_not_who_unsubscribed(api: Api) -> None:
    api.sandbox.control("unsubscribe", email="n2@example.com")
    source = {"contact_ids": ids(api, "n2", "n3")}
    ended = api.ended(api.post(ADD, body(api, source, "Events")))
    assert ended["status"]["items_completed_count"] == 1
    assert members(api, "Events") == ["n0", "n1", "n3"]


def test_people_are_deleted_by_id_or_by_list_softly(api: Api) -> None:
    delete = "/activities/contact_delete"
    api.ended(api.post(delete, {"contact_ids": ids(api, "n3")}))
    ended = api.ended(api.post(delete, {"list_ids": [list_id(api, "Events")]}))
    assert ended["status"]["items_completed_count"] == 2
    assert len(api.get("/contacts", status="deleted").json()["contacts"]) == 3
    both = {"contact_ids": ids(api, "n2"), "list_ids": [list_id(api, "Events")]}
    assert api.post(delete, both).status_code == 400
    assert api.post(delete, {}).status_code == 400


def exported(api: Api, **asked: Any) -> tuple[requests.Response, list[dict[str, str]]]:
    ended = api.ended(api.post(EXPORT, asked))
    file = api.ask("GET", f"{api.sandbox.url}{ended['_links']['results']['href']}")
    rows = list(csv.DictReader(file.text.splitlines()))
    assert ended["status"]["items_total_count"] == len(rows)
    return file, rows


def test_an_export_is_a_csv_of_a_list_with_the_fields_asked_for(api: Api) -> None:
    fields = ["email_address", "first_name"]
    file, rows = exported(api, list_ids=[list_id(api, "Events")], fields=fields)
    assert file.headers["Content-Type"].startswith("text/csv")
    wanted = [{"Email address": f"n{n}@example.com", "First name": ""} for n in range(2)]
    assert rows == wanted


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (None, {"n0", "n1", "n2"}),
        ("active", {"n0", "n1"}),
        ("unsubscribed", {"n2"}),
        ("removed", {"n3"}),
    ],
)
def test_an_export_holds_who_has_the_status(api: Api, status: str | None, names: set[str]) -> None:
    api.sandbox.control("unsubscribe", email="n2@example.com")
    api.sandbox.control("delete", email="n3@example.com")
    _, rows = exported(api, **({"status": status} if status else {}))
    assert {row["Email address"].partition("@")[0] for row in rows} == names


def test_a_file_is_linked_once_it_is_there(api: Api) -> None:
    api.sandbox.control("configure", activity_latency=0.3)
    started = api.post(EXPORT, {"contact_ids": ids(api, "n0")})
    assert "results" not in started.json()["_links"]
    assert api.ended(started)["_links"]["results"]["href"].startswith("/v3/contact_exports/")


def test_an_export_that_failed_has_no_file(api: Api) -> None:
    api.sandbox.control("fault", kind="activity_failed", count=1)
    ended = api.ended(api.post(EXPORT, {}))
    assert ended["state"] == "failed"
    assert "results" not in ended["_links"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"status": "asleep"}, 400),
        ({"fields": ["shoe_size"]}, 400),
        ({"fields": "email_address"}, 400),
        ({"contact_ids": [UNKNOWN] * 501}, 400),
        ({"list_ids": [UNKNOWN] * 51}, 400),
        ({"contact_ids": [UNKNOWN], "list_ids": [UNKNOWN]}, 400),
        ({"list_ids": [UNKNOWN]}, 404),
        ({"segment_id": 1}, 404),
    ],
)
def test_an_export_that_makes_no_sense_is_refused(
    api: Api, asked: dict[str, Any], status: int
) -> None:
    assert api.post(EXPORT, asked).status_code == status


def test_a_file_is_for_its_own_account_alone(api: Api) -> None:
    ended = api.ended(api.post(EXPORT, {}))
    other = Api(api.sandbox, account=api.sandbox.control("accounts")[1]["account"])
    file = other.ask("GET", f"{api.sandbox.url}{ended['_links']['results']['href']}")
    assert file.status_code == 404
