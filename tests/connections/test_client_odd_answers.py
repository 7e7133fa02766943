"""The client against answers that no document promises and gateways give all the same."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from connections.constant_contact import errors
from connections.constant_contact.answers import Activity, Contact
from connections.constant_contact.client import Client
from tests.connections.factories import FixedToken
from tests.connections.odd_server import answer, odd_server

ITEM = {"activity_id": "1"}


def client_for(server: Any, **how: Any) -> Client:
    return Client(server.url, FixedToken("token"), **{"timeout": (2, 2), **how})


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('[{"error_key":"contacts.api.x","error_message":"Wrong"}]', "contacts.api.x"),
        ('{"error_key":"contacts.api.x","error_message":"Wrong"}', "contacts.api.x"),
        ('{"error":"invalid_request","error_description":"Wrong"}', "invalid_request"),
        ('{"message":"Wrong"}', ""),
        ("<html><body>Wrong</body></html>", ""),
        ("", ""),
        ("[]", ""),
        ("[[]]", ""),
        ('"Wrong"', ""),
        ("null", ""),
        ('{"error_message": ["Wrong"]}', ""),
    ],
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.InvalidRequest),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (415, errors.InvalidRequest),
        (429, errors.Throttled),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
        (504, errors.OutcomeUnknown),
        (408, errors.Unavailable),
    ],
)
def test_every_shape_of_error_becomes_the_exception_of_its_status(
    status: int, kind: type[errors.ProviderError], body: str, key: str
) -> None:
    with (
        odd_server(answer(f"{status} Odd", body)) as server,
        pytest.raises(errors.ProviderError) as raised,
    ):
        client_for(server).import_contacts(b"{}")
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.key) == (status, key)
    assert ("Wrong" in str(raised.value)) == (
        "Wrong" in body and body.startswith(("{", "[{")) and status not in (429,)
    )


def test_an_ended_grant_asks_for_sign_in_whatever_the_status() -> None:
    with (
        odd_server(answer("400 Bad", '{"error":"invalid_grant"}')) as server,
        pytest.raises(errors.SignInAgain),
    ):
        client_for(server).create_list("A")


def test_a_full_queue_is_known_by_its_words_too() -> None:
    body = '[{"error_key":"x","error_message":"Too many queued Activities"}]'
    with odd_server(answer("429 Odd", body)) as server, pytest.raises(errors.QueueFull):
        client_for(server).create_list("A")


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("12", 12, 12),
        ("1.5", 1.5, 1.5),
        (timedelta(minutes=9), 500, 540),
        (timedelta(minutes=-9), 0, 0),
        ("soon", None, None),
        ("-4", None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    header: str | timedelta, least: float | None, most: float | None
) -> None:
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    with (
        odd_server(answer("503 Busy", retry_after=header)) as server,
        pytest.raises(errors.Unavailable) as busy,
    ):
        client_for(server).create_list("A")
    found = busy.value.retry_after
    assert found is least if least is None or found is None else least <= found <= (most or 0)


@pytest.mark.parametrize("body", ["<html>Hello</html>", "", "[1]", '{"activity_id": {}}', "{}"])
def test_a_success_nobody_can_read_may_have_been_taken(body: str) -> None:
    with odd_server(answer("201 Created", body)) as server, pytest.raises(errors.OutcomeUnknown):
        client_for(server).import_contacts(b"{}")


def test_an_answer_nobody_can_read_is_worth_asking_for_again() -> None:
    with odd_server(answer("200 OK", "<html>")) as server, pytest.raises(errors.Unavailable):
        client_for(server).account_summary()


def test_an_answer_that_breaks_off_may_have_been_taken() -> None:
    cut = answer("201 Created", '{"activity_id":', content_length="500")
    with odd_server(cut) as server, pytest.raises(errors.OutcomeUnknown):
        client_for(server).import_contacts(b"{}")


def test_a_request_that_was_not_written_whole_was_not_taken() -> None:
    with odd_server(b"", read=False) as server, pytest.raises(errors.Unavailable) as lost:
        client_for(server).import_contacts(b"x" * 50_000_000)
    assert lost.value.advice == "retry"


def test_a_request_that_was_written_whole_may_have_been_taken() -> None:
    with odd_server(b"") as server, pytest.raises(errors.OutcomeUnknown):
        client_for(server).import_contacts(b"x" * 100_000)


def test_a_redirect_is_not_followed_with_the_token() -> None:
    with odd_server(answer("307 Moved", location="http://127.0.0.1:9/v3/")) as server:
        with pytest.raises(errors.InvalidRequest):
            client_for(server).account_summary()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v3/activities?cursor=x",
        "//evil.example/v3/activities?cursor=x",
        "/v3/contacts?cursor=x",
        "/v3/activities/../contacts?cursor=x",
        "/v3/activities2?cursor=x",
        "/other/v3/activities",
        "activities?cursor=x",
        "@evil.example/v3/activities",
        ":80@evil.example/v3/activities",
        "file:///v3/activities",
    ],
)
def test_a_link_to_another_place_is_not_followed(link: str) -> None:
    page = json.dumps({"activities": [ITEM], "_links": {"next": {"href": link}}})
    with odd_server(answer("200 OK", page), answer("200 OK", "{}")) as server:
        with pytest.raises(errors.InvalidRequest):
            list(client_for(server).activities())
        assert len(server.requests) == 1


def test_a_link_is_followed_as_it_is() -> None:
    link = "/v3/activities?cursor=bGltaXQ9%3D&limit=500"
    page = json.dumps({"activities": [ITEM], "_links": {"next": {"href": link}}})
    with odd_server(answer("200 OK", page), answer("200 OK", '{"activities": null}')) as server:
        assert len(list(client_for(server).activities())) == 1
        assert server.requests[1].split(b" ")[1].decode() == link


def test_links_that_go_in_a_circle_end() -> None:
    page = json.dumps({"activities": [ITEM], "_links": {"next": {"href": "/v3/activities?c=1"}}})
    with (
        odd_server(answer("200 OK", page), answer("200 OK", page)) as server,
        pytest.raises(errors.InvalidRequest),
    ):
        list(client_for(server).activities())


def test_a_contact_export_that_breaks_off_says_so() -> None:
    cut = answer("200 OK", "Email address\nann@example.com\nrob@exa", content_length="900")
    with (
        odd_server(cut) as server,
        pytest.raises(errors.Unavailable) as broken,
        client_for(server).open_export(Activity(activity_id="1")) as (_, file),
    ):
        file.read()
    assert "@" not in str(broken.value)


def test_a_contact_export_that_breaks_off_says_so_whatever_its_reader_made_of_it() -> None:
    cut = answer("200 OK", "Email address\nann@example.com\nrob@exa", content_length="900")

    def copy(file: Any) -> None:
        try:
            file.read()
        except Exception:
            raise RuntimeError("the database could not copy it") from None

    with (
        odd_server(cut) as server,
        pytest.raises(errors.Unavailable),
        client_for(server).open_export(Activity(activity_id="1")) as (_, file),
    ):
        copy(file)


def test_what_its_reader_gets_wrong_is_no_fault_of_the_export() -> None:
    with (
        odd_server(answer("200 OK", "Email address\n")) as server,
        pytest.raises(RuntimeError, match="mine"),
        client_for(server).open_export(Activity(activity_id="1")),
    ):
        raise RuntimeError("mine")


def test_a_contact_export_with_nothing_at_all_says_of_nobody_that_they_are_gone() -> None:
    with (
        odd_server(answer("200 OK", "")) as server,
        pytest.raises(errors.Unavailable),
        client_for(server).open_export(Activity(activity_id="1")),
    ):
        pass


def test_a_contact_export_is_read_from_its_own_place_only() -> None:
    elsewhere = Activity.model_validate(
        {"activity_id": "1", "_links": {"results": {"href": "https://evil.example/v3/x"}}}
    )
    with odd_server(answer("200 OK", "Email address\n")) as server:
        with (
            pytest.raises(errors.InvalidRequest),
            client_for(server).open_export(elsewhere),
        ):
            pass
        assert server.requests == []


def test_nulls_numbers_and_news_are_taken_in_stride() -> None:
    activity = Activity.model_validate(
        {
            "activity_id": 7,
            "state": None,
            "created_at": "2026-11-23T10:00:00.123+0000",
            "started_at": "yesterday",
            "percent_done": None,
            "activity_errors": ["Line 2: Invalid birthday", {"message": "of ann@example.com"}],
            "status": None,
            "_links": None,
            "something_new": {"a": 1},
        }
    )
    assert (activity.activity_id, activity.state, activity.has_ended) == ("7", "", False)
    assert activity.created_at == datetime(2026, 11, 23, 10, 0, 0, 123_000, tzinfo=UTC)
    assert activity.started_at is None
    assert activity.activity_errors == ["Line 2: Invalid birthday", "of …@…"]
    assert Contact.model_validate({"email_address": None}).email_address is None


def test_a_password_for_every_site_does_not_replace_the_token(
    tmp_path: Any, monkeypatch: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with odd_server(answer("200 OK", "{}")) as server:
        client_for(server).account_summary()
        assert b"Authorization: Bearer token\r\n" in server.requests[0]
