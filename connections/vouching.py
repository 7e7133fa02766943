"""What rests on a member: the connections whose exports they vouch for."""

from collections.abc import Iterator
from functools import partial

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from connections import services
from connections.models import Connection
from workspaces.members import Belonging
from workspaces.models import Membership, User


def why_role_must_stay(membership: Membership) -> str | None:
    """An Administrator who vouches for exports hands over before they become something less."""
    vouched = _vouched_by(membership).values_list("name", flat=True)
    if not vouched:
        return None
    return _(
        "%(person)s is the export user of %(names)s. Another Administrator must take over on the"
        " connection’s page first."
    ) % {"person": membership.user, "names": ", ".join(f"“{name}”" for name in vouched)}


def vouched_for(membership: Membership) -> Iterator[Belonging]:
    """The connections whose export user the member is: exports don't die with an account."""
    slug = membership.workspace.slug
    for connection in _vouched_by(membership):
        yield Belonging(
            what=_("the exports over the connection “%(name)s”, whose export user they are")
            % {"name": connection.name},
            url=reverse("connections:detail", args=[slug, connection.pk]),
            stop=partial(_stop, connection),
            take_over=partial(_take_over, connection),
        )


def _vouched_by(membership: Membership) -> QuerySet[Connection]:
    return Connection.objects.filter(
        workspace_id=membership.workspace_id, export_user_id=membership.user_id
    ).order_by("name")


def _take_over(connection: Connection, by: User) -> None:
    services.become_export_user(connection, by=by)


def _stop(connection: Connection, by: User | None) -> None:
    services.vouch_no_more(connection, by=by)
