"""How the API says no: arrays from its services, objects from its gateway, to the byte."""

from typing import Any

import pytest
import requests

from tests.sandbox.asking import Api

UNKNOWN = "b116ba41-0000-5ceb-92e4-7a2afff75414"
IMPORT = "/activities/contacts_json_import"
POSTS = [
    "/contact_lists",
    "/contact_custom_fields",
    "/contacts",
    IMPORT,
    "/activities/remove_list_memberships",
    "/activities/add_list_memberships",
    "/activities/contact_delete",
    "/activities/contact_exports",
]
GETS = ["/contact_lists", "/contact_custom_fields", "/contacts", "/contacts/counts", "/activities"]


@pytest.fixture
def api(sandbox: Any) -> Api:
    return Api(sandbox)


def said(answer: requests.Response) -> tuple[int, str]:
    """The status and the one error key of a service's array."""
    (only,) = answer.json()
    assert set(only) == {"error_key", "error_message"}
    return answer.status_code, only["error_key"]


@pytest.mark.parametrize("header", [None, "", "Bearer x", "Basic eDp4", "bearer"])
def test_without_a_token_that_works_it_is_a_401_object_of_59_bytes(
    sandbox: Any, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(f"{sandbox.api_url}/contact_lists", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.content == b'{"error_key":"unauthorized","error_message":"Unauthorized"}'
    assert answer.headers["WWW-Authenticate"] == "Bearer realm=api.cc.email"
    assert answer.headers["x-amzn-ErrorType"] == "UnauthorizedException"


def test_every_answer_has_an_id_to_name_to_support(api: Api) -> None:
    answers = [api.get("/contact_lists"), api.get(f"/contact_lists/{UNKNOWN}")]
    assert len({answer.headers["x-amzn-RequestId"] for answer in answers}) == 2


@pytest.mark.parametrize("path", [*GETS, *POSTS])
def test_a_missing_scope_is_a_403_object(sandbox: Any, path: str) -> None:
    api = Api(sandbox, scopes="account_read offline_access")
    answer = api.post(path, {}) if path in POSTS and path not in GETS else api.get(path)
    assert answer.status_code == 403
    assert set(answer.json()) == {"error_key", "error_message"}


def test_the_summary_needs_a_scope_of_its_own(sandbox: Any) -> None:
    assert Api(sandbox, scopes="contact_data").get("/account/summary").status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_a_user_without_the_right_to_write_gets_a_403_and_may_ask_why(
    sandbox: Any, path: str
) -> None:
    api = Api(sandbox, user="uma@harbour-books.example")
    assert api.get("/contact_lists").status_code == 200
    assert api.post(path, {}).status_code == 403
    held = {one["privilege_name"] for one in api.get("/account/user/privileges").json()}
    assert "contacts:read" in held
    assert "contacts:write" not in held
    assert "contacts:lists:write" not in held


def test_activities_need_the_right_to_write_even_to_look(sandbox: Any) -> None:
    api = Api(sandbox, user="uma@harbour-books.example")
    assert api.get("/activities").status_code == 403
    assert api.get(f"/activities/{UNKNOWN}").status_code == 403


def test_privileges_need_no_scope(sandbox: Any) -> None:
    held = Api(sandbox, scopes="offline_access").get("/account/user/privileges").json()
    assert {type(one["privilege_id"]) for one in held} == {int}
    assert "contacts:write" in {one["privilege_name"] for one in held}


@pytest.mark.parametrize(
    "path", ["contact_lists", "contact_custom_fields", "contacts", "activities", "contact_exports"]
)
@pytest.mark.parametrize("one", [UNKNOWN, "not-an-id", "1234567890"])
def test_an_unknown_or_malformed_id_is_a_404_array(api: Api, path: str, one: str) -> None:
    answer = api.get(f"/{path}/{one}")
    assert said(answer) == (404, "contacts.api.not_found")
    if one != UNKNOWN:
        assert answer.json()[0]["error_message"].endswith("is in an invalid format.")


def test_what_is_not_there_and_what_is_asked_the_wrong_way(api: Api) -> None:
    assert said(api.get("/nothing")) == (404, "contacts.api.not_found")
    assert said(api.ask("PATCH", "/contact_lists")) == (405, "contacts.api.method_not_allowed")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_a_415(api: Api, path: str, kind: str) -> None:
    answer = api.ask("POST", path, data=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [b"", b'{"a": 1,}', b"[]", b"null", b"\xff", b'"text"'])
def test_a_body_that_is_no_json_object_is_a_400_array(api: Api, path: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = api.ask("POST", path, data=body, headers=headers)
    assert said(answer) == (400, "contacts.api.validation.error")


def test_a_body_too_long_for_the_gateway_is_a_413_message(api: Api) -> None:
    lists = [api.sandbox.lists()["Newsletter"]]
    rows = [{"email": "a@example.com", "street": "s" * 10_000_000}]
    answer = api.post(IMPORT, {"import_data": rows, "list_ids": lists})
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Too Long"})


def test_several_faults_of_a_contact_are_told_in_one_message(api: Api) -> None:
    answer = api.post("/contacts", {"first_name": "x" * 51})
    assert said(answer) == (400, "contacts.api.validation.error")
    message = answer.json()[0]["error_message"]
    wanted = "create_source is missing, create_source does not have a valid value"
    assert message.startswith(wanted)
    assert "first_name does not have a valid value" in message


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/contact_lists", {"limit": 0}),
        ("/contact_lists", {"limit": 1_001}),
        ("/contact_lists", {"limit": "many"}),
        ("/contact_lists", {"include_count": "perhaps"}),
        ("/contact_lists", {"include_membership_count": "true"}),
        ("/contact_lists", {"status": "asleep"}),
        ("/contact_lists", {"cursor": "odd"}),
        ("/contact_lists", {"cursor": "c3RhcnQ9LTU="}),
        ("/contact_custom_fields", {"limit": 101}),
        ("/contacts", {"limit": 501}),
        ("/contacts", {"status": "asleep"}),
        ("/contacts", {"include": "everything"}),
        ("/contacts", {"lists": "not-an-id"}),
        ("/contacts", {"lists": ",".join(f"{n:08x}{UNKNOWN[8:]}" for n in range(26))}),
        ("/contacts", {"updated_after": "yesterday"}),
        ("/contacts", {"optout_after": "2025-13-01"}),
        ("/activities", {"limit": 501}),
        ("/activities", {"state": "initialized"}),
        ("/account/summary", {"extra_fields": "secrets"}),
    ],
)
def test_a_query_that_makes_no_sense_is_a_400_array(
    api: Api, path: str, query: dict[str, Any]
) -> None:
    assert said(api.get(path, **query)) == (400, "contacts.api.validation.error")


def test_a_wrong_membership_count_is_told_in_the_providers_words(api: Api) -> None:
    answer = api.get("/contact_lists", include_membership_count="yes")
    message = "include_membership_count does not have a valid value"
    assert answer.json()[0]["error_message"] == message


def test_the_summary_is_the_accounts_and_tells_more_when_asked(api: Api) -> None:
    plain = api.get("/account/summary").json()
    assert plain["encoded_account_id"] == api.sandbox.control("accounts")[0]["account"]
    assert 12 <= len(plain["encoded_account_id"]) <= 14
    more = api.get("/account/summary", extra_fields="physical_address,company_logo").json()
    assert set(more) - set(plain) == {"physical_address", "company_logo"}
