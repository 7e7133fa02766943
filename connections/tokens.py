"""A connection's tokens: encrypted at rest, refreshed once for all workers.

Nothing else reads or writes the token columns.

Reference: https://developer.constantcontact.com/api_guide/auth_overview.html
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import requests
from authlib.integrations.base_client.errors import OAuthError
from django.db import OperationalError, connections, transaction
from django.utils import timezone

from config import cipher
from connections import oauth_client
from connections.constant_contact.errors import SignInAgain, Unavailable, retry_after
from connections.models import Connection
from connections.notices import needs_sign_in
from workspaces.sentences import gettext as _

# A token about to expire may do so on its way.
AHEAD = timedelta(minutes=5)
EPOCH_FROM = 10**9
# The shortest life that the provider's documents show.
DEFAULT_LIFE = timedelta(hours=8)
LONGEST_LIFE = timedelta(days=366)
# The provider's word for a refresh token that nobody uses; each refresh begins it anew.
IDLE_LIFE = timedelta(days=180)
# Longer than the worker at it can take: its turn at the token endpoint, and the answer.
LOCK_TIMEOUT = "60s"
# Asked a few times already, and whoever waits for a page should be told.
TRY_AGAIN_SECONDS = 30
SIGN_IN_AGAIN = "Constant Contact no longer accepts the authorisation. Sign in to it again."
UNREADABLE = (
    "The stored authorisation can't be read with this installation's TOKEN_ENCRYPTION_KEYS. Sign in"
    " to Constant Contact again, or have your operator put the earlier key back."
)

Result = TypeVar("Result")


def decrypt(data: bytes | memoryview | None) -> str:
    """Raises `SignInAgain` for what none of the keys has encrypted."""
    try:
        return cipher.decrypt(data)
    except cipher.Unreadable:
        raise SignInAgain(UNREADABLE, code="tokens_unreadable") from None


def keep(connection: Connection, answer: Mapping[str, Any]) -> None:
    """Sets the connection's tokens from the token endpoint's answer; the caller saves.

    A long-lived refresh token may not be repeated in the answer: then the one at hand stays, and
    is encrypted anew, so that a key taken out of use is needed for a day at most.
    """
    refresh_token = answer.get("refresh_token") or decrypt(connection.refresh_token)
    connection.access_token = cipher.encrypt(str(answer["access_token"]))
    connection.refresh_token = cipher.encrypt(str(refresh_token))
    connection.token_expires_at = timezone.now() + _life(answer.get("expires_in"))
    connection.token_refreshed_at = timezone.now()


def _life(said: object) -> timedelta:
    """`expires_in` is seconds, or as one of the provider's documents has it an epoch time.

    Whatever it is, it never stands in the way of keeping the tokens it came with.
    """
    try:
        seconds = float(str(said))
        if seconds > EPOCH_FROM:
            seconds = (datetime.fromtimestamp(seconds, UTC) - timezone.now()).total_seconds()
        life = timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        return DEFAULT_LIFE
    return life if timedelta(0) < life < LONGEST_LIFE else DEFAULT_LIFE


def unused_until(connection: Connection) -> datetime | None:
    """When the authorisation ends unless the connection is used before."""
    at = connection.token_refreshed_at
    return at + IDLE_LIFE if at else None


class ConnectionTokens:
    """The token provider of one connection, for the API client."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def get(self) -> str:
        """The access token, renewed when it is about to expire. Raises as `refresh` does."""
        connection = self._found().get()
        _refuse_ended(connection)
        token = decrypt(connection.access_token)
        expires_at = connection.token_expires_at
        if expires_at is not None and expires_at - timezone.now() < AHEAD:
            return self.refresh(token)
        return token

    def refresh(self, stale: str) -> str:
        """A token other than `stale`: another worker's if it was quicker, else a new one.

        Raises `SignInAgain` when the grant is dead, `Unavailable` when it could not be asked.
        """
        connection = _committed(lambda: self._refresh(stale))
        _refuse_ended(connection)
        return decrypt(connection.access_token)

    def _refresh(self, stale: str) -> Connection:
        """The connection as it then is stored.

        The row is locked from before the question until the answer is stored: a rotating refresh
        token works once, and who waited finds the new pair.
        """
        with transaction.atomic():
            _limit_waiting()
            connection = self._found().select_for_update(no_key=True, of=("self",)).get()
            _refuse_ended(connection)
            if decrypt(connection.access_token) != stale:
                return connection
            answer = _asked(decrypt(connection.refresh_token))
            if answer is None:
                connection.state = Connection.State.NEEDS_SIGN_IN
                connection.state_reason = _("Constant Contact no longer accepts the authorisation.")
                connection.save(update_fields=["state", "state_reason"])
                needs_sign_in(connection)
                return connection
            keep(connection, answer)
            connection.save(
                update_fields=[
                    "access_token",
                    "refresh_token",
                    "token_expires_at",
                    "token_refreshed_at",
                ]
            )
        return connection

    def _found(self) -> Any:
        return Connection.objects.select_related("workspace").filter(
            workspace_id=self.connection.workspace_id, pk=self.connection.pk
        )


def _refuse_ended(connection: Connection) -> None:
    ended = connection.state == Connection.State.NEEDS_SIGN_IN
    if ended or not connection.access_token or not connection.refresh_token:
        raise SignInAgain(SIGN_IN_AGAIN)


def _asked(refresh_token: str) -> dict[str, Any] | None:
    """The token endpoint's answer; None when the grant is dead. Raises `Unavailable`."""
    try:
        return oauth_client.refresh(refresh_token)
    except OAuthError as refused:
        if refused.error == "invalid_grant":
            return None
        raise Unavailable(
            "Constant Contact did not renew the authorisation: it may not accept this"
            " installation's client ID and secret. Ask your operator to check them.",
            retry_after=TRY_AGAIN_SECONDS,
            code="client_refused",
        ) from None
    except (requests.RequestException, ValueError) as failure:
        response = getattr(failure, "response", None)
        asked_for = retry_after(response) if response is not None else None
        raise Unavailable(
            "Constant Contact's sign-in server gave no answer.",
            retry_after=asked_for or TRY_AGAIN_SECONDS,
            code="sign_in_silent",
        ) from None


def _committed(work: Callable[[], Result]) -> Result:
    """Does the work in a transaction that nothing undoes any more once this returns.

    The provider forgets the old pair when it gives the new one: were the caller's transaction to
    roll the new one back, the authorisation would be lost. So inside a transaction the work is
    done on a database connection of its own.
    """
    try:
        if not transaction.get_connection().in_atomic_block:
            return work()
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(copy_context().run, _then_disconnect, work).result()
    except OperationalError as failure:
        if "lock timeout" not in str(failure):
            raise
        raise Unavailable(
            "Another worker is still renewing the authorisation.",
            retry_after=TRY_AGAIN_SECONDS,
            code="being_renewed",
        ) from None


def _then_disconnect(work: Callable[[], Result]) -> Result:
    try:
        return work()
    finally:
        connections.close_all()


def _limit_waiting() -> None:
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
