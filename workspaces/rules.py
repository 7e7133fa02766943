"""Who may do what: one predicate an action, over the member and the object at hand.

Each app registers its actions in its own `rules.py` as `noun.action`; `workspaces.permissions`
asks them.
"""

import rules

from workspaces.models import Membership, Role


@rules.predicate
def is_member(member: Membership | None) -> bool:
    return member is not None


@rules.predicate
def is_administrator(member: Membership | None) -> bool:
    return member is not None and member.role == Role.ADMINISTRATOR


@rules.predicate
def is_contributor(member: Membership | None) -> bool:
    return member is not None and member.role == Role.CONTRIBUTOR


is_at_least_contributor = is_administrator | is_contributor

rules.add_rule("workspace.view", is_member)
rules.add_rule("workspace.change", is_administrator)
rules.add_rule("workspace.take_along", is_administrator)
rules.add_rule("workspace.delete", is_administrator)
rules.add_rule("member.view", is_administrator)
rules.add_rule("member.change", is_administrator)
rules.add_rule("schedule.view", is_member)
rules.add_rule("schedule.change", is_administrator)
rules.add_rule("refresh.start", is_at_least_contributor)
rules.add_rule("notice.view", is_member)
rules.add_rule("endpoint.view", is_administrator)
rules.add_rule("endpoint.change", is_administrator)
rules.add_rule("audit.view", is_administrator)
