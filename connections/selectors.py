"""Asks for connections."""

from typing import Any

from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower
from django.http import QueryDict

from config.kept_queries import KeptQuery
from connections.access import with_grounds
from connections.models import Connection, Consent
from workspaces import keyset
from workspaces.models import Membership, User
from workspaces.permissions import may


def usable_by(membership: Membership) -> list[Connection]:
    """The finished connections that the member may use in exports."""
    found = (one for one in known_connections() if one.state != Connection.State.DRAFT)
    return [connection for connection in found if may(membership, "connection.use", connection)]


def all_connections() -> QuerySet[Connection]:
    found = Connection.objects.select_related(
        "workspace", "created_by", "export_user", "authorised_by"
    )
    return with_grounds(found).order_by("name")


known_connections = KeptQuery(all_connections)


@KeptQuery
def known_connection(pk: Any) -> QuerySet[Connection]:
    return all_connections().filter(pk=pk)


CONNECTIONS_SHOWN = 50
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "name": (Lower("name"),),
    "account": (F("account_name"), Lower("name")),
    "sharing": (F("sharing"), Lower("name")),
    "added": (F("created_at"),),
}


def connections(query: QueryDict) -> keyset.Page[Connection]:
    """The page of connections that a URL asks for."""
    return keyset.page_of(all_connections(), ORDERS, query, size=CONNECTIONS_SHOWN)


def shared_by_name(connection: Connection) -> list[User]:
    """The Contributors with whom it is shared, each by name."""
    if connection.sharing != Connection.Sharing.NAMED:
        return []
    shares = connection.shares.select_related("membership__user").order_by("pk")
    return [share.membership.user for share in shares]


def begun(name: str, *, by: User) -> Connection | None:
    """A connection of that name which the person began and never signed in for."""
    return Connection.objects.filter(
        state=Connection.State.DRAFT, authorised_at=None, created_by=by, name__iexact=name
    ).first()


def standing_consent(connection: Connection) -> Consent | None:
    return (
        Consent.objects.filter(connection=connection, withdrawn_at__isnull=True)
        .select_related("accepted_by")
        .first()
    )


def withdrawn_consents(connection: Connection) -> QuerySet[Consent]:
    """Earlier consents, the last first."""
    return (
        Consent.objects.filter(connection=connection, withdrawn_at__isnull=False)
        .select_related("accepted_by", "withdrawn_by")
        .order_by("-withdrawn_at")
    )
