"""What can be done with connections. Every change of one is on the audit log."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connections import consent_text, dependents, tokens
from connections.constant_contact.answers import AccountSummary
from connections.models import Connection, Consent
from connections.selectors import standing_consent
from workspaces import audit
from workspaces.models import Membership, User, Workspace


class Refused(Exception):
    """Why it can't be done, and what to do; the message is for people."""


def create_connection(workspace: Workspace, *, name: str, sharing: str, by: User) -> Connection:
    """A connection of its name and sharing, whose consent `by` has given; not authorised yet."""
    with transaction.atomic():
        connection = Connection.objects.create(
            workspace=workspace, name=name, sharing=sharing, created_by=by
        )
        audit.record(workspace, "connection.created", actor=by, target=connection, sharing=sharing)
        give_consent(connection, by=by)
    return connection


def change_connection(connection: Connection, *, name: str, sharing: str, by: User) -> None:
    before = {"name": connection.name, "sharing": connection.sharing}
    connection.name, connection.sharing = name, sharing
    with transaction.atomic():
        connection.save(update_fields=["name", "sharing", "updated_at"])
        audit.record(
            connection.workspace,
            "connection.changed",
            actor=by,
            target=connection,
            before=before,
            after={"name": name, "sharing": sharing},
        )


def give_consent(connection: Connection, *, by: User) -> None:
    """Records the words agreed to; keeps the standing consent if there is one."""
    if standing_consent(connection):
        return
    with transaction.atomic():
        Consent.objects.create(
            workspace_id=connection.workspace_id,
            connection=connection,
            text_version=consent_text.VERSION,
            text=consent_text.TEXT,
            accepted_by=by,
        )
        audit.record(
            connection.workspace,
            "connection.consent_given",
            actor=by,
            target=connection,
            version=consent_text.VERSION,
        )


def withdraw_consent(connection: Connection, *, by: User) -> None:
    """Nothing more leaves for the connection, from the next batch on."""
    with transaction.atomic():
        withdrawn = Consent.objects.filter(connection=connection, withdrawn_at__isnull=True).update(
            withdrawn_at=timezone.now(), withdrawn_by=by
        )
        if withdrawn:
            audit.record(
                connection.workspace, "connection.consent_withdrawn", actor=by, target=connection
            )


def keep_authorisation(
    connection: Connection, answer: dict[str, object], account: AccountSummary, *, by: User
) -> None:
    """Stores the tokens of a fresh authorisation and the account they speak for.

    Raises `Refused` when it is another account than before: exports would send to strangers.
    """
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if connection.account_id and connection.account_id != account.encoded_account_id:
            raise Refused(
                _(
                    "You signed in to %(new)s, and this connection is for %(known)s. Sign in to"
                    " that account, or add another connection for this one."
                )
                % {"new": account.organization_name, "known": connection.account_name}
            )
        tokens.keep(connection, answer)
        connection.account_id = account.encoded_account_id
        connection.account_name = account.organization_name
        connection.account_email = account.contact_email
        connection.authorised_by, connection.authorised_at = by, timezone.now()
        connection.state_reason = ""
        if connection.state == Connection.State.NEEDS_SIGN_IN:
            connection.state = Connection.State.ACTIVE
        connection.save()
        audit.record(
            connection.workspace,
            "connection.authorised",
            actor=by,
            target=connection,
            account=account.encoded_account_id,
        )


def become_export_user(connection: Connection, *, by: User) -> None:
    """Makes `by` vouch for the connection's exports; an authorised connection is then finished.

    The caller has made sure that the person has just proved who they are.
    """
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        if not connection.access_token:
            raise Refused(_("Connect to Constant Contact first."))
        connection.export_user, connection.export_user_since = by, timezone.now()
        if connection.state == Connection.State.DRAFT:
            connection.state = Connection.State.ACTIVE
        connection.save()
        audit.record(
            connection.workspace, "connection.export_user_changed", actor=by, target=connection
        )


def remove_connection(connection: Connection, *, by: User) -> None:
    """Removes a connection that nothing uses; its tokens go with it. Raises `Refused`."""
    with transaction.atomic():
        connection = Connection.objects.select_for_update().get(pk=connection.pk)
        used_by = dependents.of(connection)
        if used_by:
            raise Refused(
                _("This connection is still used by %(names)s. Detach or remove each first.")
                % {"names": ", ".join(dependent.label for dependent in used_by)}
            )
        audit.record(connection.workspace, "connection.removed", actor=by, target=connection)
        connection.delete()


def why_member_must_stay(membership: Membership) -> str | None:
    """A member who vouches for exports hands over first: exports don't die with an account."""
    vouched = Connection.objects.filter(export_user_id=membership.user_id).values_list(
        "name", flat=True
    )
    if not vouched:
        return None
    return _(
        "%(person)s is the export user of %(names)s. Another Administrator must take over on the"
        " connection's page first."
    ) % {"person": membership.user, "names": ", ".join(vouched)}
