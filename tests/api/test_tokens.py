"""Tokens: what they may do, from where, for how long, and what is kept of them."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from api import tokens
from api.models import Scope, Token
from tests.api.client import PREFIX, Program, personal_token, program, reload, service_token
from tests.workspaces.factories import MembershipFactory, WorkspaceFactory, signed_in
from workspaces import members
from workspaces.models import AuditEntry, Membership, Role, Workspace


def code_of(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_token_opens_its_workspace_and_says_what_it_may(workspace: Workspace) -> None:
    answer = program(workspace, Role.CONTRIBUTOR, scopes=["read", "run"]).get("/token")
    assert answer.json() == {
        "name": "nightly import",
        "kind": "service",
        "role": "contributor",
        "scopes": ["read", "run"],
        "workspace": workspace.slug,
        "expires_at": None,
    }


def test_only_its_hash_is_kept(workspace: Workspace) -> None:
    made = service_token(workspace)
    assert made.text.startswith("segue_sat_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM api_token t")
        stored = str(cursor.fetchall())
    assert made.text not in stored
    assert made.text[-56:] not in stored
    assert hashlib.sha256(made.text.encode()).hexdigest() in stored


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic abc", "Bearer segue_sat_1_" + "0" * 64]
)
def test_without_a_valid_token_nothing_is_told(workspace: Workspace, header: str) -> None:
    caller = Program("")
    caller.client.headers = {}  # type: ignore[attr-defined]
    answer = caller.client.get(f"{PREFIX}/sources", headers={"Authorization": header})
    assert code_of(answer) == (401, "unauthenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_it_ends_when_it_expires_and_when_it_is_revoked(workspace: Workspace) -> None:
    made = service_token(workspace, expires_at=timezone.now() + timedelta(hours=1))
    caller = Program(made.text)
    assert caller.get("/token").status_code == 200
    Token.objects.update(expires_at=timezone.now())
    assert code_of(caller.get("/token")) == (401, "token_expired")
    tokens.revoke(made.token, by=made.token.created_by)  # type: ignore[arg-type]
    assert code_of(caller.get("/token")) == (401, "token_revoked")


def test_a_members_token_never_does_more_than_the_member_now(workspace: Workspace) -> None:
    member = MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR)
    caller = Program(personal_token(member, role=Role.ADMINISTRATOR).text)
    assert caller.get("/token").json()["role"] == "contributor"
    assert caller.post("/refreshes").status_code == 202

    members.change_role(member, Role.VIEWER, by=None)
    assert caller.get("/token").json()["role"] == "viewer"
    assert code_of(caller.post("/refreshes")) == (403, "forbidden")


def test_a_removed_members_tokens_die_and_a_service_goes_on(workspace: Workspace) -> None:
    member = MembershipFactory(workspace=workspace, role=Role.ADMINISTRATOR)
    MembershipFactory(workspace=workspace)
    mine = Program(personal_token(member).text)
    service = tokens.create(
        workspace,
        name="s",
        role=Role.VIEWER,
        scopes=["read"],
        expires_at=None,
        by=member.user,
    )
    members.remove(member, by=None)
    assert code_of(mine.get("/token")) == (401, "unauthenticated")
    assert Program(service.text).get("/token").status_code == 200


def test_a_person_whose_account_is_closed_has_no_token(workspace: Workspace) -> None:
    member = MembershipFactory(workspace=workspace)
    caller = Program(personal_token(member).text)
    member.user.is_active = False
    member.user.save()
    assert code_of(caller.get("/token")) == (401, "unauthenticated")


def test_a_scope_that_is_missing_is_named(workspace: Workspace) -> None:
    answer = program(workspace, scopes=["read"]).get("/profiles")
    assert code_of(answer) == (403, "missing_scope")
    assert answer.json()["needs"] == ["people"]


def test_it_works_from_its_addresses_only(workspace: Workspace) -> None:
    made = service_token(workspace, addresses=["203.0.113.0/24", "2001:db8::/32"])
    caller = Program(made.text)
    assert code_of(caller.get("/token")) == (403, "address_not_allowed")
    for address in ("203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9"):
        assert caller.get("/token", REMOTE_ADDR=address).status_code == 200


def test_its_last_use_is_written_at_most_once_a_minute(workspace: Workspace) -> None:
    made = service_token(workspace)
    caller = Program(made.text)
    caller.get("/token")
    first = reload(made.token)
    assert first.last_used_at is not None
    assert first.last_used_from == "127.0.0.1"
    with CaptureQueriesContext(
        connection,
    ) as queries:
        caller.get("/token")
    assert not [one for one in queries if one["sql"].startswith("UPDATE")]
    Token.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    caller.get("/token")
    assert reload(made.token).last_used_at > timezone.now() - timedelta(minutes=1)  # type: ignore[operator]


def test_what_a_token_changes_is_recorded_with_it(workspace: Workspace) -> None:
    member = MembershipFactory(workspace=workspace)
    Program(personal_token(member).text).post("/refreshes")
    by_member = AuditEntry.objects.get(action="refresh.started")
    assert (by_member.actor, by_member.details["token"]) == (member.user, "mine")
    assert by_member.address == "127.0.0.1"

    program(workspace).post("/suppressions", {"addresses": ["ada@example.com"]})
    by_service = AuditEntry.objects.get(action="suppression.added")
    assert (by_service.actor, by_service.actor_label) == (None, "nightly import")


class TestPages:
    def test_a_member_makes_a_token_sees_it_once_and_revokes_it(self, workspace: Workspace) -> None:
        browser = signed_in(workspace, Role.VIEWER)
        made = browser.post(
            reverse("api_pages:token_add", args=[workspace.slug]),
            {"name": "dashboard", "scopes": ["read"], "role": "viewer", "days": "30"},
        )
        token = Token.objects.get()
        text = made.content.decode().split('data-copy="')[1].split('"')[0]
        assert Program(text).get("/token").json()["kind"] == "personal"
        assert made["Cache-Control"] == "no-store"
        listed = browser.get(reverse("api_pages:token_list", args=[workspace.slug]))
        assert token.hint in listed.content.decode()
        assert text not in listed.content.decode()

        browser.post(reverse("api_pages:token_revoke", args=[workspace.slug, token.pk]))
        assert code_of(Program(text).get("/token")) == (401, "token_revoked")
        actions = set(AuditEntry.objects.values_list("action", flat=True))
        assert {"token.created", "token.revoked"} <= actions

    def test_nobody_gives_a_token_more_than_they_have(self, workspace: Workspace) -> None:
        browser = signed_in(workspace, Role.CONTRIBUTOR)
        entered = {"name": "x", "scopes": ["read"], "role": "administrator", "days": "30"}
        browser.post(reverse("api_pages:token_add", args=[workspace.slug]), entered)
        assert not Token.objects.exists()
        service = browser.post(
            reverse("api_pages:token_add_service", args=[workspace.slug]), entered
        )
        assert service.status_code == 403

    def test_what_is_no_address_is_said_and_nothing_is_made(self, workspace: Workspace) -> None:
        answer = signed_in(workspace).post(
            reverse("api_pages:token_add_service", args=[workspace.slug]),
            {
                "name": "x",
                "scopes": list(Scope),
                "role": "viewer",
                "days": "0",
                "addresses": "203.0.113.7\nhome",
            },
        )
        assert "“home” is no IP address" in answer.content.decode()
        assert not Token.objects.exists()

    @pytest.mark.parametrize("role", [Role.CONTRIBUTOR, Role.VIEWER])
    def test_only_administrators_see_and_revoke_those_of_others(
        self, workspace: Workspace, role: str
    ) -> None:
        other: Membership = MembershipFactory(workspace=workspace)
        token = personal_token(other, name="not theirs").token
        where = reverse("api_pages:token_list", args=[workspace.slug])
        revoke = reverse("api_pages:token_revoke", args=[workspace.slug, token.pk])
        browser = signed_in(workspace, role)
        assert "not theirs" not in browser.get(where).content.decode()
        assert browser.post(revoke).status_code == 403
        administrator = signed_in(workspace)
        assert "not theirs" in administrator.get(where).content.decode()
        assert administrator.post(revoke).status_code == 302
        assert reload(token).revoked_at is not None

    def test_another_workspaces_token_is_not_there(self, workspace: Workspace) -> None:
        token = service_token(workspace).token
        elsewhere = WorkspaceFactory()
        browser = signed_in(elsewhere)
        revoke = reverse("api_pages:token_revoke", args=[elsewhere.slug, token.pk])
        assert browser.post(revoke).status_code == 404
