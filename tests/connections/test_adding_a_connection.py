"""Name, sharing, consent, sign-in at Constant Contact, export user, Save: in this order."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connections import access, consent_text, tokens
from connections.models import Connection, Consent
from tests.connections.factories import ConnectionFactory
from tests.connections.walk import (
    answer_there,
    begin,
    begin_again,
    entered,
    only_connection,
    prove,
    query,
    url,
    words,
)
from tests.workspaces.factories import PASSWORD, grown_stale, signed_in
from workspaces.models import AuditEntry, Workspace


@pytest.fixture
def browser(workspace: Workspace, sandbox: Any) -> Client:
    """An Administrator's."""
    return signed_in(workspace)


def member(browser: Client) -> Any:
    return browser.member.user  # type: ignore[attr-defined]


def test_the_whole_way_leads_to_a_connection_that_exports_may_use(
    workspace: Workspace, browser: Client
) -> None:
    there = begin(browser, workspace, sharing="contributors")
    back = browser.get(answer_there(there), follow=True)
    assert "You are connected to Constant Contact" in words(back)
    assert "Add me as export user" in words(back)
    vouch = url("export_user", workspace, only_connection().pk)
    asked = grown_stale(browser).get(vouch)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    returned = browser.post(asked["Location"], {"password": PASSWORD, "next": vouch})
    assert returned["Location"] == vouch
    assert "you vouch for what they send" in words(browser.get(vouch))
    saved = browser.post(vouch, follow=True)
    assert "Saved." in words(saved)
    connection = only_connection()
    access.ensure_usable(connection)
    assert (connection.name, connection.sharing) == ("Newsletter account", "contributors")
    assert (connection.state, connection.account_name) == ("active", "Harbour Books")
    assert connection.authorised_by == connection.export_user == member(browser)
    assert access.client(connection).account_summary().name == "Harbour Books"
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert [one for one in actions if one.startswith("connection.")] == [
        "connection.created",
        "connection.consent_given",
        "connection.authorised",
        "connection.export_user_changed",
    ]


def test_the_fields_come_in_the_order_of_the_product_replaced(
    workspace: Workspace, browser: Client
) -> None:
    answer = browser.get(url("add", workspace))
    page = words(answer)
    fields = ("Display name", "Who can use this", "By agreeing you allow", "I agree", "Connect<")
    order = [page.index(text) for text in fields]
    assert order == sorted(order)
    assert answer.context["form"]["sharing"].value() == "administrators"


def test_the_sign_in_asks_for_what_exports_need_and_is_safe(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    there = begin(browser, workspace)
    asked = query(there)
    assert there.startswith(f"{sandbox.auth_url}/v1/authorize?")
    assert set(asked["scope"].split()) == {"offline_access", "contact_data", "account_read"}
    assert "%2B" not in there
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"] == "http://testserver/connections/constant-contact/callback"
    assert len(asked["state"]) >= 43
    assert asked["state"].replace("-", "").replace("_", "").isalnum()


def test_consent_is_kept_word_for_word(workspace: Workspace, browser: Client) -> None:
    page = words(browser.get(url("add", workspace)))
    begin(browser, workspace)
    consent = Consent.objects.get()
    assert consent.text == consent_text.text()
    for paragraph in consent.text.split("\n\n"):
        assert paragraph in page
    assert (consent.text_version, consent.accepted_by) == (consent_text.VERSION, member(browser))
    assert consent.accepted_at is not None
    assert consent.withdrawn_at is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"agree": ""}, "Without your agreement no data may leave"),
        ({"words": "of another day"}, "The text has changed"),
        ({"name": "   "}, "This field is required"),
        ({"name": "n" * 101}, "at most 100 characters"),
        ({"sharing": "everybody"}, "not one of the available choices"),
        ({"name": "TAKEN"}, "Another connection has this name"),
    ],
)
def test_what_is_missing_is_named_and_what_was_typed_stays(
    workspace: Workspace, browser: Client, values: dict[str, str], told: str
) -> None:
    ConnectionFactory(workspace=workspace, name="Taken")
    answer = browser.post(url("add", workspace), entered(**values))
    assert answer.status_code == 200
    assert told in words(answer)
    if "name" not in values:
        assert 'value="Newsletter account"' in words(answer)
    assert Connection.objects.count() == 1


def test_after_the_text_has_changed_the_new_one_can_be_agreed_to(
    workspace: Workspace, browser: Client
) -> None:
    answer = browser.post(url("add", workspace), entered(words="of another day"))
    shown = answer.context["form"]["words"].value()
    assert browser.post(url("add", workspace), entered(words=shown)).status_code == 302


def test_who_denies_access_comes_back_to_what_was_entered(
    workspace: Workspace, browser: Client
) -> None:
    there = begin(browser, workspace, sharing="contributors")
    back = browser.get(answer_there(there, "deny"), follow=True)
    assert "You did not allow access" in words(back)
    assert "What you entered is kept" in words(back)
    connection = only_connection()
    assert (connection.state, connection.sharing) == ("draft", "contributors")
    assert connection.access_token is None
    again = browser.get(answer_there(begin_again(browser, connection)), follow=True)
    assert "You are connected" in words(again)
    assert only_connection().access_token is not None


