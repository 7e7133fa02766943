"""A program that uses the API, for tests."""

from collections.abc import Iterable
from typing import Any

from django.test import Client

from api import tokens
from api.models import Scope, Token
from tests.workspaces.factories import MembershipFactory
from workspaces.models import Membership, Role, Workspace

PREFIX = "/api/v1"


def service_token(
    workspace: Workspace,
    role: str = Role.ADMINISTRATOR,
    scopes: Iterable[str] = tuple(Scope),
    **more: Any,
) -> tokens.Made:
    maker = MembershipFactory(workspace=workspace).user
    return tokens.create(
        workspace,
        **{"name": "nightly import", "expires_at": None, **more},
        role=role,
        scopes=list(scopes),
        by=maker,
    )


def personal_token(member: Membership, role: str = Role.ADMINISTRATOR, **more: Any) -> tokens.Made:
    return tokens.create(
        member.workspace,
        **{"name": "mine", "expires_at": None, "scopes": list(Scope), **more},
        role=role,
        by=member.user,
        membership=member,
    )


class Program:
    """Calls the API with a token, by paths after the prefix."""

    def __init__(self, text: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {text}"})
        self.client.raise_request_exception = False

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(f"{PREFIX}{path}", **more)

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        more.setdefault("content_type", "application/json")
        data = {} if body is None else body
        return getattr(self.client, method)(f"{PREFIX}{path}", data, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.send("post", path, body, **more)

    def upload(self, path: str, content: bytes, **more: Any) -> Any:
        return self.client.post(
            f"{PREFIX}{path}", content, content_type="application/octet-stream", **more
        )


def program(workspace: Workspace, role: str = Role.ADMINISTRATOR, **more: Any) -> Program:
    """A service of the workspace, with every scope unless told otherwise."""
    return Program(service_token(workspace, role, **more).text)


def reload(token: Token) -> Token:
    return Token.objects.get(pk=token.pk)
