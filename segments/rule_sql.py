"""Compiles rules to a parameterised SQL condition over `segments_profile p`.

Every value and every attribute's name is a parameter. A condition is true or false, never null:
what has no value meets none of the positive operators and all of the negative ones ("is not X"
includes those without a value). A value kept under another type than the attribute's meets no
comparison, and never stops the query. Text compares without case, by Unicode's simple mapping,
whatever the database's locale. Days are those of the time zone given.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from segments import rule_days, static_sql
from segments.models import AttributeType
from segments.operators import MEMBER, NEGATIVE, NUMBERS, OPERATORS
from segments.rule_tree import Group, Listed, Membership, Node, Rule
from segments.rule_values import SEPARATOR

JOINS = {"all": " AND ", "any": " OR ", "none": " OR "}
DAY_SHAPE = "____-__-__"
MOMENT_SHAPE = "____-__-__T__:__:__Z"
# So many texts of a list's rule are looked for one by one; more are faster found by hash.
MOST_ANY, MOST_ALL = 4, 8
SIGNS = {"equals": "=", "less_than": "<", "at_most": "<=", "greater_than": ">", "at_least": ">="}


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


def compile_parts(
    tree: Group, *, workspace_id: int, now: datetime, time_zone: ZoneInfo
) -> tuple[list[str], dict[str, Any]]:
    """A condition for each of the outermost group's rules, with the parameters of all."""
    compiler = _Compiler(workspace_id, now, time_zone)
    return [_condition(node, compiler) for node in tree.rules], compiler.parameters


def _condition(node: Node, compiler: _Compiler) -> str:
    if isinstance(node, Group):
        joined = JOINS[node.match].join(_condition(one, compiler) for one in node.rules)
        return f"NOT ({joined})" if node.match == "none" else f"({joined})"
    if isinstance(node, Membership):
        return _membership(node, compiler)
    if isinstance(node, Listed):
        return _listed(node, compiler)
    test = "IS NOT TRUE" if node.operator in NEGATIVE else "IS TRUE"
    return f"(({_comparison(node, compiler)}) {test})"


def _membership(node: Membership, compiler: _Compiler) -> str:
    found = (
        "EXISTS (SELECT 1 FROM segments_segmentmember m"  # noqa: S608 - of parameters
        f" WHERE m.workspace_id = {compiler.parameter(compiler.workspace_id)}"
        f" AND m.segment_id = {compiler.parameter(node.segment_id)} AND m.profile_id = p.id)"
    )
    return found if node.operator == MEMBER else f"NOT {found}"


def _listed(node: Listed, compiler: _Compiler) -> str:
    forms = static_sql.forms_of(compiler.parameter(node.attribute) if node.attribute else "")
    return static_sql.LISTED.format(
        **forms,
        workspace=compiler.parameter(compiler.workspace_id),
        segment=compiler.parameter(node.segment_id),
    )


def _comparison(rule: Rule, compiler: _Compiler) -> str:
    """What the rule asks; for a negative operator, what it denies."""
    name = compiler.parameter(rule.attribute)
    text = f"(p.attributes ->> {name})"
    if rule.operator in ("is_empty", "is_not_empty"):
        return f"{text} IS NOT NULL" if rule.operator == "is_not_empty" else f"{text} IS NULL"
    if rule.type == AttributeType.BOOLEAN:
        return f"{text} = {compiler.parameter('true' if rule.operator == 'is_yes' else 'false')}"
    if rule.type in NUMBERS:
        return _number(rule, name, compiler)
    if rule.type == AttributeType.LIST:
        return _list(rule, name, compiler)
    if rule.type == AttributeType.TEXT:
        return _text(rule, text, compiler)
    return _day(rule, text, compiler)


def _text(rule: Rule, text: str, compiler: _Compiler) -> str:
    text = _lower(text)
    if rule.operator in ("is_any_of", "is_none_of"):
        # Folded while planning into a constant list, which PostgreSQL looks up by hash.
        values = _lower(compiler.parameter(SEPARATOR.join(rule.values)) + "::text")
        return f"{text} = ANY (string_to_array({values}, {compiler.parameter(SEPARATOR)}))"
    value = _lower(compiler.parameter(rule.values[0]) + "::text")
    return {
        "is": f"{text} = {value}",
        "is_not": f"{text} = {value}",
        "contains": f"strpos({text}, {value}) > 0",
        "does_not_contain": f"strpos({text}, {value}) > 0",
        "starts_with": f"starts_with({text}, {value})",
        "ends_with": f"right({text}, length({value})) = {value}",
    }[rule.operator]


