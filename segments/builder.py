"""The rule builder's form: rules as fields that a browser sends, there and back.

Fields are named by the node's path (`0`, `0-1`, …): `node`, `match`, `subject`, `operator`,
`value`, `value2`, `unit`. Every change of structure is an action, so that it works without a
script.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.dates import MONTHS

from segments import pasted, selectors
from segments.models import Attribute, AttributeType, Segment
from segments.operators import (
    DAYS,
    MEMBERSHIP_LABELS,
    NUMBERS,
    OPERATORS,
    PERIODS,
    UNITS,
    Operator,
    fitting,
)
from segments.rule_tree import DEEPEST

ROOT = "0"
SEGMENT = "segment"
LONGEST_PATH = 20


@dataclass
class FormNode:
    """A group or a rule as the form shows it."""

    path: str
    match: str = ""
    subject: str = ""
    operator: str = ""
    value: str = ""
    value2: str = ""
    unit: str = "days"
    type: str = ""
    error: str = ""
    takes_focus: bool = False
    children: "list[FormNode]" = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return bool(self.match)

    @property
    def may_nest(self) -> bool:
        return self.path.count("-") + 1 < DEEPEST

    @property
    def is_membership(self) -> bool:
        return self.subject == SEGMENT

    @property
    def operators(self) -> list[tuple[str, Any]]:
        if self.is_membership:
            return list(MEMBERSHIP_LABELS.items())
        return [(operator.name, operator.label) for operator in fitting(self.type)]

    @property
    def needs(self) -> str:
        known: Operator | None = OPERATORS.get(self.operator)
        return SEGMENT if self.is_membership else known.needs if known else "nothing"

    @property
    def values(self) -> list[str]:
        """Those of a list, as they were pasted."""
        return pasted.values(self.value)

    @property
    def repeated(self) -> int:
        """How many of a list's values came before."""
        return len(self.values) - len(set(self.values))

    @property
    def attribute(self) -> str:
        return "" if self.is_membership else self.subject.removeprefix("a:")

    @property
    def is_text(self) -> bool:
        return self.type == AttributeType.TEXT

    @property
    def shows_spread(self) -> bool:
        """Whether it helps to know how the attribute's numbers or days lie."""
        return self.type in (*NUMBERS, *DAYS) and self.needs in ("one", "two")

    @property
    def input_type(self) -> str:
        if self.type in NUMBERS:
            return "number"
        return "date" if self.type in DAYS else "text"


def new_tree() -> FormNode:
    return FormNode(ROOT, match="all", children=[FormNode(f"{ROOT}-0")])


def from_tree(tree: Any, path: str = ROOT) -> FormNode:
    """The form of stored rules."""
    if not isinstance(tree, dict):
        return new_tree()
    if "match" in tree:
        children = [
            from_tree(one, f"{path}-{place}") for place, one in enumerate(tree.get("rules") or ())
        ]
        return FormNode(path, match=str(tree["match"]), children=children)
    if "segment" in tree:
        return FormNode(
            path, subject=SEGMENT, operator=str(tree["operator"]), value=str(tree["segment"])
        )
    value = tree.get("value")
    given = value if isinstance(value, list) else [value]
    operator = OPERATORS.get(str(tree.get("operator")))
    node = FormNode(path, subject=f"a:{tree.get('attribute')}", operator=str(tree.get("operator")))
    node.unit = str(tree.get("unit", node.unit))
    if operator is not None and operator.needs == "many":
        node.value = pasted.text_of([str(one) for one in given])
    elif value is not None:
        node.value = str(given[0])
        node.value2 = str(given[1]) if len(given) > 1 else ""
    return node


