"""Contacts one by one: found by every filter, made, changed, unsubscribed, deleted, revived."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.asking import Api

CONFLICT = re.compile(
    r"Validation failed: Email already exists for contact ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-\w{12})"
)
DAY = 86_400


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def addresses(api: Api, **query: Any) -> list[str]:
    """Of every page."""
    page = api.get("/contacts", **query).json()
    found = []
    while True:
        found += [one["email_address"]["address"] for one in page["contacts"]]
        href = page.get("_links", {}).get("next", {}).get("href")
        if href is None:
            return found
        page = api.ask("GET", f"{api.sandbox.url}{href}").json()


def contact(api: Api, email: str) -> dict[str, Any]:
    query = {"email": email, "status": "all", "include": "list_memberships,custom_fields"}
    (found,) = api.get("/contacts", **query).json()["contacts"]
    return dict(found)


def imported(api: Api, *names: str) -> None:
    api.imported([{"email": f"{name}@example.com"} for name in names])


def path_of(api: Api, email: str) -> str:
    return f"/contacts/{contact(api, email)['contact_id']}"


def test_an_unknown_address_is_an_empty_list(api: Api) -> None:
    answer = api.get("/contacts", email="nobody@example.com")
    assert (answer.status_code, answer.json()["contacts"]) == (200, [])


def test_an_address_is_found_in_any_case_and_with_a_plus(api: Api) -> None:
    api.imported([{"email": "Pat+News@Example.com"}])
    found = contact(api, "pat+news@example.com")
    assert found["email_address"]["address"] == "Pat+News@Example.com"


def test_who_is_deleted_is_shown_only_when_asked_for(api: Api) -> None:
    imported(api, "stays", "left", "gone")
    api.sandbox.control("unsubscribe", email="left@example.com")
    api.sandbox.control("delete", email="gone@example.com")
    everyone = {"stays@example.com", "left@example.com", "gone@example.com"}
    assert set(addresses(api)) == everyone - {"gone@example.com"}
    assert set(addresses(api, status="all")) == everyone
    assert addresses(api, status="deleted") == ["gone@example.com"]
    assert addresses(api, status="unsubscribed") == ["left@example.com"]
    assert addresses(api, status="active") == ["stays@example.com"]
    assert set(addresses(api, status="active,deleted")) == {"stays@example.com", "gone@example.com"}


@pytest.mark.parametrize("limit", [1, 4, 10, 500])
def test_pages_of_a_list_hold_each_of_its_contacts_once(api: Api, limit: int) -> None:
    imported(api, *(f"n{number}" for number in range(10)))
    api.imported([{"email": "other@example.com"}], "Events")
    found = addresses(api, lists=api.sandbox.lists()["Newsletter"], limit=limit)
    assert sorted(found) == sorted(f"n{number}@example.com" for number in range(10))


def test_who_changes_between_pages_shifts_nobody(api: Api) -> None:
    imported(api, *(f"n{number}" for number in range(6)))
    query = {"lists": api.sandbox.lists()["Newsletter"], "limit": 3}
    page = api.get("/contacts", **query).json()
    api.sandbox.control("unsubscribe", email="n0@example.com")
    rest = api.ask("GET", f"{api.sandbox.url}{page['_links']['next']['href']}").json()
    found = [one["email_address"]["address"] for one in rest["contacts"]]
    assert found == ["n3@example.com", "n4@example.com", "n5@example.com"]


def test_opt_outs_and_changes_are_found_by_when_they_were(api: Api) -> None:
    imported(api, "early", "late", "never")
    api.sandbox.control("unsubscribe", email="early@example.com")
    api.sandbox.control("clock", offset=2 * DAY)
    api = Api(api.sandbox)
    api.sandbox.control("unsubscribe", email="late@example.com")
    between = datetime.fromtimestamp(datetime.now(UTC).timestamp() + DAY, UTC).isoformat()
    assert addresses(api, optout_after=between) == ["late@example.com"]
    assert addresses(api, optout_before=between) == ["early@example.com"]
    assert addresses(api, updated_after=between) == ["late@example.com"]
    assert len(addresses(api, created_before=between)) == 3
    assert addresses(api, status="unsubscribed", optout_after=between) == ["late@example.com"]


def test_parts_are_told_only_when_included(api: Api) -> None:
    row = {"email": "a@example.com", "cf:Occupation": "Clerk", "phone": "1", "city": "Salem"}
    api.imported([row | {"street": "1 Pier", "street2": "Top"}])
    plain = api.get("/contacts").json()["contacts"][0]
    parts = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes"
    full = api.get("/contacts", include=parts).json()["contacts"][0]
    assert set(full) - set(plain) == set(parts.split(","))
    assert full["custom_fields"][0]["value"] == "Clerk"
    assert full["list_memberships"] == [api.sandbox.lists()["Newsletter"]]
    assert full["phone_numbers"] == [{"phone_number": "1", "kind": "other"}]
    assert full["street_addresses"] == [{"kind": "home", "street": "1 Pier Top", "city": "Salem"}]


def test_contacts_are_counted_when_asked(api: Api) -> None:
    imported(api, "a", "b", "c")
    api.sandbox.control("unsubscribe", email="a@example.com")
    page = api.get("/contacts", limit=1, include_count="true").json()
    assert (len(page["contacts"]), page["contacts_count"]) == (1, 3)
    counts = api.get("/contacts/counts", include="new_subscriber").json()
    assert (counts["total"], counts["implicit"], counts["unsubscribed"]) == (3, 2, 1)
    assert counts["new_subscriber"] == 2


def test_an_address_is_taken_even_by_who_is_deleted(api: Api) -> None:
    imported(api, "gone")
    api.sandbox.control("delete", email="gone@example.com")
    body = {"create_source": "Account", "email_address": {"address": "GONE@example.com"}}
    refused = api.post("/contacts", body)
    assert refused.status_code == 409
    (error,) = refused.json()
    assert error["error_key"] == "contacts.api.conflict"
    (there,) = CONFLICT.findall(error["error_message"])
    assert there == contact(api, "gone@example.com")["contact_id"]


def test_a_contact_is_made_by_a_name_alone_and_by_nothing_not(api: Api) -> None:
    made = api.post("/contacts", {"create_source": "Account", "first_name": "Pat"})
    assert made.status_code == 201
    assert "email_address" not in made.json()
    assert api.post("/contacts", {"create_source": "Account"}).status_code == 400


@pytest.mark.parametrize(("length", "status"), [(80, 201), (81, 400)])
def test_an_address_has_eighty_characters_at_most(api: Api, length: int, status: int) -> None:
    address = "x" * (length - len("@example.com")) + "@example.com"
    body = {"create_source": "Account", "email_address": {"address": address}}
    assert api.post("/contacts", body).status_code == status


def test_a_change_empties_what_it_leaves_out_but_keeps_parts(api: Api) -> None:
    api.imported([{"email": "a@example.com", "first_name": "Pat", "cf:Occupation": "Clerk"}])
    body = {"update_source": "Account", "email_address": {"address": "a@example.com"}}
    assert api.ask("PUT", path_of(api, "a@example.com"), json=body).status_code == 200
    known = contact(api, "a@example.com")
    assert "first_name" not in known
    assert known["custom_fields"][0]["value"] == "Clerk"
    assert known["list_memberships"]


def test_an_unknown_custom_field_of_a_contact_is_a_400(api: Api) -> None:
    asked = {"create_source": "Account", "first_name": "Pat"}
    asked["custom_fields"] = [{"custom_field_id": api.sandbox.lists()["Events"], "value": "x"}]
    refused = api.post("/contacts", asked)
    assert refused.json()[0]["error_key"] == "contacts.api.validation.error"


def test_who_is_unsubscribed_leaves_every_list_and_who_did_it_is_told(api: Api) -> None:
    imported(api, "a")
    body = {
        "update_source": "Account",
        "email_address": {"address": "a@example.com", "permission_to_send": "unsubscribed"},
    }
    assert api.ask("PUT", path_of(api, "a@example.com"), json=body).status_code == 200
    known = contact(api, "a@example.com")
    assert known["email_address"]["permission_to_send"] == "unsubscribed"
    assert known["email_address"]["opt_out_source"] == "Account"
    assert known["email_address"]["opt_out_date"]
    assert known["list_memberships"] == []


@pytest.mark.parametrize(("by", "status"), [("Account", 200), ("Contact", 400)])
def test_only_the_person_undoes_what_the_person_did(api: Api, by: str, status: int) -> None:
    imported(api, "a")
    api.sandbox.control("unsubscribe", email="a@example.com", by=by)
    body = {
        "update_source": "Account",
        "email_address": {"address": "a@example.com", "permission_to_send": "implicit"},
        "list_memberships": [api.sandbox.lists()["Events"]],
    }
    path = path_of(api, "a@example.com")
    assert api.ask("PUT", path, json=body).status_code == status
    wanted = [api.sandbox.lists()["Events"]] if status == 200 else []
    assert contact(api, "a@example.com")["list_memberships"] == wanted


def test_an_unsubscribed_contact_is_not_put_on_a_list(api: Api) -> None:
    imported(api, "a")
    api.sandbox.control("unsubscribe", email="a@example.com")
    body = {
        "update_source": "Account",
        "email_address": {"address": "a@example.com"},
        "list_memberships": [api.sandbox.lists()["Events"]],
    }
    assert api.ask("PUT", path_of(api, "a@example.com"), json=body).status_code == 400


def test_a_deletion_is_soft_and_a_list_revives(api: Api) -> None:
    imported(api, "a")
    path = path_of(api, "a@example.com")
    assert api.ask("DELETE", path).status_code == 204
    known = contact(api, "a@example.com")
    assert known["deleted_at"]
    assert known["list_memberships"] == []
    body = {
        "update_source": "Account",
        "email_address": {"address": "a@example.com"},
        "list_memberships": [api.sandbox.lists()["Events"]],
    }
    assert "deleted_at" not in api.ask("PUT", path, json=body).json()
    assert addresses(api) == ["a@example.com"]
