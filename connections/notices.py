"""Tells the Administrators when a connection needs one of them."""

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from connections.models import Connection
from workspaces import audit
from workspaces.models import Membership, Role


def tell_administrators(connection: Connection) -> None:
    """Once, when the connection has come to need sign-in."""
    audit.record(connection.workspace, "connection.needs_sign_in", target=connection)
    addresses = Membership.objects.filter(
        workspace_id=connection.workspace_id, role=Role.ADMINISTRATOR
    ).values_list("user__email", flat=True)
    path = reverse("connections:detail", args=[connection.workspace.slug, connection.pk])
    text = render_to_string(
        "connections/mail/needs_sign_in.txt",
        {"connection": connection, "url": f"{settings.BASE_URL}{path}"},
    )
    subject = _("%(connection)s needs sign-in") % {"connection": connection.name}
    for address in addresses:
        send_mail(subject, text, None, [address], fail_silently=True)
