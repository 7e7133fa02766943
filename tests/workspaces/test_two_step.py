"""Two-step sign-in: the app, recovery codes, browsers signed in; a workspace that demands it."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django_scopes import scope

from api import tokens
from config import cipher
from tests.workspaces.factories import (
    PASSWORD,
    MembershipFactory,
    UserFactory,
    grown_stale,
    sign_in,
    signed_in,
)
from workspaces import two_step
from workspaces.models import AuditEntry, Role, User, Workspace

SECURITY = reverse("mfa_index")


@pytest.fixture(autouse=True)
def commit_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for the commit, which a test never comes to, is done within the request."""
    monkeypatch.setattr(transaction, "on_commit", lambda then, **_how: then())


def code(secret: str, periods_ahead: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods_ahead))


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def set_app_up(client: Client) -> tuple[str, list[str]]:
    """Sets the app up as a person does; returns its secret, and the recovery codes."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'<code class="secret-text">(\w+)<', page)[1]
    answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    shown = client.get(answer.url)
    return secret, re.findall(r"<code>(\d{8})</code>", shown.content.decode())


def begin(user: User) -> Client:
    """A browser in which the password was right."""
    client = Client()
    form = {"login": user.email, "password": PASSWORD}
    assert client.post(reverse("account_login"), form).url == reverse("mfa_authenticate")
    return client


def is_in(client: Client) -> bool:
    return client.get(SECURITY).status_code == 200


def test_with_the_app_the_password_alone_no_longer_signs_in(db: None) -> None:
    user = UserFactory()
    client, elsewhere = sign_in(Client(), user), sign_in(Client(), user)
    assert is_in(elsewhere)
    secret, codes = set_app_up(client)
    assert len(codes) == 10
    assert mail.outbox[-1].subject == "Your authenticator app is on"
    assert is_in(client)
    assert not is_in(elsewhere), "a browser signed in without the second step is signed out"

    second = begin(user)
    assert not is_in(second)
    step = reverse("mfa_authenticate")
    assert "That is not right" in words(second.post(step, {"code": "000000"}))
    second.post(step, {"code": code(secret, 1)})
    assert is_in(second)
    replayed = begin(user)
    replayed.post(step, {"code": code(secret, 1)})
    assert not is_in(replayed), "a code is good once"
    replayed.post(step, {"code": codes[0]})
    assert is_in(replayed)
    again = begin(user)
    again.post(step, {"code": codes[0]})
    assert not is_in(again), "a recovery code is good once"

    grown_stale(client)
    off = reverse("mfa_deactivate_totp")
    assert client.post(off).url.startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    client.post(off)
    assert not Authenticator.objects.filter(user=user).exists()
    assert mail.outbox[-1].subject == "Your authenticator app is off"


def test_what_makes_codes_is_encrypted_in_the_database(db: None) -> None:
    user = UserFactory()
    secret, codes = set_app_up(sign_in(Client(), user))
    app, recovery = Authenticator.objects.filter(user=user).order_by("-type")
    assert cipher.decrypt(app.data["secret"].encode()) == secret
    stored = f"{app.data} {recovery.data}"
    assert secret not in stored
    assert not [one for one in codes if one in stored]
    assert len(cipher.decrypt(recovery.data["seed"].encode())) == 80


def test_the_browsers_are_listed_and_signed_out_one_by_one_or_all_others(db: None) -> None:
    user = UserFactory()
    agents = {
        "Firefox on Windows": "Mozilla/5.0 (Windows NT 10.0; rv:130.0) Gecko Firefox/130.0",
        "Safari on iOS": "Mozilla/5.0 (iPhone; CPU iPhone OS 17) AppleWebKit Safari/604.1",
        "Edge on macOS": "Mozilla/5.0 (Macintosh) AppleWebKit Chrome/129.0 Safari/537 Edg/129.0",
    }
    clients = [sign_in(Client(headers={"user-agent": one}), user) for one in agents.values()]
    assert all(is_in(client) for client in clients)
    here, second, third = clients
    sessions = reverse("usersessions_list")
    page = here.get(sessions)
    assert all(name in words(page) for name in agents)
    named = next(one for one in page.context["sessions"] if "iPhone" in one.user_agent)
    stranger = sign_in(Client(), UserFactory())
    stranger.post(sessions, {"session": named.pk})
    assert is_in(second), "nobody ends another person's session"
    here.post(sessions, {"session": named.pk})
    assert [is_in(client) for client in clients] == [True, False, True]
    assert "Signed out there." in words(here.post(sessions, follow=True))
    assert [is_in(client) for client in clients] == [True, False, False]
    assert not is_in(third)


def demanded(workspace: Workspace) -> Workspace:
    workspace.two_step_demanded = True
    workspace.save()
    return workspace


def give_second_step(user: User) -> None:
    Authenticator.objects.create(
        user=user, type="totp", data={"secret": cipher.encrypt("A" * 32).decode()}
    )


def test_an_administrator_demands_it_who_has_it(workspace: Workspace) -> None:
    client = signed_in(workspace)
    rules = reverse("workspaces:sign_in", args=[workspace.slug])
    refused = words(client.post(rules, {"two_step_demanded": "on"}))
    assert "else you would be locked out" in refused
    workspace.refresh_from_db()
    assert not workspace.two_step_demanded
    give_second_step(client.member.user)
    MembershipFactory(workspace=workspace)
    assert "1 member doesn’t have it yet." in words(client.get(rules))
    client.post(rules, {"two_step_demanded": "on"})
    workspace.refresh_from_db()
    assert workspace.two_step_demanded
    entry = AuditEntry.objects.get(action="workspace.two_step_changed")
    assert entry.details["changes"]["two_step_demanded"] == {"was": False, "becomes": True}
    assert client.get(rules).status_code == 200, "who switched it on is inside"
    client.post(rules, {})
    workspace.refresh_from_db()
    assert not workspace.two_step_demanded


@pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
def test_only_administrators_demand_it(workspace: Workspace, role: str) -> None:
    client = signed_in(workspace, role)
    give_second_step(client.member.user)
    rules = reverse("workspaces:sign_in", args=[workspace.slug])
    assert client.get(rules).status_code == 403
    assert client.post(rules, {"two_step_demanded": "on"}).status_code == 403


def test_who_does_not_have_it_is_led_to_set_it_up_before_anything_of_the_workspace(
    workspace: Workspace,
) -> None:
    demanded(workspace)
    client = signed_in(workspace, Role.CONTRIBUTOR)
    other = MembershipFactory(user=client.member.user).workspace
    for name in ("workspaces:home", "segments:segment_list", "exports:destination_list"):
        url = reverse(name, args=[workspace.slug])
        assert client.get(url).url == SECURITY
        assert client.post(url).url == SECURITY
    fragment = client.get(workspace.get_absolute_url(), headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == SECURITY
    assert f"The workspace {workspace.name} demands it" in words(client.get(SECURITY))
    assert client.get(other.get_absolute_url()).status_code == 200
    set_app_up(client)
    assert client.get(workspace.get_absolute_url()).status_code == 200


def test_the_tokens_of_who_does_not_have_it_say_so_and_those_of_services_work(
    workspace: Workspace,
) -> None:
    member = MembershipFactory(workspace=workspace)

    def ask(membership: Any) -> Any:
        made = tokens.create(
            workspace,
            name="Dashboard",
            role=Role.VIEWER,
            scopes=["read"],
            expires_at=None,
            by=member.user,
            membership=membership,
        )
        return Client().get("/api/v1/segments", headers={"Authorization": f"Bearer {made.text}"})

    assert ask(member).status_code == 200
    demanded(workspace)
    answer = ask(member)
    assert (answer.status_code, answer.json()["code"]) == (403, "two_step_required")
    assert "Security" in answer.json()["detail"]
    assert ask(None).status_code == 200
    give_second_step(member.user)
    assert ask(member).status_code == 200


def test_an_operator_helps_who_lost_the_second_step(db: None) -> None:
    lost = UserFactory()
    give_second_step(lost)
    operator = sign_in(Client(), UserFactory(is_staff=True, is_superuser=True))
    people = reverse("admin:workspaces_user_changelist")
    operator.post(people, {"action": "turn_two_step_off", "_selected_action": [lost.pk]})
    assert not two_step.has(lost)
    assert mail.outbox[-1].subject == "Two-step sign-in has been turned off"
    stranger = Client()
    there = stranger.get("/operator/login/?next=/operator/")
    assert there.url.startswith(reverse("account_login")), "operators sign in with both steps too"


def test_no_workspace_is_closed_by_another_ones_demand(db: None) -> None:
    member = MembershipFactory()
    demanded(MembershipFactory().workspace)
    client = sign_in(Client(), member.user)
    with scope(workspace=member.workspace):
        assert client.get(member.workspace.get_absolute_url()).status_code == 200
