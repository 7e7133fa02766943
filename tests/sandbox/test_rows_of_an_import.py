"""Each row of a JSON import: which field takes what, which counter a bad one goes to."""

from typing import Any

import pytest

from tests.sandbox.asking import Api

PATH = "/activities/contacts_json_import"
PARTS = {"street": 255, "street2": 255, "city": 50, "state": 50, "zip": 50, "country": 50}
MOST = {
    "first_name": 50,
    "last_name": 50,
    "job_title": 50,
    "company_name": 50,
    "phone": 50,
    "home_phone": 50,
    "work_phone": 50,
    "mobile_phone": 50,
    "other_phone": 50,
    "cf:Occupation": 255,
    **{
        f"{kind}{part}": most
        for kind in ("", "home_", "work_", "other_")
        for part, most in PARTS.items()
    },
}


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def counters(api: Api, *rows: Any) -> tuple[int, int, int]:
    """Errors, correctable ones, and how many are on the list afterwards."""
    status = api.imported(list(rows))["status"]
    assert status["person_count"] == len(rows)
    assert status["items_total_count"] == len(rows) + 1
    members = api.sandbox.control("members", list_id=api.sandbox.lists()["Newsletter"])
    return status["error_count"], status["correctable_count"], len(members)


def kept(api: Api, **values: Any) -> dict[str, Any]:
    """What the sandbox then knows of a contact with these values, besides names."""
    api.imported([{"email": "a@example.com", **values}])
    return dict(api.sandbox.control("contact", email="a@example.com")["more"])


@pytest.mark.parametrize("name", MOST)
def test_a_field_takes_its_length_and_one_more_is_an_error(api: Api, name: str) -> None:
    fits = {"email": "fits@example.com", name: "x" * MOST[name]}
    exceeds = {"email": "exceeds@example.com", name: "x" * (MOST[name] + 1)}
    assert counters(api, fits, exceeds) == (1, 0, 1)
    known = api.sandbox.control("contact", email="fits@example.com")
    assert {**known, **known["more"]}[name] == "x" * MOST[name]
    assert api.sandbox.control("contact", email="exceeds@example.com") is None


@pytest.mark.parametrize("value", [7, True, ["x"], {"x": "y"}, 1.5])
@pytest.mark.parametrize("name", ["first_name", "phone", "cf:Occupation"])
def test_a_value_that_is_no_text_is_an_error(api: Api, name: str, value: Any) -> None:
    assert counters(api, {"email": "a@example.com", name: value}) == (1, 0, 0)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "no-at.example.com",
        "two@@example.com",
        "a@b@example.com",
        "blank in@example.com",
        "comma,in@example.com",
        "a(b)@example.com",
        "a[b]@example.com",
        "a@example",
        "a@.com",
        "a@example..com",
        "a@example.c",
        "@example.com",
        "a@example.com\n",
        7,
        None,
    ],
)
def test_a_bad_address_is_correctable(api: Api, email: Any) -> None:
    row = {"email": email, "first_name": "A", "last_name": "B"}
    assert counters(api, row, {**row, "email": "good@example.com"}) == (0, 1, 1)


@pytest.mark.parametrize(
    "email", ["o'hara@example.com", "a+b@example.co.uk", "jürgen@exämple.de", "x_1-2@a-b.example"]
)
def test_an_odd_but_good_address_is_taken(api: Api, email: str) -> None:
    assert counters(api, {"email": email}) == (0, 0, 1)


@pytest.mark.parametrize(("length", "taken"), [(51, 1), (80, 1), (81, 0)])
def test_an_address_has_eighty_characters_at_most(api: Api, length: int, taken: int) -> None:
    email = "x" * (length - len("@example.com")) + "@example.com"
    assert counters(api, {"email": email}) == (0, 1 - taken, taken)


@pytest.mark.parametrize(
    "date",
    [
        "12/31/2024",
        "1/2/2024",
        "2024/12/31",
        "2024/1/2",
        "2024-12-31",
        "2024-1-2",
        "1-2-2024",
        "1-22-2024",
    ],
)
def test_every_documented_form_of_a_date_is_taken(api: Api, date: str) -> None:
    assert kept(api, anniversary=date) == {"anniversary": date}


@pytest.mark.parametrize(
    "date", ["31/12/2024", "2024-02-30", "12-31-2024", "31.12.2024", "2024-1/2", "soon", ""]
)
def test_another_form_or_a_day_that_is_none_is_correctable(api: Api, date: str) -> None:
    assert counters(api, {"email": "a@example.com", "anniversary": date}) == (0, 1, 0)


@pytest.mark.parametrize(
    ("birthday", "taken"),
    [
        ({"birthday_month": 2, "birthday_day": 29}, True),
        ({"birthday_month": 2}, False),
        ({"birthday_day": 2}, False),
        ({"birthday_month": 13, "birthday_day": 1}, False),
        ({"birthday_month": 1, "birthday_day": 32}, False),
        ({"birthday_month": "2", "birthday_day": "3"}, False),
    ],
)
def test_a_birthday_is_two_numbers_or_none(
    api: Api, birthday: dict[str, Any], *, taken: bool
) -> None:
    row = {"email": "a@example.com", **birthday}
    assert counters(api, row) == (0, int(not taken), int(taken))


