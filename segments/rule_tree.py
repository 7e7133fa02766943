"""Rules as data: reads the JSON of a segment's rules into a tree that makes sense, or says why not.

A group is `{"match": "all" | "any" | "none", "rules": [...]}`, a rule
`{"attribute": NAME, "operator": NAME, "value": …}`, a membership
`{"segment": ID, "operator": "member" | "not_member"}`; a static segment's only rule is
`{"list": ID, "attribute": NAME}`. docs/segment-rules.md has an example each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from segments import rule_values
from segments.models import AttributeType
from segments.operators import MEMBER, NOT_MEMBER, OPERATORS
from workspaces.sentences import Explained, Sentence
from workspaces.sentences import gettext as _

DEEPEST = 6
MOST_RULES = 100
MATCHES = ("all", "any", "none")


class RuleError(Explained):
    """What makes no sense in a rule; the message is for people.

    `path` leads to it: the positions from the outermost group inwards.
    """

    def __init__(self, path: tuple[int, ...], sentence: Sentence | str) -> None:
        super().__init__(sentence)
        self.path = path


@dataclass(frozen=True)
class Group:
    match: str
    rules: "tuple[Node, ...]"


@dataclass(frozen=True)
class Rule:
    """`values` are what the operator needs: text, Decimal, date; or a count, with a unit or not."""

    attribute: str
    type: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Membership:
    segment_id: int
    operator: str


@dataclass(frozen=True)
class Listed:
    """To be on a static segment's list, by an attribute; by the key if that is empty."""

    segment_id: int
    attribute: str


Node = Group | Rule | Membership | Listed


@dataclass(frozen=True)
class Vocabulary:
    """What rules may speak of: the types of attributes by name, and the segments there are."""

    types: Mapping[str, str]
    segments: frozenset[int]


def read(tree: Any, vocabulary: Vocabulary) -> Group:
    """Raises `RuleError` for the first thing that makes no sense."""
    if not isinstance(tree, dict) or "match" not in tree:
        raise RuleError((), _("The rules must begin with a group."))
    return _Reader(vocabulary).group(tree, ())


def write(node: Node) -> dict[str, Any]:
    """The JSON of a tree, each thing in its one form; `read` reads it back."""
    if isinstance(node, Group):
        return {"match": node.match, "rules": [write(one) for one in node.rules]}
    if isinstance(node, Membership):
        return {"segment": node.segment_id, "operator": node.operator}
    if isinstance(node, Listed):
        by = {"attribute": node.attribute} if node.attribute else {}
        return {"list": node.segment_id, **by}
    needs = OPERATORS[node.operator].needs
    return {
        "attribute": node.attribute,
        "operator": node.operator,
        **rule_values.write(node.values, needs),
    }


def node_at(tree: Any, path: tuple[int, ...]) -> Any:
    """The JSON that a path leads to."""
    for place in path:
        tree = tree["rules"][place]
    return tree


def segments_in(tree: Any) -> set[int]:
    """The ids of the segments that a tree speaks of; of the JSON, whether it makes sense or not."""
    return {
        pk
        for one in _leaves(tree)
        if (pk := rule_values.identifier(one.get("segment"))) is not None
    }


def attributes_in(tree: Any) -> set[str]:
    """The names of the attributes that a tree speaks of."""
    return {str(one["attribute"]) for one in _leaves(tree) if one.get("attribute")}


def rules_by_attribute(tree: Any) -> dict[str, list[dict[str, Any]]]:
    """The rules about each attribute, as they are kept."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in _leaves(tree):
        if one.get("attribute"):
            found.setdefault(str(one["attribute"]), []).append(one)
    return found


def _leaves(tree: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(tree, dict):
        return
    if "match" not in tree:
        yield tree
    elif isinstance(tree.get("rules"), list):
        for one in tree["rules"]:
            yield from _leaves(one)


class _Reader:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.rules = 0

    def group(self, tree: dict[str, Any], path: tuple[int, ...]) -> Group:
        if len(path) >= DEEPEST:
            raise RuleError(path, _("Groups are nested too deeply. Move rules outwards."))
        match, rules = tree.get("match"), tree.get("rules")
        if match not in MATCHES:
            raise RuleError(path, _("A group matches all, any or none of its rules."))
        if not isinstance(rules, list) or not rules:
            raise RuleError(path, _("This group is empty. Add a rule to it, or remove it."))
        return Group(
            str(match), tuple(self.node(one, (*path, place)) for place, one in enumerate(rules))
        )

    def node(self, tree: Any, path: tuple[int, ...]) -> Node:
        if not isinstance(tree, dict):
            raise RuleError(path, _("This is not a rule."))
        if "match" in tree:
            return self.group(tree, path)
        self.rules += 1
        if self.rules > MOST_RULES:
            raise RuleError(
                path,
                _("A segment has at most %(most)d rules. Split it in two.") % {"most": MOST_RULES},
            )
        if "list" in tree:
            return self.listed(tree, path)
        return self.membership(tree, path) if "segment" in tree else self.rule(tree, path)

    def listed(self, tree: dict[str, Any], path: tuple[int, ...]) -> Listed:
        pk = rule_values.identifier(tree["list"])
        if pk is None:
            raise RuleError(path, _("The list is no longer there."))
        name = str(tree.get("attribute") or "")
        if name:
            self.type_of(name, path)
        return Listed(pk, name)

    def membership(self, tree: dict[str, Any], path: tuple[int, ...]) -> Membership:
        pk = rule_values.identifier(tree["segment"])
        if pk is None:
            raise RuleError(path, _("Choose a segment."))
        if pk not in self.vocabulary.segments:
            raise RuleError(path, _("That segment is no longer there. Choose another."))
        if tree.get("operator") not in (MEMBER, NOT_MEMBER):
            raise RuleError(path, _("Choose whether to be in the segment or not."))
        return Membership(pk, tree["operator"])

    def rule(self, tree: dict[str, Any], path: tuple[int, ...]) -> Rule:
        name = str(tree.get("attribute") or "")
        if not name:
            raise RuleError(path, _("Choose an attribute."))
        kind = self.type_of(name, path)
        operator = OPERATORS.get(str(tree.get("operator")))
        if operator is None:
            raise RuleError(path, _("Choose how to compare."))
        if kind not in operator.types:
            raise RuleError(
                path,
                _("“%(operator)s” does not fit the type “%(type)s”. Choose another comparison.")
                % {"operator": operator.label, "type": AttributeType(kind).label},
            )
        try:
            values = rule_values.read(tree.get("value"), tree.get("unit"), kind, operator.needs)
        except rule_values.Nonsense as nonsense:
            raise RuleError(path, nonsense.sentence) from nonsense
        return Rule(name, kind, operator.name, values)

    def type_of(self, name: str, path: tuple[int, ...]) -> str:
        kind = self.vocabulary.types.get(name)
        if kind is None:
            raise RuleError(
                path, _("There is no attribute “%(name)s”. Choose another.") % {"name": name[:100]}
            )
        return kind
