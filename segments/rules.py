"""Who may do what with sources, profiles and segments."""

import rules

from workspaces.rules import is_administrator, is_at_least_contributor, is_member

rules.add_rule("source.view", is_member)
rules.add_rule("source.change", is_at_least_contributor)
rules.add_rule("attribute.view", is_member)
rules.add_rule("attribute.change", is_at_least_contributor)
rules.add_rule("profile.view", is_member)
rules.add_rule("profile.erase", is_administrator)
rules.add_rule("segment.view", is_member)
rules.add_rule("segment.download", is_at_least_contributor)
rules.add_rule("segment.change", is_at_least_contributor)
rules.add_rule("segment.refresh", is_at_least_contributor)
rules.add_rule("segment.delete", is_at_least_contributor)
rules.add_rule("suppression.view", is_member)
rules.add_rule("suppression.change", is_at_least_contributor)
