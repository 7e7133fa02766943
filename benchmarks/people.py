"""Members of a benchmark's workspace, signed in without a form."""

from typing import Any


def members(workspace: Any, count: int) -> list[Any]:
    """As many more people; their roles go round."""
    from django_scopes import scope

    from workspaces.models import Membership, Role, User

    roles = [Role.ADMINISTRATOR, Role.CONTRIBUTOR, Role.VIEWER]
    people = [
        User.objects.create(email=f"person{number}@{workspace.slug}.example.com", language="en")
        for number in range(count)
    ]
    with scope(workspace=workspace):
        for number, person in enumerate(people):
            Membership.objects.create(workspace=workspace, user=person, role=roles[number % 3])
    return people


def session_of(person: Any) -> str:
    """The key of a session in which the person is signed in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)
