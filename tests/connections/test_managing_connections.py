"""A connection's page: how it stands, and everything an Administrator can do to it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connections import access, consent_text, services, tokens, vouching
from connections.models import Connection, ConnectionShare, Consent
from tests.connections.factories import ConnectionFactory, connected, draft
from tests.connections.walk import answer_there, begin_again, prove, url, words
from tests.workspaces.factories import MembershipFactory, signed_in
from workspaces import members
from workspaces.models import AuditEntry, Membership, Role, Workspace


@pytest.fixture
def browser(workspace: Workspace) -> Client:
    """An Administrator's."""
    return signed_in(workspace)


def member(browser: Client) -> Membership:
    found: Membership = browser.member  # type: ignore[attr-defined]
    return found


def fresh(connection: Connection) -> Connection:
    return Connection.objects.get(pk=connection.pk)


def page_of(browser: Client, connection: Connection) -> str:
    return words(browser.get(url("detail", connection.workspace, connection.pk)))


def test_the_page_tells_all_there_is_to_know(workspace: Workspace, browser: Client) -> None:
    connection = ConnectionFactory(
        workspace=workspace, sharing="contributors", token_refreshed_at=timezone.now()
    )
    page = page_of(browser, connection)
    for told in (
        connection.name,
        "Constant Contact",
        "Harbour Books",
        "olga@harbour-books.example",
        "a1b2c3d4e5f6",
        str(connection.authorised_by),
        "Token last refreshed",
        "Active",
        "Administrators and Contributors",
        f"agreed to version {consent_text.VERSION}",
        "None yet.",
    ):
        assert told in page
    for paragraph in consent_text.text().split("\n\n"):
        assert paragraph in page


def test_the_list_tells_each_connections_state(workspace: Workspace, browser: Client) -> None:
    ConnectionFactory(workspace=workspace, name="Good one")
    ConnectionFactory(workspace=workspace, name="Ended", state="needs_sign_in")
    ConnectionFactory(workspace=workspace, name="No consent", consented=False)
    ConnectionFactory(workspace=workspace, name="Of nobody", export_user=None)
    draft(workspace, member(browser).user, name="Begun")
    answer = browser.get(url("list", workspace))
    labels = {row["connection"].name: str(row["health"].label) for row in answer.context["rows"]}
    assert labels == {
        "Good one": "Active",
        "Ended": "Needs sign-in",
        "No consent": "Consent is missing",
        "Of nobody": "No export user",
        "Begun": "Not finished",
    }
    other_way = browser.get(url("list", workspace), {"sort": "-name"}).context["rows"]
    assert [row["connection"].name for row in other_way] == sorted(labels, reverse=True)
    assert all(label in words(answer) for label in labels.values())
    assert "Requests to Constant Contact today" in words(answer)


def test_without_connections_the_list_says_how_to_begin(
    workspace: Workspace, browser: Client
) -> None:
    page = words(browser.get(url("list", workspace)))
    assert "No account is connected yet" in page
    assert url("add", workspace) in page


def test_a_connection_is_renamed_and_shared(workspace: Workspace, browser: Client) -> None:
    connection = ConnectionFactory(workspace=workspace, name="Old name")
    where = url("edit", workspace, connection.pk)
    assert 'value="Old name"' in words(browser.get(where))
    browser.post(where, {"name": " New name ", "sharing": "contributors"})
    changed = fresh(connection)
    assert (changed.name, changed.sharing) == ("New name", "contributors")
    entry = AuditEntry.objects.get(action="connection.changed")
    assert entry.actor == member(browser).user
    assert entry.details["before"] == {"name": "Old name", "sharing": "administrators"}
    browser.post(where, {"name": "New name", "sharing": "contributors"})
    assert AuditEntry.objects.filter(action="connection.changed").count() == 1


def test_the_page_says_with_whom_it_is_shared_by_name(
    workspace: Workspace, browser: Client
) -> None:
    connection = ConnectionFactory(workspace=workspace, sharing="named")
    carles = MembershipFactory(workspace=workspace, user__first_name="Carles", role="contributor")
    ConnectionShare.objects.create(workspace=workspace, connection=connection, membership=carles)
    assert "Carles" in page_of(browser, connection)
    connection.sharing = Connection.Sharing.CONTRIBUTORS
    connection.save()
    assert "Carles" not in page_of(browser, connection)


def test_two_connections_cannot_have_one_name(workspace: Workspace, browser: Client) -> None:
    ConnectionFactory(workspace=workspace, name="Taken")
    connection = ConnectionFactory(workspace=workspace, name="Mine")
    answer = browser.post(
        url("edit", workspace, connection.pk), {"name": "taken", "sharing": "administrators"}
    )
    assert "Another connection has this name" in words(answer)
    assert fresh(connection).name == "Mine"
    with pytest.raises(services.Refused):
        services.change_connection(
            connection, name="Taken", sharing="administrators", by=member(browser).user
        )