def test_who_goes_back_and_sends_the_form_again_goes_on_with_the_same_connection(
    workspace: Workspace, browser: Client
) -> None:
    begin(browser, workspace)
    there = begin(browser, workspace, name="newsletter ACCOUNT", sharing="contributors")
    browser.get(answer_there(there))
    connection = only_connection()
    assert (connection.name, connection.sharing) == ("newsletter ACCOUNT", "contributors")
    assert Consent.objects.count() == 1


def test_a_name_that_somebody_else_began_with_is_taken(
    workspace: Workspace, browser: Client
) -> None:
    begin(signed_in(workspace), workspace)
    answer = browser.post(url("add", workspace), entered())
    assert "Another connection has this name" in words(answer)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"error": "invalid_scope"}, "redirect address: http://testserver/connections/"),
        ({"error": "unauthorized_client"}, "client ID"),
        ({"error": "server_error", "error_description": "<b>Boo</b>"}, "did not complete"),
        ({"code": "of nobody"}, "did not complete"),
        ({}, "did not complete"),
    ],
)
def test_each_way_to_fail_there_says_what_to_do(
    workspace: Workspace, browser: Client, answer: dict[str, str], told: str
) -> None:
    state = query(begin(browser, workspace))["state"]
    back = browser.get(
        reverse("connections_callback:callback"), {**answer, "state": state}, follow=True
    )
    assert told in words(back)
    assert "Boo" not in words(back)
    assert "Connect</button>" in words(back)
    assert only_connection().access_token is None


def test_no_lasting_access_is_refused(workspace: Workspace, browser: Client) -> None:
    there = begin(browser, workspace)
    without = there.replace("offline_access+", "").replace("offline_access%20", "")
    assert without != there
    back = browser.get(answer_there(without), follow=True)
    assert "no lasting access" in words(back)
    assert only_connection().access_token is None


def test_too_little_access_is_refused(workspace: Workspace, browser: Client) -> None:
    there = begin(browser, workspace)
    without = there.replace("+account_read", "").replace("%20account_read", "")
    assert without != there
    back = browser.get(answer_there(without), follow=True)
    assert "did not give both" in words(back)
    assert only_connection().access_token is None


def test_an_account_that_cannot_be_read_is_not_connected(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    there = begin(browser, workspace)
    sandbox.control("fault", kind="server_error", route="/account/summary", retry_after=99)
    back = browser.get(answer_there(there), follow=True)
    assert "the account could not be read" in words(back)
    assert only_connection().access_token is None


def test_a_sign_in_server_that_is_down_is_not_the_end(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    there = begin(browser, workspace)
    back_to = answer_there(there)
    sandbox.control("fault", kind="cut_before", route="/v1/token", count=1)
    assert "did not complete the sign-in" in words(browser.get(back_to, follow=True))
    back = browser.get(answer_there(begin_again(browser, only_connection())), follow=True)
    assert "You are connected" in words(back)


def test_an_installation_without_a_client_id_says_so(
    workspace: Workspace, browser: Client, settings: Any
) -> None:
    settings.CONSTANT_CONTACT_CLIENT_ID = ""
    page = words(browser.get(url("add", workspace)))
    assert "isn’t registered with Constant Contact yet" in page
    assert "CONSTANT_CONTACT_CLIENT_ID" in page
    assert browser.post(url("add", workspace), entered()).status_code == 200
    assert not Connection.objects.exists()
    connection = ConnectionFactory(workspace=workspace)
    answer = browser.post(url("authorise", workspace, connection.pk), follow=True)
    assert "Ask your operator" in words(answer)


def test_nobody_becomes_export_user_without_proving_who_they_are(
    workspace: Workspace, browser: Client
) -> None:
    browser.get(answer_there(begin(browser, workspace)))
    vouch = url("export_user", workspace, only_connection().pk)
    for answer in (grown_stale(browser).post(vouch), browser.get(vouch)):
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert only_connection().export_user is None


def test_nobody_vouches_for_a_connection_that_is_not_authorised(
    workspace: Workspace, browser: Client
) -> None:
    begin(browser, workspace)
    prove(browser)
    answer = browser.post(url("export_user", workspace, only_connection().pk), follow=True)
    assert "Connect to Constant Contact first" in words(answer)
    assert only_connection().state == "draft"


def test_the_tokens_are_on_no_page(workspace: Workspace, browser: Client) -> None:
    browser.get(answer_there(begin(browser, workspace)))
    prove(browser)
    connection = only_connection()
    browser.post(url("export_user", workspace, connection.pk))
    connection = only_connection()
    secrets = [
        tokens.decrypt(connection.access_token),
        tokens.decrypt(connection.refresh_token),
        bytes(connection.access_token).decode(),
    ]
    for name in ("detail", "edit", "remove", "export_user"):
        page = browser.get(url(name, workspace, connection.pk)).content.decode()
        assert connection.name in page
        assert not [secret for secret in secrets if secret[:24] in page]
    listed = browser.get(url("list", workspace)).content.decode()
    assert not [secret for secret in secrets if secret[:24] in listed]
