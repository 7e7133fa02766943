"""How many profiles each rule of a segment finds, and how many are left after it."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from segments import membership_sql as sql
from segments.membership import vocabulary
from segments.preview import bounded
from segments.rule_sql import compile_parts
from segments.rule_tree import Group, Node, read
from workspaces.models import Workspace

# How a rule's outcome joins that of the rules before it.
JOINS = {"all": " AND ", "any": " OR ", "none": " OR "}


@dataclass(frozen=True)
class RuleCount:
    """`found` meet the rule by itself; `kept` are in after it and all those above."""

    rule: Node
    found: int
    kept: int


@dataclass(frozen=True)
class RuleCounts:
    match: str
    profiles: int
    rules: list[RuleCount]


def count_rules(workspace: Workspace, rules: Any) -> RuleCounts:
    """Counts the outermost group's rules now. Raises `RuleError`, or `TooSlow`."""
    tree = read(rules, vocabulary())
    conditions, parameters = compile_parts(
        tree, workspace_id=workspace.pk, now=timezone.now(), time_zone=workspace.tzinfo
    )
    with bounded() as cursor:
        cursor.execute(
            sql.COUNT_RULES.format(
                conditions=", ".join(f"{one} AS c{n}" for n, one in enumerate(conditions)),
                counts=", ".join(_counts(tree, number) for number in range(len(conditions))),
            ),
            {**parameters, "workspace": workspace.pk},
        )
        profiles, *found = cursor.fetchone()
    pairs = zip(tree.rules, found[::2], found[1::2], strict=True)
    return RuleCounts(tree.match, profiles, [RuleCount(*pair) for pair in pairs])


def _counts(tree: Group, number: int) -> str:
    so_far = JOINS[tree.match].join(f"c{n}" for n in range(number + 1))
    kept = f"NOT ({so_far})" if tree.match == "none" else f"({so_far})"
    return f"count(*) FILTER (WHERE c{number}), count(*) FILTER (WHERE {kept})"
