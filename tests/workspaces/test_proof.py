"""Who does what could do harm proves anew who they are, and loses nothing of what they typed."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from api.models import Token
from connections import consent_text
from connections.models import Connection
from segments.models import Erasure, Profile
from tests.connections.factories import ConnectionFactory
from tests.connections.walk import entered
from tests.segments.factories import make_customers
from tests.workspaces.factories import (
    PASSWORD,
    MembershipFactory,
    grown_stale,
    sign_in,
    signed_in,
)
from workspaces.models import Invitation, Role, Workspace

PROVE = reverse("account_reauthenticate")
TOKEN = {"name": "Nightly import", "role": "viewer", "scopes": ["read", "write"], "days": "30"}


def prove(client: Client, asked: Any) -> Any:
    """Enters the password on the page that was come to; where it leads is opened."""
    assert asked.url.startswith(PROVE), asked
    page = client.get(asked.url)
    assert "Before going on" in page.content.decode()
    back = page.context["redirect_field_value"]
    answer = client.post(PROVE, {"password": PASSWORD, "next": back})
    assert answer.url == back
    return client.get(back)


def test_a_page_asks_before_anything_is_typed(workspace: Workspace) -> None:
    make_customers(workspace)
    connection = ConnectionFactory(workspace=workspace)
    client = signed_in(workspace)
    urls = [
        reverse(name, args=[workspace.slug, *arguments])
        for name, arguments in [
            ("connections:add", []),
            ("connections:edit", [connection.pk]),
            ("connections:export_user", [connection.pk]),
            ("api_pages:token_add", []),
            ("api_pages:token_add_service", []),
            ("segments:profile_erase", [Profile.objects.first().pk]),
            ("segments:erase_address", []),
            ("workspaces:sign_in", []),
        ]
    ]
    for url in urls:
        assert client.get(url).status_code == 200, url
    grown_stale(client)
    for url in urls:
        assert client.get(url).url == f"{PROVE}?next={url.replace('/', '%2F')}", url
    assert prove(client, client.get(urls[0])).status_code == 200
    assert client.get(urls[-1]).status_code == 200, "one proof is good for a while"


def test_what_was_typed_on_a_page_left_open_is_done_after_the_proof(workspace: Workspace) -> None:
    client = signed_in(workspace)
    add = reverse("api_pages:token_add", args=[workspace.slug])
    asked = grown_stale(client).post(add, TOKEN)
    assert not Token.objects.exists()
    made = prove(client, asked)
    assert "segue_pat_" in made.content.decode()
    (token,) = Token.objects.all()
    assert (token.name, token.scopes) == ("Nightly import", ["read", "write"])
    assert client.get(made.request["PATH_INFO"], {"waiting": "x"}).status_code == 200
    assert client.get(f"{add}?{made.request['QUERY_STRING']}").status_code == 200
    assert Token.objects.count() == 1, "it is done once"


def test_what_was_typed_waits_encrypted_for_its_person_and_its_page(workspace: Workspace) -> None:
    make_customers(workspace)
    profile = Profile.objects.first()
    client, other = signed_in(workspace), signed_in(workspace)
    erase = reverse("segments:profile_erase", args=[workspace.slug, profile.pk])
    typed = {"word": profile.key}
    asked = grown_stale(client).post(erase, typed)
    key = asked.url.rpartition("waiting%3D")[2]
    assert profile.key not in str(cache.get(f"proof:{key}"))
    assert profile.key not in str(dict(client.session))
    assert other.get(f"{erase}?waiting={key}").status_code == 200
    add = reverse("api_pages:token_add", args=[workspace.slug])
    sign_in(client, client.member.user)
    assert client.get(f"{add}?waiting={key}").status_code == 200
    assert not Erasure.objects.exists()
    assert Profile.objects.filter(pk=profile.pk).exists()


def test_consent_and_sign_in_at_the_provider_go_on_after_the_proof(
    workspace: Workspace, sandbox: Any
) -> None:
    client = signed_in(workspace)
    asked = grown_stale(client).post(
        reverse("connections:add", args=[workspace.slug]), entered(name="Newsletter")
    )
    assert not Connection.objects.exists()
    leaving = prove(client, asked)
    assert f'content="0;url={sandbox.auth_url}' in leaving.content.decode()
    assert "form-action 'self';" in leaving["Content-Security-Policy"]
    connection = Connection.objects.get()
    authorise = reverse("connections:authorise", args=[workspace.slug, connection.pk])
    again = prove(client, grown_stale(client).post(authorise))
    assert sandbox.auth_url in again.content.decode()

    consent = reverse("connections:consent", args=[workspace.slug, connection.pk])
    grown_stale(client)
    withdrawn = client.post(consent, {"answer": "withdraw"}, follow=True)
    assert "Consent is withdrawn" in withdrawn.content.decode(), "to stop needs no proof"
    agreed = {"agree": "on", "words": consent_text.fingerprint()}
    done = prove(client, client.post(consent, agreed))
    assert done.url == reverse("connections:detail", args=[workspace.slug, connection.pk])
    assert "Your consent is recorded." in client.get(done.url).content.decode()


@pytest.mark.parametrize("role", ["contributor", "viewer"])
def test_who_may_not_do_it_is_not_asked_either(workspace: Workspace, role: str) -> None:
    client = grown_stale(signed_in(workspace, role))
    for name in ("connections:add", "segments:erase_address", "workspaces:sign_in"):
        assert client.get(reverse(name, args=[workspace.slug])).status_code == 403


def test_addresses_a_password_and_administrators_are_not_made_by_whoever_finds_the_browser(
    workspace: Workspace,
) -> None:
    """With any of these the rest is theirs: a reset password, or another Administrator's hands."""
    client = signed_in(workspace)
    own = client.member.user.emailaddress_set
    account, invite = reverse("account_email"), _page(workspace, "member_invite")
    second = own.create(email="second@example.com", verified=True)
    for typed in (
        {"action_primary": "", "email": second.email},
        {"action_remove": "", "email": second.email},
        {"action_add": "", "email": "thief@example.com"},
    ):
        assert grown_stale(client).post(account, typed).url.startswith(PROVE), typed
    assert list(own.values_list("email", flat=True)) == [own.get(primary=True).email, second.email]
    prove(client, client.post(account, typed))
    assert own.filter(email="thief@example.com").exists()

    offer = {"email": "thief@example.com", "role": "administrator"}
    asked = grown_stale(client).post(invite, offer)
    assert not Invitation.objects.exists()
    prove(client, asked)
    assert Invitation.objects.get().role == Role.ADMINISTRATOR
    other = MembershipFactory(workspace=workspace, role=Role.VIEWER)
    role = _page(workspace, "member_role", other.pk)
    asked = grown_stale(client).post(role, {"role": "administrator"})
    other.refresh_from_db()
    assert other.role == Role.VIEWER
    prove(client, asked)
    other.refresh_from_db()
    assert other.role == Role.ADMINISTRATOR

    grown_stale(client)
    assert client.post(role, {"role": "contributor"}).url == _page(workspace, "members")
    client.post(invite, {"email": "new@example.com", "role": "contributor"})
    assert Invitation.objects.filter(email="new@example.com").exists(), "the others need no proof"


def _page(workspace: Workspace, name: str, *arguments: object) -> str:
    return reverse(f"workspaces:{name}", args=[workspace.slug, *arguments])
