"""A connection's tokens: encrypted at rest, refreshed once for all workers.

Nothing else reads or writes the token columns.
"""

from datetime import UTC, datetime, timedelta
from functools import cache

import requests
from authlib.integrations.base_client.errors import OAuthError
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from connections import oauth_client
from connections.constant_contact.errors import SignInAgain, Unavailable
from connections.models import Connection
from connections.notices import tell_administrators

# A token about to expire may do so on its way.
AHEAD = timedelta(minutes=5)
EPOCH_FROM = 10**9
SIGN_IN_AGAIN = "Constant Contact no longer accepts the authorisation. Sign in to it again."


@cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> bytes:
    return _fernet(tuple(settings.TOKEN_ENCRYPTION_KEYS)).encrypt(text.encode())


def decrypt(data: bytes | memoryview) -> str:
    return _fernet(tuple(settings.TOKEN_ENCRYPTION_KEYS)).decrypt(bytes(data)).decode()


def keep(connection: Connection, answer: dict[str, object]) -> None:
    """Sets the connection's tokens from the token endpoint's answer; the caller saves.

    A long-lived refresh token may not be repeated in the answer: then the one at hand stays.
    """
    connection.access_token = encrypt(str(answer["access_token"]))
    if answer.get("refresh_token"):
        connection.refresh_token = encrypt(str(answer["refresh_token"]))
    connection.token_expires_at = _expiry(answer.get("expires_in"))
    connection.token_refreshed_at = timezone.now()


def _expiry(said: object) -> datetime:
    """`expires_in` is seconds, or as one of the provider's documents has it an epoch time."""
    seconds = int(str(said or 28_800))
    if seconds > EPOCH_FROM:
        return datetime.fromtimestamp(seconds, UTC)
    return timezone.now() + timedelta(seconds=seconds)


class ConnectionTokens:
    """The token provider of one connection, for the API client."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self) -> str:
        connection = self._fresh()
        expires_at = connection.token_expires_at
        token = decrypt(connection.access_token or b"")
        if expires_at is not None and expires_at - timezone.now() < AHEAD:
            return self.refresh(token)
        return token

    def refresh(self, stale: str) -> str:
        """A token other than `stale`: another worker's if it was quicker, else a new one.

        The row lock is held until the new pair is stored: a rotating refresh token works once.
        Raises `SignInAgain` when the grant is dead, `Unavailable` when it could not be asked.
        """
        with transaction.atomic(durable=False):
            connection = (
                Connection.objects.select_for_update()
                .filter(workspace_id=self.connection.workspace_id)
                .get(pk=self.connection.pk)
            )
            if connection.state != Connection.State.ACTIVE or not connection.refresh_token:
                raise SignInAgain(SIGN_IN_AGAIN)
            current = decrypt(connection.access_token or b"")
            if current != stale:
                return current
            dead = self._ask(connection)
            connection.save()
        if dead:
            tell_administrators(connection)
            raise SignInAgain(SIGN_IN_AGAIN)
        return decrypt(connection.access_token or b"")

    def _ask(self, connection: Connection) -> bool:
        """Whether the grant is dead; otherwise the connection holds the new pair."""
        try:
            answer = oauth_client.refresh(decrypt(connection.refresh_token or b""))
        except OAuthError as refused:
            if refused.error != "invalid_grant":
                raise Unavailable("Constant Contact did not renew the authorisation.") from None
            connection.state = Connection.State.NEEDS_SIGN_IN
            connection.state_reason = SIGN_IN_AGAIN
            return True
        except requests.RequestException:
            raise Unavailable("Constant Contact's sign-in server can't be reached.") from None
        keep(connection, answer)
        return False

    def _fresh(self) -> Connection:
        connection = Connection.objects.filter(workspace_id=self.connection.workspace_id).get(
            pk=self.connection.pk
        )
        if connection.state != Connection.State.ACTIVE or not connection.access_token:
            raise SignInAgain(SIGN_IN_AGAIN)
        return connection
