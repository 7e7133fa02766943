"""The page: what arrived, and a person who unsubscribes or is deleted."""

from typing import Any

import pytest
import requests

from tests.sandbox.asking import Api


@pytest.fixture
def with_contacts(sandbox: Any) -> Any:
    Api(sandbox).imported(
        [{"email": f"p{n}@example.com", "first_name": "<b>Pat</b>"} for n in range(120)]
    )
    return sandbox


def account_url(sandbox: Any) -> str:
    return f"{sandbox.url}/accounts/{sandbox.control('accounts')[0]['account']}"


def test_it_shows_lists_activities_and_requests(with_contacts: Any) -> None:
    page = requests.get(with_contacts.url, timeout=10).text
    for text in ("Harbour Books", "Newsletter", "120", "contacts json import", "completed"):
        assert text in page


def test_contacts_are_shown_in_parts_and_found(with_contacts: Any) -> None:
    list_id = with_contacts.lists()["Newsletter"]
    url = f"{account_url(with_contacts)}/lists/{list_id}"
    first = requests.get(url, timeout=10).text
    assert "Next" in first
    assert "&lt;b&gt;Pat" in first
    assert "<b>Pat" not in first
    found = requests.get(url, params={"q": "p119@"}, timeout=10).text
    assert "p119@example.com" in found
    assert "p118@example.com" not in found


@pytest.mark.parametrize("action", ["unsubscribe", "delete"])
def test_one_contact_unsubscribes_or_is_deleted(with_contacts: Any, action: str) -> None:
    answer = requests.post(
        account_url(with_contacts),
        data={"action": action, "email": "p7@example.com"},
        timeout=10,
    )
    assert answer.status_code == 200
    known = with_contacts.control("contact", email="p7@example.com")
    assert known["deleted"] if action == "delete" else known["permission"] == "unsubscribed"
    assert with_contacts.control("contact", email="p8@example.com")["permission"] == "implicit"
