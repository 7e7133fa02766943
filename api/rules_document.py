"""What the document says of a segment's rules; `segments.rule_tree` is who judges them."""

from typing import Any

from segments.operators import OPERATORS

EXAMPLE: dict[str, Any] = {
    "match": "all",
    "rules": [
        {"attribute": "City", "operator": "is_any_of", "value": ["Barcelona", "Girona"]},
        {"attribute": "LastOrder", "operator": "in_last", "value": 6, "unit": "months"},
        {"match": "none", "rules": [{"attribute": "EMail", "operator": "is_empty"}]},
    ],
}
RULES: dict[str, Any] = {
    "description": "A tree. A group is `{match, rules}`: `all`, `any` or `none` of its nodes hold."
    " A rule is `{attribute, operator, value}`, with `unit` where the value is a span of time. A"
    " membership is `{segment, operator}`: `member` or `not_member`. The outermost node is a group."
    f" Operators: {', '.join(f'`{name}`' for name in OPERATORS)}."
    " What fits which type is in docs/segment-rules.md.",
    "required": ["match", "rules"],
    "properties": {
        "match": {"type": "string", "enum": ["all", "any", "none"]},
        "rules": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
    "examples": [EXAMPLE],
}
