"""Tells the Administrators when a connection needs one of them."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from connections.models import Connection
from workspaces import audit
from workspaces.models import Membership, Role

logger = logging.getLogger(__name__)


def record_needs_sign_in(connection: Connection) -> None:
    """On the audit log, in the transaction that changes the state."""
    audit.record(connection.workspace, "connection.needs_sign_in", target=connection)


def tell_administrators(connection: Connection) -> None:
    """By e-mail, once the connection has come to need sign-in; in the app its state says so."""
    path = reverse("connections:detail", args=[connection.workspace.slug, connection.pk])
    text = render_to_string(
        "connections/mail/needs_sign_in.txt",
        {"connection": connection, "url": f"{settings.BASE_URL}{path}"},
    )
    subject = _("%(connection)s needs sign-in") % {"connection": " ".join(connection.name.split())}
    for address in _administrators(connection):
        try:
            send_mail(subject, text, None, [address])
        except OSError:
            logger.exception(
                "An Administrator could not be told that connection %s needs sign-in.",
                connection.pk,
            )


def _administrators(connection: Connection) -> list[str]:
    return list(
        Membership.objects.filter(
            workspace_id=connection.workspace_id, role=Role.ADMINISTRATOR
        ).values_list("user__email", flat=True)
    )
