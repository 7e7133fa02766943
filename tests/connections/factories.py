"""Connections for tests: finished ones, with tokens of the sandbox if it is given."""

from typing import Any

import factory
from django.utils import timezone
from django_scopes import scope

from connections import consent_text, tokens
from connections.constant_contact import Client
from connections.models import Connection, Consent
from tests.workspaces.factories import MembershipFactory, TenantFactory, WorkspaceFactory
from workspaces.models import User, Workspace


class ConnectionFactory(TenantFactory):
    """An account that may be used: consent stands, tokens are there, an Administrator vouches.

    `answer` is the token endpoint's answer whose tokens it holds.
    """

    class Meta:
        model = Connection
        skip_postgeneration_save = True

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Account {n}")
    state = Connection.State.ACTIVE
    account_id = "a1b2c3d4e5f6"
    account_name = "Harbour Books"
    account_email = "olga@harbour-books.example"
    export_user = factory.LazyAttribute(
        lambda one: MembershipFactory.create(workspace=one.workspace).user
    )
    authorised_by = factory.SelfAttribute("export_user")
    created_by = factory.SelfAttribute("export_user")
    authorised_at = export_user_since = factory.LazyFunction(timezone.now)

    @classmethod
    def _make(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        answer = kwargs.pop("answer", None) or {
            "access_token": "the-access-token",
            "refresh_token": "the-refresh-token",
            "expires_in": 86_400,
        }
        connection = model_class(*args, **kwargs)
        tokens.keep(connection, answer)
        connection.save()
        return connection

    @factory.post_generation
    def consented(self, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        if create and extracted is not False:
            _consent(self, self.export_user)


def connected(workspace: Workspace, sandbox: Any, **values: Any) -> Connection:
    """A connection to the sandbox's first account."""
    account = sandbox.control("accounts")[0]
    return ConnectionFactory(
        workspace=workspace,
        account_id=account["account"],
        account_name=account["organization"],
        answer=sandbox.tokens(),
        **values,
    )


def draft(workspace: Workspace, by: User, **values: Any) -> Connection:
    """A connection that `by` has begun and not signed in for."""
    with scope(workspace=workspace):
        connection = Connection.objects.create(
            workspace=workspace, created_by=by, **{"name": "Newsletter account", **values}
        )
    _consent(connection, by)
    return connection


def _consent(connection: Connection, by: User) -> None:
    with scope(workspace=connection.workspace):
        Consent.objects.create(
            workspace=connection.workspace,
            connection=connection,
            text_version=consent_text.VERSION,
            text=consent_text.text(),
            accepted_by=by,
        )


class FixedToken:
    """A provider of one token, and of another once the first is refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = [*tokens]
        self.refreshed = 0

    def get(self) -> str:
        return self.tokens[0]

    def refresh(self, stale: str) -> str:
        self.refreshed += 1
        if len(self.tokens) > 1 and self.tokens[0] == stale:
            self.tokens.pop(0)
        return self.tokens[0]


def client_of(sandbox: Any, **how: Any) -> Client:
    """The API client with a token of the sandbox's first account; quick to give up."""
    token = FixedToken(sandbox.tokens()["access_token"])
    return Client(sandbox.api_url, token, **{"timeout": (2, 5), **how})
