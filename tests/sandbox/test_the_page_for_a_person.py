"""The page: what arrived, and a person who unsubscribes or is deleted."""

import re
from html import unescape
from typing import Any

import pytest
import requests

from tests.sandbox.asking import Api, authorize_url

ADDRESSES = re.compile(r"<td>(p\d+@example\.com)</td>")


@pytest.fixture
def with_contacts(sandbox: Any) -> Any:
    Api(sandbox).imported(
        [{"email": f"p{n}@example.com", "first_name": "<b>Pat</b>"} for n in range(120)]
    )
    return sandbox


def account_url(sandbox: Any) -> str:
    return f"{sandbox.url}/accounts/{sandbox.control('accounts')[0]['account']}"


def list_url(sandbox: Any, name: str = "Newsletter") -> str:
    return f"{account_url(sandbox)}/lists/{sandbox.lists()[name]}"


def page(url: str, **query: Any) -> str:
    answer = requests.get(url, params=query, timeout=10)
    assert answer.status_code == 200
    return answer.text


def row_of(text: str, email: str) -> str:
    """The table's row of a contact."""
    return next(row for row in text.split("<tr>") if f"<td>{email}</td>" in row)


def pressed(url: str, action: str, email: str, **headers: str) -> requests.Response:
    form = {"action": action, "email": email}
    return requests.post(url, data=form, headers=headers, timeout=10)


def test_it_shows_lists_activities_requests_and_faults(with_contacts: Any) -> None:
    with_contacts.control("fault", kind="queue_full", count=3, route="json_import")
    text = page(with_contacts.url)
    for wanted in (
        "Harbour Books",
        "Newsletter",
        "120 contacts",
        "contacts json import",
        "completed",
        "POST /v3/activities/contacts_json_import",
        "queue full, 3 times, on <code>json_import</code>",
    ):
        assert wanted in text


def test_every_link_of_it_leads_somewhere(with_contacts: Any) -> None:
    links = set(re.findall(r'href="([^"]+)"', page(with_contacts.url)))
    assert len(links) > 6
    for link in links:
        assert requests.get(f"{with_contacts.url}{unescape(link)}", timeout=10).ok, link


def test_contacts_are_shown_in_parts_there_and_back(with_contacts: Any) -> None:
    url, seen, start = list_url(with_contacts), [], "0"
    while True:
        text = page(url, start=start)
        seen += ADDRESSES.findall(text)
        assert ("Previous" in text) is (start != "0")
        further = re.search(r'start=(\d+)">Next', text)
        if further is None:
            break
        start = further[1]
    assert seen == [f"p{n}@example.com" for n in range(120)]


def test_contacts_are_found_by_address_or_name_and_shown_as_text(with_contacts: Any) -> None:
    url = list_url(with_contacts)
    assert ADDRESSES.findall(page(url, q="P119@")) == ["p119@example.com"]
    text = page(url, q="<b>pat")
    assert len(ADDRESSES.findall(text)) == 50
    assert "&lt;b&gt;Pat" in text
    assert "<b>Pat" not in text
    assert 'value="&lt;b&gt;pat"' in text
    assert "Nobody is found." in page(url, q="nobody")
    assert "Nobody yet." in page(list_url(with_contacts, "Events"))


def test_one_contact_unsubscribes_and_leaves_the_list_but_not_the_account(
    with_contacts: Any,
) -> None:
    url = list_url(with_contacts)
    after = pressed(url, "unsubscribe", "p7@example.com")
    assert (after.status_code, after.url, after.history[0].status_code) == (200, url, 303)
    assert "p7@example.com" not in ADDRESSES.findall(after.text)
    row = row_of(page(account_url(with_contacts)), "p7@example.com")
    assert "unsubscribed" in row
    assert 'value="unsubscribe"' not in row
    assert 'value="delete"' in row
    known = Api(with_contacts).get("/contacts", status="unsubscribed").json()["contacts"]
    assert known[0]["email_address"]["opt_out_source"] == "Contact"
    assert with_contacts.control("contact", email="p8@example.com")["permission"] == "implicit"


def test_one_contact_is_deleted_and_shown_as_such(with_contacts: Any) -> None:
    after = pressed(account_url(with_contacts), "delete", "p7@example.com")
    row = row_of(after.text, "p7@example.com")
    assert "<td>deleted</td>" in row
    assert "<button" not in row
    api = Api(with_contacts)
    assert len(api.get("/contacts", status="deleted").json()["contacts"]) == 1
    assert api.get("/contacts", email="p7@example.com").json()["contacts"] == []


@pytest.mark.parametrize(
    ("action", "email"),
    [("promote", "p7@example.com"), ("delete", "nobody@example.com"), ("delete", "")],
)
def test_what_can_not_be_done_is_said(with_contacts: Any, action: str, email: str) -> None:
    answer = pressed(account_url(with_contacts), action, email)
    assert answer.status_code == 404
    assert "There is no such contact." in answer.text


def test_another_site_can_not_press_its_buttons(with_contacts: Any) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (
        pressed(account_url(with_contacts), "delete", "p7@example.com", **headers).status_code
        == 403
    )
    assert with_contacts.control("contact", email="p7@example.com")["deleted"] is False


@pytest.mark.parametrize("path", ["/accounts/x", "/accounts/x/lists/y", "/nothing"])
def test_what_is_not_there_is_a_404(sandbox: Any, path: str) -> None:
    assert requests.get(f"{sandbox.url}{path}", timeout=10).status_code == 404


def test_pages_run_no_script_and_are_in_no_frame(sandbox: Any) -> None:
    for url in (sandbox.url, account_url(sandbox), authorize_url(sandbox)):
        answer = requests.get(url, timeout=10)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in answer.text
        assert " style=" not in answer.text
    assert "form-action 'self' http://localhost:9" in policy


def test_the_page_to_allow_lets_a_person_choose_whom_to_be(sandbox: Any) -> None:
    text = page(authorize_url(sandbox, scope="contact_data offline_access"))
    for account in sandbox.control("accounts"):
        for user in account["users"]:
            assert f'value="{user}"' in text
    assert "See and change contacts" in text
    assert "Keep access while you are away" in text
    assert "See the account" not in text
    assert re.findall(r'name="answer" value="(\w+)"', text) == ["allow", "deny"]
