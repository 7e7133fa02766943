"""Invitations: from the Administrator's form to the new member's first page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from tests.workspaces.factories import (
    PASSWORD,
    MembershipFactory,
    UserFactory,
    WorkspaceFactory,
    sign_in,
    signed_in,
)
from workspaces.models import AuditEntry, Invitation, Membership, Role, User, Workspace

EMAIL = "marta@example.org"


def invite(workspace: Workspace, email: str = EMAIL, role: str = Role.CONTRIBUTOR) -> Any:
    client = signed_in(workspace)
    return client.post(
        reverse("workspaces:member_invite", args=[workspace.slug]),
        {"email": email, "role": role},
        follow=True,
    )


def link() -> str:
    """The path in the newest e-mail."""
    return re.search(r"http://testserver(/invitations/\S+)", mail.outbox[-1].body)[1]


def test_the_invited_get_an_email_in_text_and_html(workspace: Workspace) -> None:
    page = invite(workspace).content.decode()
    assert "on its way to marta@example.org" in page
    (message,) = mail.outbox
    assert message.to == [EMAIL]
    assert workspace.name in message.subject
    html, kind = message.alternatives[0]
    assert kind == "text/html"
    assert link() in html


def test_the_token_is_kept_only_as_a_hash(workspace: Workspace) -> None:
    invite(workspace)
    token = link().rstrip("/").rsplit("/", 1)[1]
    invitation = Invitation.objects.get()
    assert token not in str(vars(invitation))
    assert token not in str(list(AuditEntry.objects.values()))


def test_someone_without_an_account_signs_up_and_joins(workspace: Workspace) -> None:
    invite(workspace)
    client = Client()
    page = client.get(link()).content.decode()
    signup = re.search(r'href="(/accounts/signup/[^"]+)"', page)[1].replace("&amp;", "&")
    form = client.get(signup).content.decode()
    assert f'value="{EMAIL}"' in form
    client.post(signup, {"email": EMAIL, "password1": PASSWORD, "next": link()})
    assert len(mail.outbox) == 1, "the invitation's link has confirmed the address"
    answer = client.post(link(), follow=True)
    assert f"Welcome to {workspace.name}" in answer.content.decode()
    assert Membership.objects.get(user__email=EMAIL).role == Role.CONTRIBUTOR


def test_signing_up_with_another_address_than_the_invited_needs_its_confirmation(
    workspace: Workspace,
) -> None:
    invite(workspace)
    client = Client()
    client.get(link())
    client.post(reverse("account_signup"), {"email": "other@example.org", "password1": PASSWORD})
    assert mail.outbox[-1].to == ["other@example.org"]
    user = User.objects.get(email="other@example.org")
    assert not user.emailaddress_set.filter(verified=True).exists()


def test_someone_with_an_account_signs_in_and_joins(workspace: Workspace) -> None:
    user = UserFactory(email=EMAIL)
    invite(workspace)
    client = Client()
    assert "Sign in to accept" in client.get(link()).content.decode()
    client = sign_in(client, user)
    assert "Accept the invitation" in client.get(link()).content.decode()
    client.post(link())
    assert Membership.objects.get(user=user).role == Role.CONTRIBUTOR
    assert AuditEntry.objects.filter(action="member.joined", actor=user).exists()


def test_nobody_else_can_accept_it(workspace: Workspace) -> None:
    invite(workspace)
    client = sign_in(Client(), UserFactory())
    assert "You are signed in as" in client.get(link()).content.decode()
    answer = client.post(link())
    assert "is for marta@example.org" in answer.content.decode()
    assert not Membership.objects.filter(user__email=EMAIL).exists()


def test_an_address_that_is_not_confirmed_is_not_theirs(workspace: Workspace) -> None:
    user = UserFactory(email=EMAIL, confirmed=False)
    invite(workspace)
    client = sign_in(Client(), user)
    client.post(link())
    assert not Membership.objects.filter(user=user).exists()


def test_it_works_once(workspace: Workspace) -> None:
    user = UserFactory(email=EMAIL)
    invite(workspace)
    client = sign_in(Client(), user)
    client.post(link())
    Membership.objects.get(user=user).delete()
    answer = client.post(link())
    assert answer.status_code == 410
    assert not Membership.objects.filter(user=user).exists()


@pytest.mark.parametrize("end", ["expired", "revoked", "replaced"])
def test_it_stops_working_when(workspace: Workspace, end: str) -> None:
    user = UserFactory(email=EMAIL)
    invite(workspace)
    old = link()
    invitation = Invitation.objects.get()
    if end == "expired":
        invitation.expires_at = timezone.now() - timedelta(seconds=1)
        invitation.save()
    elif end == "revoked":
        signed_in(workspace).post(
            reverse("workspaces:invitation_revoke", args=[workspace.slug, invitation.pk])
        )
        assert AuditEntry.objects.filter(action="member.invitation_revoked").exists()
    else:
        signed_in(workspace).post(
            reverse("workspaces:invitation_resend", args=[workspace.slug, invitation.pk])
        )
        assert link() != old
    client = sign_in(Client(), user)
    answer = client.post(old)
    assert answer.status_code == 410
    assert "no longer works" in answer.content.decode()
    assert not Membership.objects.filter(user=user).exists()


def test_a_link_that_never_was_says_the_same_as_one_that_has_ended(db: None) -> None:
    answer = Client().get("/invitations/no-such-workspace/nonsense/")
    assert answer.status_code == 410


def test_a_link_of_one_workspace_does_not_open_another(workspace: Workspace) -> None:
    invite(workspace)
    other = WorkspaceFactory()
    assert Client().get(link().replace(workspace.slug, other.slug)).status_code == 410


def test_a_member_is_not_invited_again(workspace: Workspace) -> None:
    MembershipFactory(workspace=workspace, user=UserFactory(email=EMAIL))
    page = invite(workspace, EMAIL.upper()).content.decode()
    assert "is a member already" in page
    assert mail.outbox == []


def test_who_joined_meanwhile_keeps_their_role(workspace: Workspace) -> None:
    invite(workspace, role=Role.VIEWER)
    user = UserFactory(email=EMAIL)
    MembershipFactory(workspace=workspace, user=user, role=Role.ADMINISTRATOR)
    sign_in(Client(), user).post(link())
    assert Membership.objects.get(user=user).role == Role.ADMINISTRATOR


def test_when_the_mail_server_is_down_nothing_is_half_done(
    workspace: Workspace, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    page = invite(workspace).content.decode()
    assert "could not be sent" in page
    assert not Invitation.objects.exists()
    assert not AuditEntry.objects.filter(action="member.invited").exists()


def test_invitations_of_another_workspace_are_a_404(workspace: Workspace) -> None:
    invite(workspace)
    invitation = Invitation.objects.get()
    other = WorkspaceFactory()
    with scope(workspace=other):
        client = signed_in(other)
        for name in ("invitation_revoke", "invitation_resend"):
            path = reverse(f"workspaces:{name}", args=[other.slug, invitation.pk])
            assert client.post(path).status_code == 404
    invitation.refresh_from_db()
    assert invitation.is_pending
