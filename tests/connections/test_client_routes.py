"""The client against the sandbox: every route, as exports use it."""

import csv
import io
import json
import time
from typing import Any

import pytest
import requests

from connections.constant_contact import errors
from connections.constant_contact.answers import Activity
from connections.constant_contact.client import Client
from tests.connections.factories import client_of


def imported(sandbox: Any, client: Client, *addresses: str, list_name: str = "Newsletter") -> str:
    """Imports these addresses; returns the list's id once the activity has ended."""
    list_id = sandbox.lists()[list_name]
    rows = [{"email": address, "first_name": "Ann"} for address in addresses]
    body = json.dumps({"import_data": rows, "list_ids": [list_id]}).encode()
    assert ended(client, client.import_contacts(body)).state == "completed"
    return list_id


def ended(client: Client, activity: Activity) -> Activity:
    deadline = time.monotonic() + 10
    while not activity.has_ended:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        activity = client.activity(activity.activity_id)
    return activity


def rows_of(client: Client, activity: Activity) -> list[dict[str, str]]:
    with client.open_export(activity) as (header, file):
        lines = csv.reader(io.StringIO(file.read().decode(), newline=""))
        return [dict(zip(header, line, strict=True)) for line in lines]


def test_the_account_says_who_it_is(sandbox: Any) -> None:
    account = client_of(sandbox).account_summary()
    assert account.encoded_account_id == sandbox.control("accounts")[0]["account"]
    assert account.name == account.organization_name == "Harbour Books"
    assert account.contact_email == "olga@harbour-books.example"


def test_every_list_is_found_over_all_pages_with_its_members(sandbox: Any) -> None:
    list_id = sandbox.lists()["Newsletter"]
    sandbox.control("seed", contacts=[{"email": "ann@example.com"}], list_id=list_id)
    sandbox.control("add_lists", count=1_200)
    client = client_of(sandbox)
    found = list(client.lists())
    assert len({one.list_id for one in found}) == len(found) == 1_203
    assert client.requests == 3
    members = {one.list_id: one.membership_count for one in found}
    assert members.pop(list_id) == 1
    assert set(members.values()) == {0}


def test_a_list_is_made_once_and_found_by_its_id(sandbox: Any) -> None:
    client = client_of(sandbox)
    made = client.create_list("Gardeners", "Who likes plants")
    found = client.list(made.list_id)
    assert (found.name, found.description) == ("Gardeners", "Who likes plants")
    assert found.membership_count == 0
    with pytest.raises(errors.Conflict) as conflict:
        client.create_list("Gardeners")
    assert conflict.value.advice == "give_up"
    assert conflict.value.key == "contacts.api.conflict"


def test_a_list_id_cannot_lead_to_another_route(sandbox: Any) -> None:
    with pytest.raises(errors.NotFound):
        client_of(sandbox).list("../account/summary")


