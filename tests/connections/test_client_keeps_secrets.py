"""Neither tokens nor addresses in messages, representations or the log."""

import logging
import traceback
from typing import Any

import pytest

from connections.constant_contact import errors
from connections.constant_contact.answers import Contact
from connections.constant_contact.client import Client
from tests.connections.factories import FixedToken, client_of
from tests.connections.odd_server import answer, odd_server

ADDRESSES = [
    "ann@example.com",
    "ann.o'neill+news@mail.example.co.uk",
    "ANN%40example.com",
    '"ann smith"@example.com',
    "josé@exämple.com",
]
BODY = b'{"import_data": [{"email": "ann@example.com"}], "list_ids": ["none"]}'


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("status", [400, 403, 404, 409, 500])
def test_a_message_that_quotes_an_address_is_quoted_without_it(address: str, status: int) -> None:
    said = f"Validation failed: Email already exists for {address}, see Bearer abc.def-ghi"
    body = f'[{{"error_key":"contacts.api.{address.replace(chr(34), "")}","error_message":'
    body += '"' + said.replace('"', '\\"') + '"}]'
    with (
        odd_server(answer(f"{status} Odd", body)) as server,
        pytest.raises(errors.ProviderError) as raised,
    ):
        Client(server.url, FixedToken("token")).create_list("A")
    shown = f"{raised.value} {raised.value!r} {raised.value.key}"
    assert "example.co" not in shown
    assert "exämple" not in shown
    assert "abc.def" not in shown
    assert "Validation failed" in shown


def test_a_token_in_a_message_is_left_out(sandbox: Any) -> None:
    token = sandbox.tokens()["access_token"]
    assert token[:30] not in errors.redacted(f"The token {token} has expired.")
    assert errors.redacted("Contact 0f0e0d0c-1234-11ee-8000-fa163e000000 exists.").endswith(
        "0f0e0d0c-1234-11ee-8000-fa163e000000 exists."
    )


def test_a_very_long_message_is_cut() -> None:
    assert len(errors.redacted("x" * 10_000 + "@" + "y " * 10_000)) <= errors.LONGEST_MESSAGE


def test_nothing_secret_is_logged_or_in_a_traceback(
    sandbox: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(sandbox, timeout=(2, 0.5))
    token = client._transport.token_provider.get()
    list(client.contacts(email="ann@example.com"))
    written = ""
    for kind in ("cut_after", "revoked", "server_error", "slow"):
        sandbox.control("fault", kind=kind, count=2, seconds=1)
        try:
            client.import_contacts(BODY)
        except errors.ProviderError:
            written += traceback.format_exc()
    assert "OutcomeUnknown" in written
    for secret in (token, token[:40], "ann@example.com", "ann%40example.com"):
        assert secret not in caplog.text
        assert secret not in written
        assert secret not in repr(client)


def test_a_contact_is_shown_without_who_it_is() -> None:
    contact = Contact.model_validate(
        {
            "contact_id": "1",
            "email_address": {"address": "ann@example.com"},
            "first_name": "Ann",
            "last_name": "O'Neill",
        }
    )
    assert "ann@" not in repr(contact)
    assert "Ann" not in repr(contact)
    assert contact.email_address is not None
    assert contact.email_address.address == "ann@example.com"
