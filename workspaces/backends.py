"""Signing in as allauth does; who is signed in is found by a query that is made once."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import QuerySet

from config.kept_queries import KeptQuery
from workspaces.models import User


class Backend(AuthenticationBackend):
    def get_user(self, user_id: Any) -> User | None:
        return _user.first(pk=user_id)


@KeptQuery
def _user(pk: Any) -> QuerySet[User]:
    return User.objects.filter(pk=pk, is_active=True)
