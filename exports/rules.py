"""Who may do what with exports.

A Contributor works over connections shared with Contributors. An export without a connection
sends nothing; Contributors may change it, or they could not give it another connection.
"""

import rules

from connections.rules import is_shared as is_connection_shared
from exports.models import Destination, Run
from workspaces.models import Membership
from workspaces.rules import is_administrator, is_at_least_contributor, is_contributor, is_member


@rules.predicate
def is_shared(member: Membership | None, destination: Destination | None) -> bool:
    """an export over a connection shared with them, or over none"""
    if destination is None:
        return False
    connection = destination.connection
    return connection is None or is_connection_shared.test(member, connection)


@rules.predicate
def is_run_of_shared(member: Membership | None, run: Run | None) -> bool:
    """a run of such an export"""
    return run is not None and is_shared.test(member, run.destination)


manages = is_administrator | (is_contributor & is_shared)

rules.add_rule("destination.view", is_member)
rules.add_rule("destination.create", is_at_least_contributor)
rules.add_rule("destination.change", manages)
rules.add_rule("destination.run", manages)
rules.add_rule("destination.put_back", manages)
rules.add_rule("destination.schedule", manages)
rules.add_rule("destination.duplicate", manages)
rules.add_rule("destination.detach", manages)
rules.add_rule("destination.remove", manages)
rules.add_rule("run.view", is_member)
rules.add_rule("run.cancel", is_administrator | (is_contributor & is_run_of_shared))
rules.add_rule("run.approve", is_administrator | (is_contributor & is_run_of_shared))
