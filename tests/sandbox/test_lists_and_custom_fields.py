"""Contact lists and custom fields: paged, unique by name, within the account's limits."""

from typing import Any

import pytest

from tests.sandbox.asking import Api


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def all_of(api: Api, path: str, name: str, **query: Any) -> list[dict[str, Any]]:
    """Every page, by its link."""
    found: list[dict[str, Any]] = []
    page = api.get(path, **query).json()
    while True:
        found += page[name]
        href = page.get("_links", {}).get("next", {}).get("href")
        if href is None:
            return found
        assert href.startswith(f"/v3{path}?")
        page = api.ask("GET", f"{api.sandbox.url}{href}").json()


@pytest.mark.parametrize("limit", [7, 40, 123, 1_000])
def test_pages_hold_every_list_once(api: Api, limit: int) -> None:
    api.sandbox.control("add_lists", count=120)
    found = all_of(api, "/contact_lists", "lists", limit=limit)
    assert len({one["list_id"] for one in found}) == len(found) == 123


def test_a_page_holds_fifty_unless_asked_otherwise_and_links_on_only_when_there_is_more(
    api: Api,
) -> None:
    api.sandbox.control("add_lists", count=47)
    page = api.get("/contact_lists").json()
    assert len(page["lists"]) == 50
    assert "_links" not in page
    assert "lists_count" not in page


def test_the_link_repeats_what_was_asked(api: Api) -> None:
    api.sandbox.control("add_lists", count=5)
    query = {"limit": 3, "include_membership_count": "all", "include_count": "true"}
    first = api.get("/contact_lists", **query).json()
    second = api.ask("GET", f"{api.sandbox.url}{first['_links']['next']['href']}").json()
    assert second["lists_count"] == first["lists_count"] == 8
    assert all("membership_count" in one for one in second["lists"])


def test_a_new_list_answers_with_itself(api: Api) -> None:
    asked = {"name": "Readers", "description": "Who reads", "favorite": True}
    made = api.post("/contact_lists", asked)
    assert made.status_code == 201
    assert made.json().items() >= asked.items()
    assert "membership_count" not in made.json()
    assert "deleted_at" not in made.json()
    assert api.get(f"/contact_lists/{made.json()['list_id']}").json() == made.json()


def test_a_name_is_taken_however_it_is_written(api: Api) -> None:
    for name in ("Newsletter", "NEWSLETTER"):
        refused = api.post("/contact_lists", {"name": name})
        assert refused.status_code == 409
        assert refused.json()[0]["error_key"] == "contacts.api.conflict"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": 7},
        {"name": "x" * 256},
        {"name": "Ok", "description": "x" * 256},
        {"name": "Ok", "favorite": "yes"},
    ],
)
def test_a_list_that_makes_no_sense_is_not_made(api: Api, body: dict[str, Any]) -> None:
    refused = api.post("/contact_lists", body)
    assert refused.status_code == 400
    assert refused.json()[0]["error_key"] == "contacts.api.validation.error"
    assert len(api.sandbox.lists()) == 3


def test_the_longest_name_is_taken(api: Api) -> None:
    assert api.post("/contact_lists", {"name": "x" * 255}).status_code == 201


def test_an_account_has_a_thousand_lists_at_most(api: Api) -> None:
    api.sandbox.control("add_lists", count=996)
    assert api.post("/contact_lists", {"name": "The thousandth"}).status_code == 201
    assert api.post("/contact_lists", {"name": "One more"}).status_code == 400


def test_a_list_is_found_by_its_name(api: Api) -> None:
    (found,) = api.get("/contact_lists", name="Events").json()["lists"]
    assert found["list_id"] == api.sandbox.lists()["Events"]
    assert api.get("/contact_lists", name="Event").json()["lists"] == []


def test_members_are_counted_all_or_those_who_get_mail(api: Api) -> None:
    newsletter = api.sandbox.lists()["Newsletter"]
    api.imported([{"email": f"p{n}@example.com"} for n in range(5)])
    api.sandbox.control("hold", email="p0@example.com")
    api.sandbox.control("unsubscribe", email="p1@example.com")
    for which, count in (("all", 4), ("active", 3)):
        path = f"/contact_lists/{newsletter}"
        one = api.get(path, include_membership_count=which).json()
        assert one["membership_count"] == count


