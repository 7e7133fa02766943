"""Exports rest on people: on whom a connection is shared with, and on members who leave."""

from typing import Any

import pytest
from django.urls import reverse
from django_scopes import scope

from api import tokens
from connections import access, services
from connections.models import Connection, ConnectionShare
from exports.models import Destination
from tests.connections.walk import prove
from tests.exports.factories import ConnectionFactory, DestinationFactory
from tests.exports.pages import words
from tests.workspaces.factories import (
    MembershipFactory,
    WorkspaceFactory,
    grown_stale,
    signed_in,
)
from workspaces.models import AuditEntry, Membership, Role, Workspace
from workspaces.permissions import may


def page(name: str, workspace: Workspace, pk: int) -> str:
    return reverse(name, args=[workspace.slug, pk])


def contributor(workspace: Workspace) -> Membership:
    return MembershipFactory(workspace=workspace, role=Role.CONTRIBUTOR)


def test_a_connection_shared_by_name_is_for_those_named_and_for_exports_over_it(
    workspace: Workspace,
) -> None:
    client = signed_in(workspace)
    named, other = contributor(workspace), contributor(workspace)
    viewer = MembershipFactory(workspace=workspace, role=Role.VIEWER)
    connection = ConnectionFactory(workspace=workspace, name="Shop", sharing="administrators")
    export = DestinationFactory(workspace=workspace, connection=connection)
    url = page("connections:edit", workspace, connection.pk)
    nobody = client.post(url, {"name": "Shop", "sharing": "named"})
    assert "Name at least one Contributor" in words(nobody)
    strangers = contributor(WorkspaceFactory())
    for pk in (viewer.pk, strangers.pk):
        refused = client.post(url, {"name": "Shop", "sharing": "named", "shared_with": [pk]})
        assert "is not one of the available choices" in words(refused)
    client.post(url, {"name": "Shop", "sharing": "named", "shared_with": [named.pk]})

    connection.refresh_from_db()
    for action, target in (
        ("connection.use", connection),
        ("destination.run", Destination.objects.get(pk=export.pk)),
    ):
        allowed = {one: may(one, action, target) for one in (named, other, viewer)}
        assert allowed == {named: True, other: False, viewer: False}
    details = AuditEntry.objects.get(action="connection.changed").details
    assert details["after"]["shared_with"] == [str(named.user)]
    services.change_connection(
        connection, name="Shop", sharing="administrators", by=client.member.user
    )
    assert not ConnectionShare.objects.exists()


def test_unsharing_stops_the_exports_that_rest_on_it_after_saying_so(
    workspace: Workspace,
) -> None:
    client = signed_in(workspace)
    named, kept = contributor(workspace), contributor(workspace)
    connection = ConnectionFactory(workspace=workspace, name="Shop")

    def export(name: str, keeper: Membership) -> Destination:
        return DestinationFactory(
            workspace=workspace, connection=connection, name=name, updated_by=keeper.user
        )

    theirs, still, ours = (
        export("Theirs", named),
        export("Still shared", kept),
        export("Ours", client.member),
    )
    url = page("connections:edit", workspace, connection.pk)
    values = {"name": "Shop", "sharing": "named", "shared_with": [kept.pk]}
    asked = words(client.post(url, values))
    assert "Exports would stop" in asked
    assert "Theirs" in asked
    assert "Still shared" not in asked.partition("Stop these exports")[0]
    assert Connection.objects.get().sharing == "contributors"
    assert not ConnectionShare.objects.exists()
    assert Destination.objects.filter(connection=None).count() == 0

    client.post(url, values | {"stop_exports": "on"})
    assert list(Destination.objects.filter(connection=None)) == [theirs]
    assert set(Destination.objects.filter(connection=connection)) == {still, ours}
    assert AuditEntry.objects.get(action="destination.detached").target_label == "Theirs"


@pytest.mark.parametrize("ending", ["take_over", "stop"])
def test_what_rests_on_a_member_who_is_removed_is_listed_and_handed_over_or_stopped(
    workspace: Workspace, ending: str
) -> None:
    client = signed_in(workspace)
    leaving = MembershipFactory(workspace=workspace)
    connection = ConnectionFactory(workspace=workspace, name="Shop", export_user=leaving.user)
    export = DestinationFactory(
        workspace=workspace, connection=connection, name="Weekly", created_by=leaving.user
    )
    token = tokens.create(
        workspace,
        name="Laptop",
        role="administrator",
        scopes=["read"],
        expires_at=None,
        by=leaving.user,
        membership=leaving,
    )
    url = page("workspaces:member_remove", workspace, leaving.pk)
    shown = words(client.get(url))
    for what in ("connection “Shop”", "the export “Weekly”", "the API token “Laptop”"):
        assert what in shown
    assert "Say first what becomes of this" in words(client.post(url))
    if ending == "take_over":
        grown_stale(client)
        assert "Remove" not in client.post(url, {"ending": ending}).get("Location", "Remove")
        assert Membership.objects.filter(pk=leaving.pk).exists(), "not without a proof"
        prove(client)
    client.post(url, {"ending": ending})

    assert not Membership.objects.filter(pk=leaving.pk).exists()
    assert tokens.find(token.text) is None
    assert AuditEntry.objects.filter(action="token.revoked").count() == 1
    assert AuditEntry.objects.get(action="member.removed").details["ending"] == ending
    connection.refresh_from_db()
    export.refresh_from_db()
    if ending == "take_over":
        access.ensure_usable(connection)
        assert connection.export_user == export.updated_by == client.member.user
    else:
        assert export.connection is None
        with pytest.raises(access.NotUsable) as refusal:
            access.ensure_usable(connection)
        assert refusal.value.code == "no_export_user"


def test_who_leaves_takes_nothing_over_and_is_asked_for_nothing_of_another_workspace(
    workspace: Workspace,
) -> None:
    MembershipFactory(workspace=workspace)
    client = signed_in(workspace)
    elsewhere = MembershipFactory(user=client.member.user)
    with scope(workspace=elsewhere.workspace):
        theirs: Any = ConnectionFactory(
            workspace=elsewhere.workspace, name="Elsewhere", export_user=client.member.user
        )
    ConnectionFactory(workspace=workspace, name="Here", export_user=client.member.user)
    url = page("workspaces:member_remove", workspace, client.member.pk)
    shown = words(client.get(url))
    assert "Here" in shown
    assert "Elsewhere" not in shown
    assert "I take it over" not in shown
    prove(client)
    refused = words(client.post(url, {"ending": "take_over"}))
    assert "Who leaves can’t take over" in refused
    client.post(url, {"ending": "stop"})
    with scope(workspace=elsewhere.workspace):
        theirs.refresh_from_db()
        assert theirs.export_user == client.member.user