def _list(rule: Rule, name: str, compiler: _Compiler) -> str:
    """Looks in the JSON text of the list for each text as it is written there.

    Without a backslash every quote in it begins or ends a text, so what is found is one of them.
    Only lists with one are taken apart, which costs several times as much.
    """
    kept = f"(p.attributes -> {name})"
    written = _lower(f"{kept}::text")
    asks_all = rule.operator == "contains_all_of"
    first = rule.values[: MOST_ALL if asks_all else MOST_ANY]
    if not asks_all and len(first) < len(rule.values):
        return _taken_apart(rule, kept, compiler)
    parts = [f"strpos({written}, {_lower(_as_json(one, compiler))}) > 0" for one in first]
    found = (" AND " if asks_all else " OR ").join(parts)
    exact = _taken_apart(rule, kept, compiler)
    if len(first) == len(rule.values):
        exact = f"(strpos({kept}::text, E'\\\\') = 0 OR {exact})"
    return f"({found}) AND jsonb_typeof({kept}) = 'array' AND {exact}"


def _as_json(value: str, compiler: _Compiler) -> str:
    return compiler.parameter(json.dumps(value, ensure_ascii=False)) + "::text"


def _taken_apart(rule: Rule, kept: str, compiler: _Compiler) -> str:
    texts = (
        "FROM jsonb_array_elements_text("
        f"CASE jsonb_typeof({kept}) WHEN 'array' THEN {kept} END) AS kept (value)"
    )
    values = _lower(compiler.parameter(SEPARATOR.join(rule.values)) + "::text")
    wanted = f"string_to_array({values}, {compiler.parameter(SEPARATOR)})"
    found = f"{texts} WHERE {_lower('kept.value')} = ANY ({wanted})"
    if rule.operator != "contains_all_of":
        return f"EXISTS (SELECT 1 {found})"
    different = f"(SELECT count(DISTINCT one) FROM unnest({wanted}) AS wanted (one))"  # noqa: S608
    return f"(SELECT count(DISTINCT {_lower('kept.value')}) {found}) = {different}"


def _lower(text: str) -> str:
    return f"lower({text} COLLATE pg_c_utf8)"


def _number(rule: Rule, name: str, compiler: _Compiler) -> str:
    number = (
        f"CASE jsonb_typeof(p.attributes -> {name})"
        f" WHEN 'number' THEN (p.attributes -> {name})::numeric END"
    )
    if rule.operator in ("equals_any_of", "equals_none_of"):
        return f"({number}) = ANY ({compiler.parameter(list(rule.values))}::numeric[])"
    values = [compiler.parameter(value) for value in rule.values]
    if rule.operator == "between":
        return f"({number}) BETWEEN {values[0]} AND {values[1]}"
    return f"({number}) {SIGNS.get(rule.operator, '=')} {values[0]}"


def _day(rule: Rule, text: str, compiler: _Compiler) -> str:
    today = compiler.now.astimezone(compiler.time_zone).date()
    if rule.operator == "month_is":
        return f"{_part(rule, text, compiler, 'MM')} = {compiler.parameter(f'{rule.values[0]:02}')}"
    if rule.operator in ("anniversary_today", "anniversary_in_days"):
        days = rule_days.anniversaries(today, rule.values[0] if rule.values else 0)
        return f"{_part(rule, text, compiler, 'MM-DD')} = ANY ({compiler.parameter(days)}::text[])"
    if OPERATORS[rule.operator].needs == "span":
        count, unit = rule.values
        span = rule_days.span_from(today, rule.operator, count, unit)
    elif rule.operator == "in_current":
        span = rule_days.current(today, rule.values[0])
    else:
        span = rule_days.span(rule.operator, rule.values)
    return _within(rule, text, span, compiler)


def _within(rule: Rule, text: str, span: rule_days.Span, compiler: _Compiler) -> str:
    """Days and moments written by ISO 8601 compare as text does, so nothing needs converting."""
    first, last = span
    zone, is_day = compiler.time_zone, rule.type == AttributeType.DATE
    tests = [f"{text} LIKE {compiler.parameter(DAY_SHAPE if is_day else MOMENT_SHAPE)}"]
    if first is not None:
        least = first.isoformat() if is_day else rule_days.beginning(first, zone)
        tests.append(f'{text} COLLATE "C" >= {compiler.parameter(least)}')
    if last is not None:
        after = last + timedelta(days=1)
        limit = after.isoformat() if is_day else rule_days.beginning(after, zone)
        tests.append(f'{text} COLLATE "C" < {compiler.parameter(limit)}')
    return " AND ".join(tests)


def _part(rule: Rule, text: str, compiler: _Compiler, pattern: str) -> str:
    """The month (`MM`) or the day of the year (`MM-DD`), where the workspace is."""
    if rule.type == AttributeType.DATE:
        shape = compiler.parameter(DAY_SHAPE)
        return f"CASE WHEN {text} LIKE {shape} THEN substr({text}, 6, {len(pattern)}) END"
    shape = compiler.parameter(MOMENT_SHAPE)
    return (
        f"CASE WHEN {text} LIKE {shape} AND pg_input_is_valid({text}, 'timestamptz')"
        f" THEN to_char({text}::timestamptz AT TIME ZONE"
        f" {compiler.parameter(compiler.time_zone.key)}, '{pattern}') END"
    )
