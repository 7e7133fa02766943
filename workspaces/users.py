"""People: one account each, known by e-mail address, a member of any number of workspaces."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.base_user import BaseUserManager
from django.db import models

if TYPE_CHECKING:
    from workspaces.models import User


class UserManager(BaseUserManager[Any]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> Any:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> Any:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> Any:
        return self.get(email__iexact=email)


def somebody() -> "models.ForeignKey[User | None, User | None]":
    """A column for who did something; empty once their account is gone, or if nobody did it."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