def test_custom_fields_are_found_over_all_pages(sandbox: Any) -> None:
    token = sandbox.tokens()["access_token"]
    for label in ("Shoe size", "Favourite colour"):
        requests.post(
            f"{sandbox.api_url}/contact_custom_fields",
            json={"label": label, "type": "string"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=5,
        ).raise_for_status()
    found = {one.label: one.name for one in client_of(sandbox).custom_fields()}
    assert (
        found.items() >= {"Shoe size": "Shoe_size", "Favourite colour": "Favourite_colour"}.items()
    )


def test_an_import_is_sent_as_it_is_and_counted(sandbox: Any) -> None:
    client = client_of(sandbox)
    body = json.dumps(
        {
            "import_data": [{"email": "ann@example.com", "first_name": "Zoë"}, {"email": "broken"}],
            "list_ids": [sandbox.lists()["Newsletter"]],
        },
        ensure_ascii=False,
    ).encode()
    activity = ended(client, client.import_contacts(body))
    assert (activity.state, activity.status.person_count) == ("completed", 2)
    assert activity.status.correctable_count == 1
    assert activity.created_at is not None
    assert activity.created_at.tzinfo is not None
    assert sandbox.control("contact", email="ann@example.com")["first_name"] == "Zoë"


def test_an_import_of_the_greatest_size_arrives_whole(sandbox: Any) -> None:
    client = client_of(sandbox)
    rows = [{"email": f"p{n}@example.com", "last_name": "x" * 50} for n in range(40_000)]
    body = json.dumps({"import_data": rows, "list_ids": [sandbox.lists()["Events"]]}).encode()
    assert 3_500_000 < len(body) < 4_000_000
    activity = ended(client, client.import_contacts(body))
    assert activity.status.person_count == 40_000
    assert sandbox.control("accounts")[0]["contacts"] == 40_000


def test_contacts_are_taken_off_a_list_and_stay_contacts(sandbox: Any) -> None:
    client = client_of(sandbox)
    list_id = imported(sandbox, client, "ann@example.com", "rob@example.com")
    ann = next(client.contacts(email="ann@example.com"))
    activity = client.remove_list_memberships([ann.contact_id], [list_id])
    assert ended(client, activity).status.items_completed_count == 1
    assert sandbox.control("members", list_id=list_id) == ["rob@example.com"]
    assert sandbox.control("contact", email="ann@example.com")["deleted"] is False


def test_an_export_of_contacts_is_read_as_it_arrives(sandbox: Any) -> None:
    list_id = sandbox.lists()["Newsletter"]
    people = [
        {
            "email": f"p{n}@example.com",
            "first_name": 'Quote " and, comma',
            "last_name": "Two\nlines",
        }
        for n in range(5_000)
    ]
    sandbox.control("seed", contacts=people, list_id=list_id)
    client = client_of(sandbox)
    fields = ["email_address", "first_name", "last_name"]
    activity = ended(client, client.export_contacts(list_ids=[list_id], fields=fields))
    rows = rows_of(client, activity)
    assert [row["email address"] for row in rows] == [person["email"] for person in people]
    assert rows[0]["first name"] == 'Quote " and, comma'
    assert rows[0]["last name"] == "Two\nlines"


def test_an_export_tells_the_unsubscribed_apart(sandbox: Any) -> None:
    sandbox.control(
        "seed",
        contacts=[
            {"email": "ann@example.com"},
            {"email": "gone@example.com", "permission": "unsubscribed"},
        ],
    )
    client = client_of(sandbox)
    activity = ended(client, client.export_contacts(status="unsubscribed"))
    assert [row["email address"] for row in rows_of(client, activity)] == ["gone@example.com"]


def test_an_export_without_rows_has_none(sandbox: Any) -> None:
    client = client_of(sandbox)
    activity = ended(client, client.export_contacts(list_ids=[sandbox.lists()["Events"]]))
    assert rows_of(client, activity) == []


def test_activities_come_newest_first(sandbox: Any) -> None:
    client = client_of(sandbox)
    started = [client.export_contacts().activity_id for _ in range(3)]
    assert [one.activity_id for one in client.activities()] == list(reversed(started))


def test_an_activity_of_more_than_ten_days_ago_is_not_found(sandbox: Any) -> None:
    client = client_of(sandbox)
    activity = client.export_contacts()
    sandbox.control("clock", offset=11 * 86_400)
    token = sandbox.tokens()["access_token"]
    client._transport.token_provider.tokens = [token]  # type: ignore[attr-defined]
    with pytest.raises(errors.NotFound):
        client.activity(activity.activity_id)
    assert list(client.activities()) == []


def test_contacts_are_filtered_and_paged(sandbox: Any) -> None:
    list_id = sandbox.lists()["Customers"]
    people = [{"email": f"p{n}@example.com"} for n in range(1_201)]
    sandbox.control("seed", contacts=people, list_id=list_id)
    sandbox.control("seed", contacts=[{"email": "with+plus@example.com", "last_name": "Plus"}])
    client = client_of(sandbox)
    found = list(client.contacts(lists=list_id, status="all", include="list_memberships"))
    assert len({one.contact_id for one in found}) == 1_201
    assert client.requests == 3
    assert all(one.list_memberships == [list_id] for one in found)
    plus = list(client.contacts(email="with+plus@example.com"))
    assert [one.last_name for one in plus] == ["Plus"]
    assert plus[0].email_address is not None
    assert plus[0].email_address.permission_to_send == "implicit"
    assert list(client.contacts(email="nobody@example.com")) == []


def test_requests_are_counted_and_told_without_what_was_asked(sandbox: Any) -> None:
    told: list[tuple[str, str, int]] = []
    client = client_of(sandbox, on_request=lambda *request: told.append(request[:3]))
    list(client.contacts(email="ann@example.com"))
    with pytest.raises(errors.NotFound):
        client.list("00000000-0000-0000-0000-000000000000")
    assert client.requests == 2
    assert told == [
        ("GET", "/contacts", 200),
        ("GET", "/contact_lists/00000000-0000-0000-0000-000000000000", 404),
    ]
