"""What can be done with connections. Every change of one is on the audit log."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connections import consent_text, dependents, notices, selectors, tokens
from connections.constant_contact.answers import AccountSummary
from connections.models import Connection, Consent
from workspaces import audit
from workspaces.models import Membership, Role, User, Workspace
from workspaces.permissions import may


class Refused(Exception):
    """Why it can't be done, and what to do; the message is for people."""


class AnotherAccount(Refused):
    """The person signed in to another account than the connection's: they must say so."""

    def __init__(self, connection: Connection, account: AccountSummary) -> None:
        super().__init__(
            _("You signed in to %(new)s, and this connection is for %(known)s.")
            % {"new": account.name, "known": connection.account_name}
        )


class StopsExports(Refused):
    """Exports rest on the sharing that is taken away: they stop, and somebody must say so."""

    def __init__(self, stopping: list[dependents.Dependent]) -> None:
        super().__init__(
            _("These exports stop, for who set them up may use it no longer: %(names)s.")
            % {"names": ", ".join(one.label for one in stopping)}
        )
        self.stopping = stopping


def create_connection(
    workspace: Workspace,
    *,
    name: str,
    sharing: str,
    shared_with: Iterable[Membership] = (),
    by: User,
) -> Connection:
    """A connection of its name and sharing, whose consent `by` has given; not authorised yet.

    What the same person began under that name is gone on with. Raises `Refused` for a name that
    another connection has.
    """
    with transaction.atomic():
        connection = selectors.begun(name, by=by)
        if connection is not None:
            change_connection(
                connection, name=name, sharing=sharing, shared_with=shared_with, by=by
            )
            give_consent(connection, by=by)
            return connection
        connection = begin_connection(
            workspace, name=name, sharing=sharing, shared_with=shared_with, by=by
        )
        give_consent(connection, by=by)
    return connection


def begin_connection(
    workspace: Workspace,
    *,
    name: str,
    sharing: str,
    shared_with: Iterable[Membership] = (),
    by: User | None,
) -> Connection:
    """A connection over which nothing may be sent yet: nobody has consented or authorised it.

    Raises `Refused` for a name that another connection has.
    """
    with transaction.atomic():
        connection = Connection(workspace=workspace, name=name, sharing=sharing, created_by=by)
        _save_named(connection)
        named: dict[str, Any] = _share(connection, shared_with)
        audit.record(
            workspace,
            "connection.created",
            actor=by,
            target=connection,
            sharing=sharing,
            **named,
        )
    return connection


def change_connection(
    connection: Connection,
    *,
    name: str,
    sharing: str,
    shared_with: Iterable[Membership] = (),
    by: User | None,
    stop_exports: bool = False,
) -> None:
    """`shared_with` are the Contributors named, where `sharing` is by name.

    Raises `Refused` for a name that another connection has, and `StopsExports` where exports of
    people with whom it is shared no longer would stop, unless `stop_exports` says that they shall.
    """
    with transaction.atomic():
        stored = _locked(connection)
        before, resting = _described(stored), {one.key for one in _resting_on_nobody(stored)}
        stored.name, stored.sharing = name, sharing
        _save_named(stored, ["name", "sharing", "updated_at"])
        _share(stored, shared_with)
        after = _described(stored)
        if before == after:
            return
        stopping = [one for one in _resting_on_nobody(stored) if one.key not in resting]
        if stopping and not stop_exports:
            raise StopsExports(stopping)
        for dependent in stopping:
            dependent.detach(by)
        audit.record(
            stored.workspace,
            "connection.changed",
            actor=by,
            target=stored,
            before=before,
            after=after,
        )


def _described(connection: Connection) -> dict[str, Any]:
    shares = connection.shares.select_related("membership__user").order_by("pk")
    return {
        "name": connection.name,
        "sharing": str(connection.sharing),
        **_named(share.membership for share in shares),
    }


def _share(connection: Connection, shared_with: Iterable[Membership]) -> dict[str, Any]:
    """Shares it with just these Contributors by name; returns who that is, for the audit log."""
    is_named = connection.sharing == Connection.Sharing.NAMED
    members = list(shared_with) if is_named else []
    connection.shares.exclude(membership__in=members).delete()
    for member in members:
        connection.shares.get_or_create(workspace_id=connection.workspace_id, membership=member)
    return _named(members)


def _named(members: Iterable[Membership]) -> dict[str, Any]:
    names = [str(member.user) for member in members]
    return {"shared_with": names} if names else {}


def _resting_on_nobody(connection: Connection) -> list[dependents.Dependent]:
    """The dependents that a Contributor set up who may use the connection no longer."""
    found = dependents.of(connection)
    keepers = {
        member.user_id: member
        for member in Membership.objects.filter(
            user__in={one.kept_by for one in found if one.kept_by}, role=Role.CONTRIBUTOR
        )
    }
    return [
        one
        for one in found
        if one.kept_by in keepers and not may(keepers[one.kept_by], "connection.use", connection)
    ]


