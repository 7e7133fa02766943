"""Tells when a connection needs one of the Administrators, and when it no longer does."""

from django.urls import reverse

from connections.models import Connection
from workspaces import audit
from workspaces.notices import telling
from workspaces.sentences import gettext as _

TOPIC = "connection"
EVENT = "connection.needs_sign_in"


def needs_sign_in(connection: Connection) -> None:
    """In the transaction that changes the state."""
    audit.record(connection.workspace, "connection.needs_sign_in", target=connection)
    text = _(
        "The connection “%(connection)s” needs sign-in: Constant Contact no longer accepts its"
        " authorisation. Its exports wait until an Administrator signs in again."
    ) % {"connection": connection.name}
    path = _path(connection)
    data = _data(connection)
    telling.begins(connection.workspace, TOPIC, _subject(connection), text, path, data=data)
    telling.happened(connection.workspace, EVENT, data, text=text, path=path)


def is_signed_in(connection: Connection) -> None:
    telling.ends(
        connection.workspace,
        TOPIC,
        _subject(connection),
        _("The connection “%(connection)s” is signed in again, and its exports go on.")
        % {"connection": connection.name},
        _path(connection),
        data=_data(connection),
    )


def _data(connection: Connection) -> dict[str, object]:
    return {
        "connection": connection.pk,
        "name": connection.name,
        "account": connection.account_name,
    }


def _subject(connection: Connection) -> str:
    return f"connection:{connection.pk}"


def _path(connection: Connection) -> str:
    return reverse("connections:detail", args=[connection.workspace.slug, connection.pk])
