"""People, workspaces and memberships for tests."""

import time
from typing import Any

import factory
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django_scopes import scope
from factory.django import DjangoModelFactory

from workspaces.models import Membership, Role, User, Workspace

PASSWORD = "a quiet harbour at dawn"


class UserFactory(DjangoModelFactory):
    """A person whose e-mail address is confirmed, so that they can sign in with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"member{n}@example.com")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def confirmed(self, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        if create and extracted is not False:
            self.emailaddress_set.create(email=self.email, verified=True, primary=True)


class WorkspaceFactory(DjangoModelFactory):
    class Meta:
        model = Workspace

    name = factory.Sequence(lambda n: f"Workspace {n}")
    slug = factory.Sequence(lambda n: f"workspace-{n}")
    time_zone = "Europe/Madrid"


class TenantFactory(DjangoModelFactory):
    """Makes rows of whatever workspace, each in its scope."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        with scope(workspace=kwargs["workspace"]):
            return cls._make(model_class, *args, **kwargs)

    @classmethod
    def _make(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._create(model_class, *args, **kwargs)


class MembershipFactory(TenantFactory):
    """A member; an Administrator unless told otherwise."""

    class Meta:
        model = Membership

    workspace = factory.SubFactory(WorkspaceFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.ADMINISTRATOR


def sign_in(client: Client, user: User) -> Client:
    """Signs a person in as the sign-in page would, just now: with what it leaves in the session."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def grown_stale(client: Client) -> Client:
    """The browser an hour later: whoever sits before it must prove again who they are."""
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 3600
    session.save()
    return client


def signed_in(workspace: Workspace, role: str = Role.ADMINISTRATOR) -> Client:
    """A browser in which a new member of the workspace, in the role given, is signed in."""
    client = Client()
    member = MembershipFactory.create(workspace=workspace, role=role)
    sign_in(client, member.user)
    client.member = member  # type: ignore[attr-defined]
    return client
