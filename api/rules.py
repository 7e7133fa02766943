"""Who may do what with tokens: everybody has their own, Administrators those of services."""

import rules

from api.models import Token
from workspaces.models import Membership
from workspaces.rules import is_administrator, is_member


@rules.predicate
def is_own(member: Membership | None, token: Token | None) -> bool:
    """their own token"""
    return member is not None and token is not None and token.membership_id == member.pk


rules.add_rule("token.view", is_member)
rules.add_rule("token.create_own", is_member)
rules.add_rule("token.create_service", is_administrator)
rules.add_rule("token.revoke", is_administrator | is_own)