def from_post(data: QueryDict) -> FormNode:
    """The form as a browser sent it, with its action carried out."""
    nodes = {ROOT: FormNode(ROOT, match="all")}
    paths = {path for path in data.getlist("node") if len(path) <= LONGEST_PATH}
    for path in sorted(paths, key=_order):
        parent = nodes.get(path.rpartition("-")[0])
        if path != ROOT and (parent is None or not parent.is_group):
            continue
        node = _node(path, data)
        nodes[path] = node
        if parent is not None:
            parent.children.append(node)
    root = nodes[ROOT]
    action, _colon, path = data.get("action", "").partition(":")
    if path in nodes:
        _act(root, nodes[path], action)
    return _renumbered(root, ROOT)


def _order(path: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isascii() and part.isdigit() else -1 for part in path.split("-"))


def _node(path: str, data: QueryDict) -> FormNode:
    match = data.get(f"match-{path}", "")
    if match:
        return FormNode(path, match=match)
    return FormNode(
        path,
        subject=data.get(f"subject-{path}", ""),
        operator=data.get(f"operator-{path}", ""),
        value=data.get(f"value-{path}", ""),
        value2=data.get(f"value2-{path}", ""),
        unit=data.get(f"unit-{path}", "days"),
    )


def _act(root: FormNode, node: FormNode, action: str) -> None:
    """Carries an action out, and says where the keyboard's focus goes."""
    if action == "add-rule" and node.is_group:
        node.children.append(FormNode("", takes_focus=True))
    elif action == "add-group" and node.is_group:
        inner = FormNode("", takes_focus=True)
        node.children.append(FormNode("", match="any", children=[inner]))
    elif action == "remove":
        _remove(root, node)


def _remove(within: FormNode, node: FormNode) -> None:
    for place, child in enumerate(within.children):
        if child is node:
            del within.children[place]
            beside = within.children[place : place + 1] or within.children[-1:]
            (beside[0] if beside else within).takes_focus = True
            return
        _remove(child, node)


def _renumbered(node: FormNode, path: str) -> FormNode:
    node.path = path
    for place, child in enumerate(node.children):
        _renumbered(child, f"{path}-{place}")
    return node


def to_tree(node: FormNode) -> dict[str, Any]:
    """The rules as they are stored."""
    if node.is_group:
        return {"match": node.match, "rules": [to_tree(child) for child in node.children]}
    if node.is_membership:
        return {"segment": node.value, "operator": node.operator}
    rule: dict[str, Any] = {"attribute": node.attribute, "operator": node.operator}
    if node.needs == "many":
        rule["value"] = pasted.values(node.value)
    elif node.needs == "span":
        rule |= {"value": node.value, "unit": node.unit}
    elif node.needs == "two":
        rule["value"] = [node.value, node.value2]
    elif node.needs != "nothing":
        rule["value"] = node.value
    return rule


def complete(root: FormNode, attributes: Mapping[str, Attribute]) -> None:
    """Gives every rule its type, and an operator that fits when the attribute has changed."""
    for node in walk(root):
        if node.is_group:
            continue
        attribute = attributes.get(node.attribute)
        node.type = attribute.type if attribute else ""
        names = [name for name, _label in node.operators]
        if names and node.operator not in names:
            node.operator, node.value2 = names[0], ""


def walk(node: FormNode) -> list[FormNode]:
    return [node, *(found for child in node.children for found in walk(child))]


def show_error(root: FormNode, path: tuple[int, ...], message: str) -> None:
    """Puts the error at the node that a path leads to."""
    node_at(root, path).error = message


def node_at(root: FormNode, path: tuple[int, ...]) -> FormNode:
    node = root
    for place in path:
        node = node.children[place]
    return node


def choices(except_segment: Segment | None) -> dict[str, Any]:
    """What the form offers."""
    but = except_segment.pk if except_segment else None
    return {
        "attributes": selectors.attributes(),
        "segments": [one for one in selectors.to_choose_from() if one.pk != but],
        "months": [(str(number), name) for number, name in MONTHS.items()],
        "units": list(UNITS.items()),
        "periods": list(PERIODS.items()),
    }