def test_a_row_of_another_kind_is_an_error_and_an_empty_one_correctable(api: Api) -> None:
    assert counters(api, "text", None, ["a@example.com"], {}, {"first_name": "A"}) == (3, 2, 0)


def test_what_is_null_or_not_sent_stays_as_it_was(api: Api) -> None:
    kept(api, first_name="Pat", phone="1", **{"cf:Occupation": "Clerk"})
    assert kept(api, first_name=None, phone=None, city="Salem") == {
        "phone": "1",
        "cf:Occupation": "Clerk",
        "city": "Salem",
    }
    assert api.sandbox.control("contact", email="a@example.com")["first_name"] == "Pat"


def test_the_country_goes_by_either_spelling_and_unknown_properties_vanish(api: Api) -> None:
    assert kept(api, **{"home country": "US", "shoe": "7"}) == {"home_country": "US"}


def test_a_custom_field_goes_by_its_name_and_not_by_its_label_or_id(api: Api) -> None:
    fields = api.get("/contact_custom_fields").json()["custom_fields"]
    since = next(one for one in fields if one["label"] == "Member since")
    values = {f"cf:{since[part]}": part for part in ("label", "name", "custom_field_id")}
    assert kept(api, **values) == {"cf:Member_since": "name"}


@pytest.mark.parametrize(("count", "errors"), [(50, 0), (51, 1)])
def test_a_row_has_fifty_custom_fields_at_most(api: Api, count: int, errors: int) -> None:
    values = {f"cf:F{number}": "x" for number in range(count)}
    assert counters(api, {"email": "a@example.com", **values})[0] == errors


@pytest.mark.parametrize("more", [{}, {"phone": "1"}])
def test_twice_in_one_import_is_one_contact_the_last_wins_the_first_writes_the_address(
    api: Api, more: dict[str, str]
) -> None:
    names = {"last_name": "L", **more}
    first = {"email": "Pat@Example.com", "first_name": "One", **names}
    second = {"email": "pat@example.COM", "first_name": "Two", **names}
    assert counters(api, first, second) == (0, 0, 1)
    known = api.sandbox.control("contact", email="PAT@example.com")
    assert (known["email"], known["first_name"]) == ("Pat@Example.com", "Two")


def test_lists_are_added_and_never_taken_away(api: Api) -> None:
    api.imported([{"email": "a@example.com"}])
    api.imported([{"email": "a@example.com"}], "Events")
    lists = api.sandbox.lists()
    wanted = sorted([lists["Newsletter"], lists["Events"]])
    assert api.sandbox.control("contact", email="a@example.com")["lists"] == wanted


def test_a_contact_is_on_fifty_lists_at_most(api: Api) -> None:
    api.sandbox.control("add_lists", count=50)
    ids = [one for name, one in api.sandbox.lists().items() if name.startswith("List ")]
    rows = [{"email": "a@example.com"}]
    filled = api.ended(api.post(PATH, {"import_data": rows, "list_ids": ids}))
    assert filled["status"]["cannot_add_to_list_count"] == 0
    assert api.imported(rows)["status"]["cannot_add_to_list_count"] == 1
    too_many = [*ids, api.sandbox.lists()["Events"]]
    assert api.post(PATH, {"import_data": rows, "list_ids": too_many}).status_code == 400


@pytest.mark.parametrize("state", ["unsubscribe", "hold"])
@pytest.mark.parametrize("more", [{}, {"phone": "1"}])
def test_who_gets_no_mail_is_counted_updated_and_keeps_the_permission(
    api: Api, state: str, more: dict[str, str]
) -> None:
    row = {"email": "a@example.com", "first_name": "Old", "last_name": "L", **more}
    api.imported([row])
    api.sandbox.control(state, email="a@example.com")
    ended = api.imported([row | {"first_name": "New"}], "Events")
    assert ended["state"] == "completed"
    assert ended["status"]["cannot_add_to_list_count"] == 1
    known = api.sandbox.control("contact", email="a@example.com")
    assert known["first_name"] == "New"
    assert known["permission"] == {"unsubscribe": "unsubscribed", "hold": "temp_hold"}[state]
    assert api.sandbox.lists()["Events"] not in known["lists"]


@pytest.mark.parametrize("more", [{}, {"phone": "1"}])
def test_who_was_deleted_comes_back(api: Api, more: dict[str, str]) -> None:
    row = {"email": "a@example.com", "first_name": "A", "last_name": "B", **more}
    api.imported([row])
    api.sandbox.control("delete", email="a@example.com")
    assert api.imported([row])["status"]["cannot_add_to_list_count"] == 0
    known = api.sandbox.control("contact", email="a@example.com")
    assert (known["deleted"], known["lists"]) == (False, [api.sandbox.lists()["Newsletter"]])
