"""Compiles rules to a parameterised SQL condition over `segments_profile p`.

Every value and every attribute's name is a parameter. A condition is true or false, never null:
what has no value meets none of the positive operators and all of the negative ones ("is not X"
includes those without a value). Text compares without case. Days are those of the time zone given.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from segments.models import AttributeType
from segments.operators import MEMBER
from segments.rule_tree import Group, Membership, Node, Rule

JOINS = {"all": " AND ", "any": " OR ", "none": " OR "}


@dataclass
class _Compiler:
    workspace_id: int
    now: datetime
    time_zone: ZoneInfo
    parameters: dict[str, Any] = field(default_factory=dict)

    def parameter(self, value: Any) -> str:
        name = f"r{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s"


def compile_rules(
    tree: Group, *, workspace_id: int, now: datetime, time_zone: ZoneInfo
) -> tuple[str, dict[str, Any]]:
    """The condition and its parameters, whose names begin with `r`."""
    compiler = _Compiler(workspace_id, now, time_zone)
    return _condition(tree, compiler), compiler.parameters


def _condition(node: Node, compiler: _Compiler) -> str:
    if isinstance(node, Group):
        joined = JOINS[node.match].join(_condition(one, compiler) for one in node.rules)
        return f"NOT ({joined})" if node.match == "none" else f"({joined})"
    if isinstance(node, Membership):
        return _membership(node, compiler)
    return f"(({_comparison(node, compiler)}) IS TRUE)"


def _membership(node: Membership, compiler: _Compiler) -> str:
    found = (
        "EXISTS (SELECT 1 FROM segments_segmentmember m"  # noqa: S608 - of parameters
        f" WHERE m.workspace_id = {compiler.parameter(compiler.workspace_id)}"
        f" AND m.segment_id = {compiler.parameter(node.segment_id)} AND m.profile_id = p.id)"
    )
    return found if node.operator == MEMBER else f"NOT {found}"


def _comparison(rule: Rule, compiler: _Compiler) -> str:
    name = compiler.parameter(rule.attribute)
    text = f"(p.attributes ->> {name})"
    if rule.operator == "is_empty":
        return f"{text} IS NULL"
    if rule.operator == "is_not_empty":
        return f"{text} IS NOT NULL"
    if rule.type == AttributeType.BOOLEAN:
        return f"{text} = {compiler.parameter('true' if rule.operator == 'is_yes' else 'false')}"
    if rule.type == AttributeType.NUMBER:
        return _number(rule, name, compiler)
    if rule.type == AttributeType.TEXT:
        return _text(rule, f"lower({text})", compiler)
    return _day(rule, _day_of(rule, text, compiler), compiler)


def _text(rule: Rule, text: str, compiler: _Compiler) -> str:
    if rule.operator in ("is_any_of", "is_none_of"):
        values = compiler.parameter([value.lower() for value in rule.values])
        if rule.operator == "is_any_of":
            return f"{text} = ANY ({values}::text[])"
        return f"({text} = ANY ({values}::text[])) IS NOT TRUE"
    value = f"lower({compiler.parameter(rule.values[0])}::text)"
    return {
        "is": f"{text} = {value}",
        "is_not": f"{text} IS DISTINCT FROM {value}",
        "contains": f"strpos({text}, {value}) > 0",
        "does_not_contain": f"(strpos({text}, {value}) > 0) IS NOT TRUE",
        "starts_with": f"starts_with({text}, {value})",
        "ends_with": f"right({text}, length({value})) = {value}",
    }[rule.operator]


def _number(rule: Rule, name: str, compiler: _Compiler) -> str:
    # A value kept under another type before must not stop the query.
    number = (
        f"CASE jsonb_typeof(p.attributes -> {name})"
        f" WHEN 'number' THEN (p.attributes -> {name})::numeric END"
    )
    values = [compiler.parameter(value) for value in rule.values]
    first = values[0]
    if rule.operator == "between":
        return f"({number}) BETWEEN {first} AND {values[1]}"
    if rule.operator == "does_not_equal":
        return f"({number}) IS DISTINCT FROM {first}"
    sign = {
        "equals": "=",
        "less_than": "<",
        "at_most": "<=",
        "greater_than": ">",
        "at_least": ">=",
    }[rule.operator]
    return f"({number}) {sign} {first}"


def _day_of(rule: Rule, text: str, compiler: _Compiler) -> str:
    """The day as text, YYYY-MM-DD: days written so compare as text does."""
    if rule.type == AttributeType.DATE:
        return f'{text} COLLATE "C"'
    zone = compiler.parameter(compiler.time_zone.key)
    return (
        f"(CASE WHEN {text} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:]{{8}}Z$'"
        f" THEN to_char({text}::timestamptz AT TIME ZONE {zone}, 'YYYY-MM-DD') END)"
        ' COLLATE "C"'
    )


def _day(rule: Rule, day: str, compiler: _Compiler) -> str:
    today = compiler.now.astimezone(compiler.time_zone).date()
    if rule.operator == "month_is":
        return f"substr({day}, 6, 2) = {compiler.parameter(f'{rule.values[0]:02}')}"
    if rule.operator == "anniversary_in_days":
        days = [(today + timedelta(days=ahead)) for ahead in range(rule.values[0] + 1)]
        return (
            f"substr({day}, 6) = ANY ({compiler.parameter([f'{d:%m-%d}' for d in days])}::text[])"
        )
    if rule.operator == "in_last_days":
        span = (today - timedelta(days=rule.values[0]), today)
    elif rule.operator == "in_next_days":
        span = (today, today + timedelta(days=rule.values[0]))
    elif rule.operator == "between":
        span = (rule.values[0], rule.values[1])
    else:
        sign = {"on": "=", "before": "<", "after": ">"}[rule.operator]
        return f"{day} {sign} {compiler.parameter(rule.values[0].isoformat())}"
    first, last = (compiler.parameter(one.isoformat()) for one in span)
    return f"{day} BETWEEN {first} AND {last}"
