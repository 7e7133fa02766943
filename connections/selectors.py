"""Asks for connections."""

from django.db.models import QuerySet

from connections.models import Connection, Consent
from workspaces.models import Membership
from workspaces.permissions import may


def usable_by(membership: Membership) -> list[Connection]:
    """The finished connections that the member may use in exports."""
    found = Connection.objects.exclude(state=Connection.State.DRAFT).order_by("name")
    return [connection for connection in found if may(membership, "connection.use", connection)]


def all_connections() -> QuerySet[Connection]:
    return Connection.objects.select_related("created_by", "export_user").order_by("name")


def standing_consent(connection: Connection) -> Consent | None:
    return (
        Consent.objects.filter(connection=connection, withdrawn_at__isnull=True)
        .select_related("accepted_by")
        .first()
    )
