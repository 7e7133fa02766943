"""A small world for rules: attributes of every type, profiles, a fixed moment; plain reading."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from segments.models import Attribute, Profile
from segments.operators import NEGATIVE
from segments.rule_sql import compile_rules
from segments.rule_tree import Group, Listed, Membership, Node, Rule, Vocabulary, read
from workspaces.models import Workspace

TYPES = {
    "city": "text",
    "points": "number",
    "visits": "integer",
    "born": "date",
    "seen": "datetime",
    "vip": "boolean",
    "tags": "list",
}
VOCABULARY = Vocabulary(TYPES, frozenset({7}))
# On the list of segment 7.
ENTRIES = ("girona", "ΣΑΣ", "0", "3", "50")
ZONE = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)


def rule(attribute: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value, **more}


def group(*rules: dict[str, Any], match: str = "all") -> dict[str, Any]:
    return {"match": match, "rules": list(rules)}


def make_attributes(workspace: Workspace) -> None:
    for position, (name, kind) in enumerate(TYPES.items()):
        Attribute.objects.create(
            workspace=workspace, name=name, label=name.title(), type=kind, position=position
        )


def make_profiles(workspace: Workspace, rows: Mapping[str, Mapping[str, Any]]) -> None:
    Profile.objects.bulk_create(
        Profile(workspace=workspace, key=key, attributes=dict(values))
        for key, values in rows.items()
    )


def found(workspace: Workspace, tree: Any, now: datetime = NOW, zone: ZoneInfo = ZONE) -> list[str]:
    """The keys of the profiles that the rules find, in order."""
    condition, parameters = compile_rules(
        read(tree, VOCABULARY), workspace_id=workspace.pk, now=now, time_zone=zone
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.key FROM segments_profile p WHERE {condition} ORDER BY p.key", parameters
        )
        return [key for (key,) in cursor.fetchall()]


def plainly(
    node: Node,
    values: Mapping[str, Any],
    *,
    is_member: bool = False,
    key: str = "",
    now: datetime = NOW,
    zone: ZoneInfo = ZONE,
) -> bool:
    """Whether a profile meets the rules, read with no regard to speed."""
    if isinstance(node, Group):
        answers = [
            plainly(one, values, is_member=is_member, key=key, now=now, zone=zone)
            for one in node.rules
        ]
        if node.match == "none":
            return not any(answers)
        return all(answers) if node.match == "all" else any(answers)
    if isinstance(node, Membership):
        return is_member == (node.operator == "member")
    if isinstance(node, Listed):
        return _is_listed(values.get(node.attribute) if node.attribute else key, node.attribute)
    value = values.get(node.attribute)
    if node.operator in ("is_empty", "is_not_empty"):
        return (value is None) == (node.operator == "is_empty")
    if node.operator in NEGATIVE:
        return not _meets(node, value, now, zone)
    return _meets(node, value, now, zone)


def _is_listed(value: Any, attribute: str) -> bool:
    if value is None:
        return False
    return lowered(str(value)) in map(lowered, ENTRIES) if attribute else value in ENTRIES


def _meets(rule: Rule, value: Any, now: datetime, zone: ZoneInfo) -> bool:
    if value is None:
        return False
    if rule.type == "boolean":
        return value is (rule.operator == "is_yes")
    if rule.type == "text":
        return _text(rule, lowered(value), [lowered(one) for one in rule.values])
    if rule.type == "list":
        return _list(rule, {lowered(one) for one in value}, {lowered(one) for one in rule.values})
    if rule.type in ("number", "integer"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and _number(rule, Decimal(str(value)))
    if rule.type == "date":
        day = date.fromisoformat(value)
    else:
        day = datetime.fromisoformat(value).astimezone(zone).date()
    return _day(rule, day, now.astimezone(zone).date())


def lowered(text: str) -> str:
    """Letter by letter, as Unicode's simple mapping has it."""
    return "".join(letter.lower()[0] for letter in text)


def _text(rule: Rule, value: str, wanted: list[str]) -> bool:
    first = wanted[0]
    if rule.operator in ("is", "is_not", "is_any_of", "is_none_of"):
        return value in wanted
    if rule.operator in ("contains", "does_not_contain"):
        return first in value
    return value.startswith(first) if rule.operator == "starts_with" else value.endswith(first)


def _list(rule: Rule, value: set[str], wanted: set[str]) -> bool:
    return value >= wanted if rule.operator == "contains_all_of" else bool(value & wanted)


def _number(rule: Rule, value: Decimal) -> bool:
    first, last = rule.values[0], rule.values[-1]
    return {
        "equals": value == first,
        "does_not_equal": value == first,
        "less_than": value < first,
        "at_most": value <= first,
        "greater_than": value > first,
        "at_least": value >= first,
        "equals_any_of": value in rule.values,
        "equals_none_of": value in rule.values,
        "between": first <= value <= last,
    }[rule.operator]


def _day(rule: Rule, day: date, today: date) -> bool:
    if rule.operator == "month_is":
        return day.month == rule.values[0]
    if rule.operator in ("anniversary_today", "anniversary_in_days"):
        days = rule.values[0] if rule.values else 0
        ahead = (today + timedelta(days=count) for count in range(days + 1))
        return any(_celebrates(day, one) for one in ahead)
    if rule.operator == "in_last":
        return _earlier(today, *rule.values) <= day <= today
    if rule.operator == "longer_ago":
        return day < _earlier(today, *rule.values)
    if rule.operator in ("in_next", "further_ahead"):
        limit = _earlier(today, -rule.values[0], rule.values[1])
        return today <= day <= limit if rule.operator == "in_next" else day > limit
    if rule.operator == "in_current":
        return _same_period(day, today, rule.values[0])
    first, last = rule.values[0], rule.values[-1]
    return {
        "on": day == first,
        "not_on": day == first,
        "before": day < first,
        "after": day > first,
        "between": first <= day <= last,
    }[rule.operator]


def _same_period(day: date, today: date, period: str) -> bool:
    if period == "week":
        return day.isocalendar()[:2] == today.isocalendar()[:2]
    of_year = {
        "month": day.month == today.month,
        "quarter": (day.month + 2) // 3 == (today.month + 2) // 3,
        "year": True,
    }
    return day.year == today.year and of_year[period]


def _celebrates(day: date, on: date) -> bool:
    try:
        return day.replace(year=on.year) == on
    except ValueError:
        return (on.month, on.day) == (2, 28)


def _earlier(day: date, count: int, unit: str) -> date:
    if unit in ("days", "weeks"):
        return day - timedelta(days=count * {"days": 1, "weeks": 7}[unit])
    month = day.replace(day=1)
    for _ in range(abs(count) * {"months": 1, "years": 12}[unit]):
        month = (month - timedelta(days=1) if count > 0 else month + timedelta(days=31)).replace(
            day=1
        )
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return month.replace(day=min(day.day, last.day))