def test_a_list_is_changed_as_a_whole(api: Api) -> None:
    made = api.post("/contact_lists", {"name": "Old", "description": "Told"}).json()
    path = f"/contact_lists/{made['list_id']}"
    changed = api.ask("PUT", path, json={"name": "New"}).json()
    assert (changed["name"], changed["description"]) == ("New", "")
    assert api.ask("PUT", path, json={"name": "Events"}).status_code == 409
    assert api.ask("PUT", path, json={"name": "new"}).status_code == 200


def test_a_deleted_list_goes_by_an_activity_and_its_people_stay(api: Api) -> None:
    api.imported([{"email": "a@example.com"}], "Events")
    events = api.sandbox.lists()["Events"]
    gone = api.ask("DELETE", f"/contact_lists/{events}")
    assert gone.status_code == 202
    activity = gone.json()
    assert gone.headers["Location"] == activity["_links"]["self"]["href"]
    assert (activity["state"], activity["percent_done"]) == ("initialized", 1)
    assert activity["status"] == {"list_count": 1}
    assert activity["activity_errors"] == []
    assert api.get(f"/contact_lists/{events}").status_code == 404
    (shown,) = api.get("/contact_lists", status="deleted").json()["lists"]
    assert shown["deleted_at"]
    assert len(api.get("/contact_lists", status="all").json()["lists"]) == 3
    assert api.sandbox.control("contact", email="a@example.com")["deleted"] is False
    assert api.post("/contact_lists", {"name": "Events"}).status_code == 201


def test_a_custom_fields_name_is_its_label_with_underscores(api: Api) -> None:
    made = api.post("/contact_custom_fields", {"label": "Size of shoe", "type": "string"})
    assert made.status_code == 201
    field = made.json()
    assert (field["label"], field["name"]) == ("Size of shoe", "Size_of_shoe")
    assert api.get(f"/contact_custom_fields/{field['custom_field_id']}").json() == field


@pytest.mark.parametrize(
    "kind", ["string", "date", "datetime", "number", "boolean", "currency", "text_area"]
)
def test_every_type_is_known(api: Api, kind: str) -> None:
    made = api.post("/contact_custom_fields", {"label": "Any", "type": kind})
    assert made.json()["type"] == kind


def test_choices_are_numbered(api: Api) -> None:
    asked = {
        "label": "Colour",
        "type": "single_select",
        "choices": [{"choice_label": "Red"}, {"choice_label": "Blue"}],
    }
    made = api.post("/contact_custom_fields", asked).json()
    assert [one["choice_id"] for one in made["choices"]] == [1, 2]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "string"}, 400),
        ({"label": "x" * 51, "type": "string"}, 400),
        ({"label": "Any"}, 400),
        ({"label": "Any", "type": "picture"}, 400),
        ({"label": "Any", "type": "multi_select"}, 400),
        ({"label": "occupation", "type": "string"}, 409),
        ({"label": "Member_since", "type": "date"}, 409),
    ],
)
def test_a_custom_field_that_makes_no_sense_is_not_made(
    api: Api, body: dict[str, Any], status: int
) -> None:
    assert api.post("/contact_custom_fields", body).status_code == status
    assert len(api.get("/contact_custom_fields").json()["custom_fields"]) == 2


def test_an_account_has_a_hundred_custom_fields_at_most_and_pages_them(api: Api) -> None:
    for number in range(98):
        made = api.post("/contact_custom_fields", {"label": f"F{number}", "type": "string"})
        assert made.status_code == 201
    refused = api.post("/contact_custom_fields", {"label": "One more", "type": "string"})
    assert refused.status_code == 400
    found = all_of(api, "/contact_custom_fields", "custom_fields", limit=30)
    assert len({one["custom_field_id"] for one in found}) == len(found) == 100


def test_a_deleted_custom_field_takes_its_values_with_it(api: Api) -> None:
    api.imported([{"email": "a@example.com", "cf:Occupation": "Clerk"}])
    fields = api.get("/contact_custom_fields").json()["custom_fields"]
    occupation = next(one for one in fields if one["name"] == "Occupation")
    path = f"/contact_custom_fields/{occupation['custom_field_id']}"
    assert api.ask("DELETE", path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.sandbox.control("contact", email="a@example.com")["more"] == {}