def give_consent(connection: Connection, *, by: User) -> None:
    """Records the words agreed to; keeps the standing consent if there is one."""
    with transaction.atomic():
        stored = _locked(connection)
        if selectors.standing_consent(stored):
            return
        Consent.objects.create(
            workspace_id=stored.workspace_id,
            connection=stored,
            text_version=consent_text.VERSION,
            text=consent_text.text(),
            accepted_by=by,
        )
        audit.record(
            stored.workspace,
            "connection.consent_given",
            actor=by,
            target=stored,
            version=consent_text.VERSION,
        )


def withdraw_consent(connection: Connection, *, by: User | None) -> None:
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
    connection: Connection,
    answer: Mapping[str, object],
    account: AccountSummary,
    *,
    by: User,
    another_is_meant: bool = False,
) -> None:
    """Stores the tokens of a fresh authorisation and the account they speak for.

    Raises `AnotherAccount` when it is not the account known so far, unless it is meant: exports
    would send to strangers.
    """
    with transaction.atomic():
        stored = _locked(connection)
        known = stored.account_id
        if known and known != account.encoded_account_id and not another_is_meant:
            raise AnotherAccount(stored, account)
        tokens.keep(stored, answer)
        _name_account(stored, account)
        stored.authorised_by, stored.authorised_at = by, timezone.now()
        stored.state_reason = ""
        if stored.state == Connection.State.NEEDS_SIGN_IN:
            stored.state = Connection.State.ACTIVE
            notices.is_signed_in(stored)
        stored.save()
        details = {"account": stored.account_name}
        if known and known != account.encoded_account_id:
            details["before"] = connection.account_name
        audit.record(stored.workspace, "connection.authorised", actor=by, target=stored, **details)


def keep_account(connection: Connection, account: AccountSummary) -> None:
    """Takes over what the account calls itself now; nobody changed the connection."""
    with transaction.atomic():
        stored = _locked(connection)
        if stored.account_id == account.encoded_account_id:
            _name_account(stored, account)
            stored.save(update_fields=["account_name", "account_email"])


def become_export_user(connection: Connection, *, by: User) -> None:
    """Makes `by` vouch for the connection's exports; an authorised connection is then finished.

    The caller has made sure that the person has just proved who they are.
    """
    with transaction.atomic():
        stored = _locked(connection)
        if not stored.access_token:
            raise Refused(_("Connect to Constant Contact first."))
        if stored.export_user_id == by.pk and stored.state != Connection.State.DRAFT:
            return
        before = stored.export_user
        stored.export_user, stored.export_user_since = by, timezone.now()
        if stored.state == Connection.State.DRAFT:
            stored.state = Connection.State.ACTIVE
        stored.save(update_fields=["export_user", "export_user_since", "state", "updated_at"])
        audit.record(
            stored.workspace,
            "connection.export_user_changed",
            actor=by,
            target=stored,
            **({"before": str(before)} if before else {}),
            after=str(by),
        )


def vouch_no_more(connection: Connection, *, by: User | None) -> None:
    """Nothing is sent over the connection until somebody vouches for it."""
    with transaction.atomic():
        stored = _locked(connection)
        before = stored.export_user
        stored.export_user, stored.export_user_since = None, None
        stored.save(update_fields=["export_user", "export_user_since", "updated_at"])
        audit.record(
            stored.workspace,
            "connection.export_user_changed",
            actor=by,
            target=stored,
            before=str(before),
            after="",
        )


def remove_connection(
    connection: Connection, *, by: User | None, choices: Mapping[str, str] | None = None
) -> None:
    """Removes a connection and its tokens. Raises `Refused`, and then nothing has changed.

    `choices` says for each dependent, by its key, whether to "detach" or "remove" it.
    """
    with transaction.atomic():
        stored = _locked(connection)
        for dependent in dependents.of(stored):
            match (choices or {}).get(dependent.key):
                case "detach":
                    dependent.detach(by)
                case "remove":
                    dependent.remove(by)
        left = dependents.of(stored)
        if left:
            raise Refused(
                _("This connection is still used by %(names)s. Detach or remove each first.")
                % {"names": ", ".join(dependent.label for dependent in left)}
            )
        audit.record(
            stored.workspace,
            "connection.removed",
            actor=by,
            target=stored,
            account=stored.account_name,
        )
        stored.delete()


def _locked(connection: Connection) -> Connection:
    """The connection as it is now, while nobody else changes it. Raises `Refused` if it is gone."""
    stored = (
        Connection.objects.select_for_update(no_key=True, of=("self",))
        .select_related("workspace", "export_user")
        .filter(pk=connection.pk)
        .first()
    )
    if stored is None:
        raise Refused(
            _("This connection has been removed in the meantime. Add it anew if you need it.")
        )
    return stored


def _name_account(connection: Connection, account: AccountSummary) -> None:
    connection.account_id = account.encoded_account_id
    connection.account_name = account.name[:255]
    connection.account_email = account.contact_email[:254]


def _save_named(connection: Connection, fields: list[str] | None = None) -> None:
    try:
        with transaction.atomic():
            connection.save(update_fields=fields)
    except IntegrityError as taken:
        if "connection_name_unique" not in str(taken):
            raise
        raise Refused(_("Another connection has this name. Choose a different one.")) from taken