def test_consent_is_withdrawn_and_nothing_may_leave(workspace: Workspace, browser: Client) -> None:
    connection = ConnectionFactory(workspace=workspace)
    access.ensure_usable(connection)
    browser.post(url("consent", workspace, connection.pk), {"answer": "withdraw"})
    with pytest.raises(access.NotUsable) as refused:
        access.client(connection)
    assert refused.value.code == "no_consent"
    consent = Consent.objects.get(connection=connection)
    assert consent.withdrawn_by == member(browser).user
    assert consent.withdrawn_at is not None
    assert AuditEntry.objects.filter(action="connection.consent_withdrawn").count() == 1
    page = page_of(browser, connection)
    assert "Consent is missing" in page
    assert "Earlier consents" in page
    browser.post(url("consent", workspace, connection.pk), {"answer": "withdraw"})
    assert AuditEntry.objects.filter(action="connection.consent_withdrawn").count() == 1


def test_consent_is_given_anew_by_agreeing_to_the_words_shown(
    workspace: Workspace, browser: Client
) -> None:
    connection = ConnectionFactory(workspace=workspace, consented=False)
    where = url("consent", workspace, connection.pk)
    for missing, told in (
        ({}, "Without your agreement"),
        ({"agree": "on", "words": "other ones"}, "The text has changed"),
    ):
        assert told in words(browser.post(where, missing, follow=True))
        assert not Consent.objects.filter(connection=connection).exists()
    browser.post(where, {"agree": "on", "words": consent_text.fingerprint()})
    browser.post(where, {"agree": "on", "words": consent_text.fingerprint()})
    consent = Consent.objects.get(connection=connection)
    assert (consent.accepted_by, consent.text) == (member(browser).user, consent_text.text())
    access.ensure_usable(connection)


def test_the_words_agreed_to_stay_as_they_were(
    workspace: Workspace, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = ConnectionFactory(workspace=workspace)
    monkeypatch.setattr(consent_text, "VERSION", "2027-01")
    monkeypatch.setattr(consent_text, "PARAGRAPHS", ("Entirely new words.",))
    page = page_of(browser, connection)
    assert "By agreeing you allow Segue" in page
    assert "Entirely new words." not in page


def test_another_administrator_takes_over_as_export_user(
    workspace: Workspace, browser: Client
) -> None:
    connection = ConnectionFactory(workspace=workspace)
    before = connection.export_user
    assert "Take over as export user" in page_of(browser, connection)
    prove(browser)
    where = url("export_user", workspace, connection.pk)
    assert f"You take over from {before}" in words(browser.get(where))
    browser.post(where)
    assert fresh(connection).export_user == member(browser).user
    entry = AuditEntry.objects.get(action="connection.export_user_changed")
    assert entry.details == {"before": str(before), "after": str(member(browser).user)}
    browser.post(where)
    assert AuditEntry.objects.filter(action="connection.export_user_changed").count() == 1


def test_an_export_user_hands_over_before_leaving_or_losing_the_role(
    workspace: Workspace, browser: Client
) -> None:
    connection = ConnectionFactory(workspace=workspace, name="Newsletter account")
    vouching = Membership.objects.get(user=connection.export_user)
    by = member(browser).user
    for leave in (
        lambda: members.remove(vouching, by=by),
        lambda: members.change_role(vouching, Role.CONTRIBUTOR, by=by),
    ):
        with pytest.raises(members.Refused, match="“Newsletter account”"):
            leave()
    services.become_export_user(connection, by=by)
    members.remove(vouching, by=by)
    access.ensure_usable(connection)


def test_vouching_in_one_workspace_keeps_nobody_in_another(workspace: Workspace) -> None:
    connection = ConnectionFactory(workspace=workspace)
    elsewhere = MembershipFactory(user=connection.export_user)
    assert vouching.why_role_must_stay(elsewhere) is None


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"consented": False}, "no_consent"),
        ({"state": "needs_sign_in"}, "needs_sign_in"),
        ({"state": "draft"}, "not_authorised"),
        ({"export_user": None}, "no_export_user"),
    ],
)
def test_a_connection_that_lacks_something_is_not_usable_and_says_what(
    workspace: Workspace, values: dict[str, Any], code: str
) -> None:
    connection = ConnectionFactory(workspace=workspace, name="The account", **values)
    with pytest.raises(access.NotUsable) as refused:
        access.ensure_usable(connection)
    assert refused.value.code == code
    assert "The account" in str(refused.value)


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER, None])
def test_an_export_user_who_is_no_administrator_any_more_does_not_do(
    workspace: Workspace, browser: Client, role: str | None
) -> None:
    connection = ConnectionFactory(workspace=workspace)
    vouching = Membership.objects.filter(user=connection.export_user)
    vouching.update(role=role) if role else vouching.delete()
    MembershipFactory(user=connection.export_user)
    with pytest.raises(access.NotUsable) as refused:
        access.client(connection)
    assert refused.value.code == "export_user_not_administrator"
    assert "Export user is no Administrator" in page_of(browser, connection)


