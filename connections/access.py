"""Whether data may leave for a connection now, and the client that takes it there.

Promise: no consent, no data. Everything is asked of the database at every call, so that a
withdrawal stops a run at its next batch.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from config.metrics import Gauge, register
from connections import measures, words
from connections.constant_contact.client import Client
from connections.constant_contact.transport import BeforeChange
from connections.limiter import Budget, SharedLimiter
from connections.models import Connection, Consent
from connections.models import Provider as Kind
from connections.provider.errors import ProviderError
from connections.provider.protocol import Provider
from connections.tokens import ConnectionTokens
from workspaces.models import Membership, Role


class NotUsable(Exception):
    """Why nothing may leave for a connection: a `code`, told in the language of who asks."""

    def __init__(self, code: str, name: str) -> None:
        super().__init__(code, name)
        self.code = code
        self.name = name

    def __str__(self) -> str:
        return words.text(self.code, name=self.name)


def with_grounds(found: QuerySet[Connection]) -> QuerySet[Connection]:
    """Connections with what `why_not` goes by."""
    consents = Consent.objects.filter(connection=OuterRef("pk"), withdrawn_at__isnull=True)
    vouching = Membership.objects.filter(
        workspace_id=OuterRef("workspace_id"),
        user_id=OuterRef("export_user_id"),
        role=Role.ADMINISTRATOR,
    )
    return found.annotate(has_consent=Exists(consents), is_vouched_for=Exists(vouching))


def why_not(connection: Any) -> NotUsable | None:
    """What keeps data from leaving for a connection that was asked for with its grounds."""
    name = connection.name
    if not connection.has_consent:
        return NotUsable("no_consent", name)
    if connection.state == Connection.State.NEEDS_SIGN_IN:
        return NotUsable("needs_sign_in", name)
    if connection.state != Connection.State.ACTIVE or not connection.access_token:
        return NotUsable("not_authorised", name)
    if connection.export_user_id is None:
        return NotUsable("no_export_user", name)
    if not connection.is_vouched_for:
        return NotUsable("export_user_not_administrator", name)
    return None


def ensure_usable(connection: Connection) -> None:
    """Raises `NotUsable` unless consent stands, the account is authorised and someone vouches."""
    found = Connection.objects.filter(workspace_id=connection.workspace_id)
    problem = why_not(with_grounds(found).get(pk=connection.pk))
    if problem is not None:
        raise problem


def client(connection: Connection, before_change: BeforeChange | None = None) -> Provider:
    """The account of a usable connection, under the shared limits. Raises `NotUsable`.

    By raising, `before_change` keeps a request from leaving that would change something.
    """
    ensure_usable(connection)
    return PROVIDERS[connection.provider](connection, before_change)


def client_of(connection: Connection, before_change: BeforeChange | None = None) -> Client:
    """The client that needs no consent: to ask about the account, never to send data."""
    return Client(
        settings.CONSTANT_CONTACT_API_URL,
        ConnectionTokens(connection),
        limiter(),
        on_request=measures.request_made,
        before_change=before_change,
    )


PROVIDERS: dict[str, Callable[[Connection, BeforeChange | None], Provider]] = {
    Kind.CONSTANT_CONTACT.value: client_of,
}


def todays_budget() -> Budget | None:
    """The day's requests, None when they can't be told now."""
    try:
        return limiter().budget()
    except ProviderError:
        return None


def _budget_left() -> Iterator[tuple[tuple[str, ...], float]]:
    budget = todays_budget()
    if budget is not None:
        yield (), budget.left


register(
    Gauge("segue_provider_budget_left", "Requests that are left of the day's.", (), _budget_left)
)


def limiter() -> SharedLimiter:
    return SharedLimiter(
        settings.CONSTANT_CONTACT_CLIENT_ID,
        settings.CONSTANT_CONTACT_RATE_PER_SECOND,
        settings.CONSTANT_CONTACT_RATE_PER_DAY,
    )
