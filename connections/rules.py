"""Who may do what with connections."""

import rules

from connections.models import Connection
from workspaces.models import Membership
from workspaces.rules import is_administrator, is_contributor


@rules.predicate
def is_shared(member: Membership | None, connection: Connection | None) -> bool:
    """a connection shared with them"""
    if member is None or connection is None:
        return False
    if connection.sharing == Connection.Sharing.NAMED:
        return connection.shares.filter(membership_id=member.pk).exists()
    return connection.sharing == Connection.Sharing.CONTRIBUTORS


rules.add_rule("connection.view", is_administrator)
rules.add_rule("connection.add", is_administrator)
rules.add_rule("connection.change", is_administrator)
rules.add_rule("connection.remove", is_administrator)
rules.add_rule("connection.use", is_administrator | (is_contributor & is_shared))
