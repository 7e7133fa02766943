"""Signing in with an account elsewhere, by OpenID Connect; domains whose people join so."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from django_scopes import scope
from environs import Env

from config import issuers as configured
from config.row_security import across_workspaces
from tests.issuer import CLIENT, Issuer, running_issuer
from tests.workspaces.factories import (
    MembershipFactory,
    UserFactory,
    WorkspaceFactory,
    grown_stale,
    sign_in,
    signed_in,
)
from workspaces import domains, invitations, members
from workspaces.models import AuditEntry, CapturedDomain, Membership, Role, User, Workspace

LOGIN = reverse("account_login")
NURIA = {
    "sub": "n-1",
    "email": "nuria@harbour.example",
    "email_verified": True,
    "given_name": "Núria",
    "family_name": "Soler",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Issuer]:
    with running_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(running: Issuer, settings: Any, db: None) -> Issuer:
    """It is believed about addresses of harbour.example."""
    app = {
        "provider_id": "oidc",
        "name": "Harbour Books",
        "client_id": CLIENT["client_id"],
        "secret": CLIENT["client_secret"],
        "settings": {
            "server_url": running.url,
            "oauth_pkce_enabled": True,
            "domains": ["harbour.example"],
        },
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    running.person, running.audience = dict(NURIA), CLIENT["client_id"]
    return running


def begin(client: Client, query: str = "") -> str:
    """Presses the button; returns the address at the issuer."""
    answer = client.post(reverse("openid_connect_login", args=["oidc"]) + query)
    assert "form-action 'self';" in answer["Content-Security-Policy"]
    there = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.content.decode())
    assert there, answer.content.decode()
    return unescape(there[1])


def sign_in_there(client: Client, query: str = "") -> Any:
    there = requests.get(begin(client, query), timeout=5, allow_redirects=False)
    return client.get(there.headers["Location"].removeprefix("http://testserver"))


def is_in(client: Client) -> bool:
    return client.get(reverse("mfa_index")).status_code == 200


def test_without_an_issuer_nothing_is_offered(db: None) -> None:
    assert "Sign in with a passkey" in Client().get(LOGIN).content.decode()
    assert "/accounts/oidc/" not in Client().get(LOGIN).content.decode()
    assert Client().post(reverse("openid_connect_login", args=["oidc"])).status_code == 404
    page = sign_in(Client(), UserFactory()).get(reverse("mfa_index")).content.decode()
    assert "Other accounts" not in page


def test_a_new_person_signs_in_with_an_account_elsewhere(issuer: Issuer) -> None:
    client, before = Client(), User.objects.count()
    for page in (LOGIN, reverse("account_signup")):
        assert "Sign in with Harbour Books" in client.get(page).content.decode()
    answer = sign_in_there(client, "?next=/accounts/name/")
    assert answer.url == "/accounts/name/"
    assert issuer.asked["code_challenge_method"] == "S256"
    user = User.objects.get(email=NURIA["email"])
    assert (str(user), user.has_usable_password()) == ("Núria Soler", False)
    assert is_in(client)
    again = Client()
    sign_in_there(again)
    assert is_in(again)
    assert User.objects.count() == before + 1


def test_whose_address_the_issuer_is_believed_about_comes_into_their_account(
    issuer: Issuer,
) -> None:
    user = UserFactory(email=NURIA["email"])
    client = Client()
    sign_in_there(client)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert mail.outbox[-1].subject == "Another account signs you in now"
    page = client.get(reverse("socialaccount_connections")).content.decode()
    assert NURIA["email"] in page
    client.post(reverse("socialaccount_connections"), {"account": SocialAccount.objects.get().pk})
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "said",
    [{"email_verified": False}, {"email_verified": None}, {"email": "nuria@elsewhere.example"}],
    ids=["not verified", "not said", "another domain"],
)
def test_an_address_that_nobody_vouches_for_opens_no_account(
    issuer: Issuer, said: dict[str, Any]
) -> None:
    issuer.person |= said
    UserFactory(email=issuer.person["email"])
    known = Client()
    answer = sign_in_there(known)
    assert not is_in(known)
    assert mail.outbox[-1].subject == "You already have a Segue account"
    issuer.person |= {"sub": "o-2", "email": "olga" + issuer.person["email"]}
    unknown = Client()
    assert sign_in_there(unknown).url == answer.url, "known or unknown, it looks the same"
    assert not is_in(unknown)
    assert mail.outbox[-1].subject == "Welcome to Segue: confirm your e-mail address"


def test_google_vouches_for_the_accounts_of_a_domain_only(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspaces.issuers.GOOGLE", issuer.url)
    UserFactory(email=NURIA["email"])
    client = Client()
    sign_in_there(client)
    assert not is_in(client), "an account of nobody's domain, made with that address"
    issuer.person["hd"] = "harbour.example"
    sign_in_there(client)
    assert is_in(client)


def test_answers_that_were_not_asked_for_or_are_for_others_sign_nobody_in(issuer: Issuer) -> None:
    client, other = Client(), Client()
    there = requests.get(begin(client), timeout=5, allow_redirects=False)
    back = there.headers["Location"].removeprefix("http://testserver")
    assert "That sign-in did not work" in other.get(back).content.decode()
    assert not is_in(other), "another browser's answer"
    client.get(back)
    client.post(reverse("account_logout"))
    client.get(back)
    assert not is_in(client), "an answer used before"
    issuer.audience = "another application"
    assert "That sign-in did not work" in sign_in_there(client).content.decode()
    assert not is_in(client)
    refused = requests.get(begin(client), timeout=5, allow_redirects=False).headers["Location"]
    state = re.search(r"state=([^&]+)", refused)[1]
    callback = reverse("openid_connect_callback", args=["oidc"])
    answer = client.get(callback, {"state": state, "error": "access_denied"}, follow=True)
    assert "You broke it off" in answer.content.decode()


def test_an_issuer_that_is_down_is_said_to_be(issuer: Issuer, settings: Any) -> None:
    (app,) = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    app["settings"]["server_url"] = "http://127.0.0.1:1"
    answer = Client().post(reverse("openid_connect_login", args=["oidc"]), follow=True)
    assert "does not answer now" in answer.content.decode()


@pytest.mark.parametrize("known", [True, False])
def test_whose_domain_has_an_issuer_is_told_so_when_a_password_fails(
    issuer: Issuer, known: bool
) -> None:
    if known:
        UserFactory(email=NURIA["email"])

    def refused(email: str) -> str:
        sent = {"login": email, "password": "none of theirs"}
        return unescape(Client().post(LOGIN, sent).content.decode())

    assert "use the button “Sign in with Harbour Books”" in refused(NURIA["email"])
    assert "use the button" not in refused("nuria@elsewhere.example")


def test_who_has_no_password_proves_it_at_the_issuer(issuer: Issuer, workspace: Any) -> None:
    client = Client()
    sign_in_there(client)
    with scope(workspace=workspace):
        Membership.objects.create(
            workspace=workspace, user=User.objects.get(email=NURIA["email"]), role=Role.VIEWER
        )
    add = reverse("api_pages:token_add", args=[workspace.slug])
    form = {"name": "Dashboard", "role": "viewer", "scopes": ["read"], "days": "30"}
    asked = grown_stale(client).post(add, form)
    where, _mark, query = asked.url.partition("?")
    assert where == reverse("openid_connect_login", args=["oidc"])
    assert "Sign in with Harbour Books" in client.get(asked.url).content.decode()
    first_password = client.get(reverse("account_set_password"))
    assert first_password.url.startswith(where), "nor does whoever finds the browser choose one"
    back = sign_in_there(client, f"?{query}")
    assert issuer.asked["prompt"] == "login"
    assert client.get(reverse("account_set_password")).status_code == 200
    assert "segue_pat_" in client.get(back.url).content.decode()


def captured(workspace: Workspace) -> Workspace:
    with scope(workspace=workspace):
        CapturedDomain.objects.create(workspace=workspace, domain="harbour.example")
    return workspace


def test_people_of_a_domain_named_become_viewers(issuer: Issuer) -> None:
    first, second = captured(WorkspaceFactory()), captured(WorkspaceFactory())
    other = WorkspaceFactory()
    client = Client()
    sign_in_there(client)
    user = User.objects.get(email=NURIA["email"])
    with across_workspaces():
        joined = list(Membership.objects.filter(user=user).values_list("workspace_id", "role"))
    assert sorted(joined) == [(first.pk, "viewer"), (second.pk, "viewer")]
    assert client.get(first.get_absolute_url()).status_code == 200
    assert client.get(other.get_absolute_url()).status_code == 404
    with scope(workspace=first):
        entry = AuditEntry.objects.get(action="member.joined")
        assert entry.details == {"role": "viewer", "domain": "harbour.example"}
        MembershipFactory(workspace=first)
        members.remove(Membership.objects.get(user=user), by=None)
    sign_in_there(Client())
    with scope(workspace=first):
        assert not Membership.objects.filter(user=user).exists(), "who was removed stays out"


def test_who_is_invited_keeps_the_invitation_and_who_is_not_vouched_for_stays_out(
    issuer: Issuer,
) -> None:
    workspace = captured(WorkspaceFactory())
    with scope(workspace=workspace):
        by = MembershipFactory(workspace=workspace).user
        invitations.invite(workspace, NURIA["email"], Role.CONTRIBUTOR, by=by)
    sign_in_there(Client())
    issuer.person |= {"sub": "x", "email": "x@harbour.example", "email_verified": False}
    sign_in_there(Client())
    with scope(workspace=workspace):
        assert list(Membership.objects.values_list("user", flat=True)) == [by.pk]


def test_an_administrator_names_a_domain_of_their_own_that_the_operator_allows(
    issuer: Issuer, workspace: Workspace
) -> None:
    rules = reverse("workspaces:sign_in", args=[workspace.slug])
    stranger = signed_in(workspace)
    page = stranger.get(rules).content.decode()
    assert "harbour.example" not in page
    assert "People of your domain can join by themselves" in page
    stranger.post(rules, {"domains": ["harbour.example"]})
    assert domains.captured() == []
    client = signed_in(workspace)
    client.member.user.emailaddress_set.create(email="admin@harbour.example", verified=True)
    assert "harbour.example" in client.get(rules).content.decode()
    assert client.post(rules, {"domains": ["gmail.com"]}).status_code == 200
    client.post(rules, {"domains": ["harbour.example"]})
    assert domains.captured() == ["harbour.example"]
    entry = AuditEntry.objects.get(action="workspace.domains_changed")
    assert entry.details["changes"] == {"domains": {"was": [], "becomes": ["harbour.example"]}}
    stranger.post(rules, {})
    assert domains.captured() == [], "any Administrator takes it back"


def test_the_environment_names_issuers(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(**values: str) -> list[dict[str, Any]]:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return configured.named(Env(), only_https=True)

    assert named() == []
    with pytest.raises(ImproperlyConfigured, match="OIDC_GOOGLE_CLIENT_SECRET"):
        named(OIDC_GOOGLE_CLIENT_ID="g")
    with pytest.raises(ImproperlyConfigured, match="OIDC_MICROSOFT_TENANT"):
        named(OIDC_GOOGLE_CLIENT_SECRET="s", OIDC_MICROSOFT_CLIENT_ID="m")
    with pytest.raises(ImproperlyConfigured, match="https"):
        named(
            OIDC_MICROSOFT_TENANT="t-1",
            OIDC_MICROSOFT_CLIENT_SECRET="s",
            OIDC_CLIENT_ID="o",
            OIDC_CLIENT_SECRET="s",
            OIDC_ISSUER="http://id.example",
        )
    found = named(OIDC_ISSUER="https://id.example/", OIDC_DOMAINS="A.example, b.example")
    assert [(one["name"], one["settings"]["server_url"]) for one in found] == [
        ("Google", "https://accounts.google.com"),
        ("Microsoft", "https://login.microsoftonline.com/t-1/v2.0"),
        ("OpenID Connect", "https://id.example"),
    ]
    assert found[-1]["settings"]["domains"] == ["a.example", "b.example"]
