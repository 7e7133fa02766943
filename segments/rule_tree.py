"""Rules as data: reads the JSON of a segment's rules into a tree that makes sense, or says why not.

A group is `{"match": "all" | "any" | "none", "rules": [...]}`, a rule
`{"attribute": NAME, "operator": NAME, "value": …}`, a membership
`{"segment": ID, "operator": "member" | "not_member"}`. docs/segment-rules.md has an example each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from segments.models import AttributeType
from segments.operators import DAYS, MEMBER, NOT_MEMBER, OPERATORS

DEEPEST = 6
MOST_RULES = 100
MOST_VALUES = 5_000
LONGEST_VALUE = 1_000
MOST_DAYS = 36_500
MOST_ANNIVERSARY_DAYS = 366
MATCHES = ("all", "any", "none")


class RuleError(Exception):
    """What makes no sense in a rule; the message is for people.

    `path` leads to it: the positions from the outermost group inwards.
    """

    def __init__(self, path: tuple[int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Group:
    match: str
    rules: "tuple[Node, ...]"


@dataclass(frozen=True)
class Rule:
    """`values` are of the attribute's type: text, Decimal, date, or days as whole numbers."""

    attribute: str
    type: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Membership:
    segment_id: int
    operator: str


Node = Group | Rule | Membership


@dataclass(frozen=True)
class Vocabulary:
    """What rules may speak of: the types of attributes by name, and the segments there are."""

    types: Mapping[str, str]
    segments: frozenset[int]


def read(tree: Any, vocabulary: Vocabulary) -> Group:
    """Raises `RuleError` for the first thing that makes no sense."""
    if not isinstance(tree, dict) or "match" not in tree:
        raise RuleError((), _("The rules must begin with a group."))
    group = _group(tree, vocabulary, ())
    if sum(1 for _node in leaves(group)) > MOST_RULES:
        raise RuleError(
            (), _("A segment has at most %(most)d rules. Split it in two.") % {"most": MOST_RULES}
        )
    return group


def leaves(node: Node) -> Iterator[Rule | Membership]:
    if isinstance(node, Group):
        for one in node.rules:
            yield from leaves(one)
    else:
        yield node


def segments_in(tree: Any) -> set[int]:
    """The ids of the segments that a stored tree speaks of."""
    if not isinstance(tree, dict):
        return set()
    found = {int(tree["segment"])} if str(tree.get("segment", "")).isdigit() else set()
    for one in tree.get("rules") or ():
        found |= segments_in(one)
    return found


def attributes_in(tree: Any) -> set[str]:
    """The names of the attributes that a stored tree speaks of."""
    if not isinstance(tree, dict):
        return set()
    found = {str(tree["attribute"])} if tree.get("attribute") else set()
    for one in tree.get("rules") or ():
        found |= attributes_in(one)
    return found


def _group(tree: dict[str, Any], vocabulary: Vocabulary, path: tuple[int, ...]) -> Group:
    if len(path) >= DEEPEST:
        raise RuleError(path, _("Groups are nested too deeply. Move rules outwards."))
    if tree.get("match") not in MATCHES:
        raise RuleError(path, _("A group matches all, any or none of its rules."))
    rules = tree.get("rules")
    if not isinstance(rules, list) or not rules:
        raise RuleError(path, _("This group is empty. Add a rule to it, or remove it."))
    return Group(
        tree["match"],
        tuple(_node(one, vocabulary, (*path, place)) for place, one in enumerate(rules)),
    )


def _node(tree: Any, vocabulary: Vocabulary, path: tuple[int, ...]) -> Node:
    if not isinstance(tree, dict):
        raise RuleError(path, _("This is not a rule."))
    if "match" in tree:
        return _group(tree, vocabulary, path)
    if "segment" in tree:
        return _membership(tree, vocabulary, path)
    return _rule(tree, vocabulary, path)


def _membership(tree: dict[str, Any], vocabulary: Vocabulary, path: tuple[int, ...]) -> Membership:
    text = str(tree.get("segment") or "")
    if not text.isdigit() or int(text) not in vocabulary.segments:
        raise RuleError(path, _("Choose a segment."))
    if tree.get("operator") not in (MEMBER, NOT_MEMBER):
        raise RuleError(path, _("Choose whether to be in the segment or not."))
    return Membership(int(text), tree["operator"])


def _rule(tree: dict[str, Any], vocabulary: Vocabulary, path: tuple[int, ...]) -> Rule:
    name = tree.get("attribute")
    if not name:
        raise RuleError(path, _("Choose an attribute."))
    kind = vocabulary.types.get(str(name))
    if kind is None:
        raise RuleError(
            path, _("There is no attribute “%(name)s”. Choose another.") % {"name": name}
        )
    operator = OPERATORS.get(str(tree.get("operator")))
    if operator is None:
        raise RuleError(path, _("Choose what to compare."))
    if kind not in operator.types:
        raise RuleError(
            path,
            _("“%(operator)s” does not fit %(type)s. Choose another comparison.")
            % {"operator": operator.label, "type": AttributeType(kind).label.lower()},
        )
    values = _values(tree.get("value"), kind, operator.needs, path)
    if operator.name == "anniversary_in_days" and values[0] > MOST_ANNIVERSARY_DAYS:
        raise RuleError(path, _("Give at most 366 days: every date comes once a year."))
    return Rule(str(name), kind, operator.name, values)


def _values(value: Any, kind: str, needs: str, path: tuple[int, ...]) -> tuple[Any, ...]:
    if needs == "nothing":
        return ()
    if needs == "days":
        return (_whole(value, 0, MOST_DAYS, path, _("Give a number of days.")),)
    if needs == "month":
        return (_whole(value, 1, 12, path, _("Choose a month.")),)
    given = value if isinstance(value, list) else [value]
    if needs == "many":
        values = tuple(_value(one, kind, path) for one in given if str(one).strip())
        if not values:
            raise RuleError(path, _("Give at least one value."))
        if len(values) > MOST_VALUES:
            raise RuleError(path, _("Give at most %(most)d values.") % {"most": MOST_VALUES})
        return values
    wanted = 2 if needs == "two" else 1
    if len(given) != wanted or any(one is None or not str(one).strip() for one in given):
        raise RuleError(path, _("Give both values.") if wanted == 2 else _("Give a value."))
    values = tuple(_value(one, kind, path) for one in given)
    if wanted == 2 and values[0] > values[1]:
        raise RuleError(path, _("The first value is larger than the second. Swap them."))
    return values


def _value(value: Any, kind: str, path: tuple[int, ...]) -> Any:
    text = str(value).strip()
    if len(text) > LONGEST_VALUE or "\0" in text:
        raise RuleError(
            path, _("A value has at most %(most)d characters.") % {"most": LONGEST_VALUE}
        )
    if kind == AttributeType.NUMBER:
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite():
            raise RuleError(path, _("“%(value)s” is not a number.") % {"value": text[:50]})
        return number
    if kind in DAYS:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise RuleError(
                path,
                _("“%(value)s” is not a date. Write it as 2026-12-31.") % {"value": text[:50]},
            ) from None
    return text


def _whole(value: Any, least: int, most: int, path: tuple[int, ...], message: str) -> int:
    text = str(value).strip()
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise RuleError(path, message)
    return int(text)