def test_what_changed_meanwhile_is_seen(workspace: Workspace) -> None:
    connection = ConnectionFactory(workspace=workspace)
    Connection.objects.filter(pk=connection.pk).update(state="needs_sign_in")
    with pytest.raises(access.NotUsable):
        access.ensure_usable(connection)


def test_a_connection_is_tested_on_demand(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    connection = connected(workspace, sandbox)
    Connection.objects.filter(pk=connection.pk).update(account_name="An earlier name")
    where = url("check", workspace, connection.pk)
    assert "It works: Constant Contact answered for the account Harbour Books" in words(
        browser.post(where, follow=True)
    )
    assert fresh(connection).account_name == "Harbour Books"
    sandbox.control("fault", kind="quota_exceeded", count=1)
    assert "It does not work now." in words(browser.post(where, follow=True))


def test_signing_in_again_keeps_everything_and_renews_the_tokens(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    connection = connected(workspace, sandbox, sharing="contributors")
    Connection.objects.filter(pk=connection.pk).update(
        state="needs_sign_in", state_reason="It ended."
    )
    page = page_of(browser, connection)
    assert "It ended. Sign in to the account again:" in page
    assert [page.count("Needs sign-in"), page.count("Sign in again")] == [1, 1]
    back = browser.get(answer_there(begin_again(browser, connection)), follow=True)
    assert "You are connected" in words(back)
    renewed = fresh(connection)
    assert (renewed.state, renewed.state_reason) == ("active", "")
    assert (renewed.name, renewed.sharing) == (connection.name, "contributors")
    assert renewed.export_user == connection.export_user
    assert renewed.authorised_by == member(browser).user
    assert tokens.decrypt(renewed.access_token) != tokens.decrypt(connection.access_token)
    assert access.client(connection).account_summary().name == "Harbour Books"


def sign_in_elsewhere(browser: Client, connection: Connection) -> Any:
    """Signs in again, to the sandbox's second account."""
    return browser.get(answer_there(begin_again(browser, connection), account=1), follow=True)


def test_another_account_is_not_taken_without_a_question(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    connection = connected(workspace, sandbox)
    page = words(sign_in_elsewhere(browser, connection))
    assert "You signed in to another account" in page
    assert "Harbour Books" in page
    assert "Alpine Ski House" in page
    assert fresh(connection).account_name == "Harbour Books"
    where = url("other_account", workspace, connection.pk)
    kept = words(browser.post(where, {"answer": "keep"}, follow=True))
    assert "for Harbour Books as before" in kept
    assert access.client(connection).account_summary().name == "Harbour Books"
    assert "Nothing has changed" in words(browser.get(where, follow=True))


def test_another_account_is_taken_when_it_is_meant(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    connection = connected(workspace, sandbox)
    sign_in_elsewhere(browser, connection)
    where = url("other_account", workspace, connection.pk)
    answer = words(browser.post(where, {"answer": "use"}, follow=True))
    assert "for Alpine Ski House now" in answer
    assert access.client(connection).account_summary().name == "Alpine Ski House"
    entry = AuditEntry.objects.get(action="connection.authorised")
    assert entry.details == {"account": "Alpine Ski House", "before": "Harbour Books"}


def test_the_other_accounts_tokens_wait_unreadable_and_not_for_long(
    workspace: Workspace, browser: Client, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connected(workspace, sandbox)
    sign_in_elsewhere(browser, connection)
    assert "eyJ" not in str(dict(browser.session))
    assert "refresh_token" not in str(dict(browser.session))
    other = connected(workspace, sandbox)
    answer = browser.post(url("other_account", workspace, other.pk), {"answer": "use"}, follow=True)
    assert "Nothing has changed" in words(answer)
    later = timezone.now() + timedelta(seconds=601)
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: later.timestamp())
    where = url("other_account", workspace, connection.pk)
    assert "Nothing has changed" in words(browser.post(where, {"answer": "use"}, follow=True))
    assert fresh(connection).account_name == "Harbour Books"


def test_a_draft_shows_its_next_step_only(workspace: Workspace, browser: Client) -> None:
    connection = draft(workspace, member(browser).user)
    page = page_of(browser, connection)
    assert "Sign in at Constant Contact" in page
    assert "Token last refreshed" not in page
    assert "agreed to version" in page


def test_only_pages_that_lead_to_constant_contact_may_send_forms_there(
    workspace: Workspace, browser: Client, sandbox: Any
) -> None:
    connection = ConnectionFactory(workspace=workspace)
    begun = draft(workspace, member(browser).user)
    there = f"form-action 'self' {sandbox.url}"
    for name, arguments, leads in (
        ("add", [], True),
        ("detail", [connection.pk], True),
        ("detail", [begun.pk], True),
        ("list", [], False),
        ("edit", [connection.pk], False),
        ("remove", [connection.pk], False),
    ):
        policy = browser.get(url(name, workspace, *arguments)).headers["Content-Security-Policy"]
        assert (there in policy) == leads
        assert "script-src 'self';" in policy
