"""Rules: what each operator finds, what makes no sense, and that SQL agrees with plain reading."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.models import Attribute, Profile
from segments.rule_sentence import sentence
from segments.rule_sql import compile_rules
from segments.rule_tree import Group, Rule, RuleError, Vocabulary, read

TYPES = {"city": "text", "points": "number", "born": "date", "seen": "datetime", "vip": "boolean"}
VOCABULARY = Vocabulary(TYPES, frozenset({7}))
ZONE = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 8)

ROWS: dict[str, dict[str, Any]] = {
    "a": {"city": "Barcelona", "points": 10, "born": "1990-03-10", "vip": True},
    "b": {"city": "BARCELONA", "points": 20.5, "born": "2000-02-29", "vip": False},
    "c": {"city": "Sant Cugat 100%_", "points": -3, "seen": "2026-03-08T06:30:00Z"},
    "d": {"city": 'o\'Hara \\ "x"', "seen": "2026-03-08T10:30:00Z", "born": "2026-03-08"},
    "e": {},
}


@pytest.fixture
def people(workspace: Any) -> Any:
    for position, (name, kind) in enumerate(TYPES.items()):
        Attribute.objects.create(
            workspace=workspace, name=name, label=name, type=kind, position=position
        )
    Profile.objects.bulk_create(
        Profile(workspace=workspace, key=key, attributes=values) for key, values in ROWS.items()
    )
    return workspace


def found(workspace: Any, tree: Any) -> str:
    condition, parameters = compile_rules(
        read(tree, VOCABULARY), workspace_id=workspace.pk, now=NOW, time_zone=ZONE
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT p.key FROM segments_profile p WHERE {condition} ORDER BY p.key", parameters
        )
        return "".join(key for (key,) in cursor.fetchall())


def one(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    rule = {"attribute": attribute, "operator": operator, "value": value}
    return {"match": "all", "rules": [rule]}


@pytest.mark.parametrize(
    ("rule", "keys"),
    [
        (("city", "is", "barcelona"), "ab"),
        (("city", "is_not", "barcelona"), "cde"),
        (("city", "is_any_of", ["BARCELONA", "nowhere"]), "ab"),
        (("city", "is_none_of", ["Barcelona"]), "cde"),
        (("city", "contains", "%"), "c"),
        (("city", "contains", "_"), "c"),
        (("city", "contains", "'hara"), "d"),
        (("city", "contains", "\\"), "d"),
        (("city", "does_not_contain", "barc"), "cde"),
        (("city", "starts_with", "sant"), "c"),
        (("city", "ends_with", '"X"'), "d"),
        (("city", "is_empty"), "e"),
        (("city", "is_not_empty"), "abcd"),
        (("points", "equals", "20.50"), "b"),
        (("points", "does_not_equal", "10"), "bcde"),
        (("points", "less_than", "10"), "c"),
        (("points", "at_most", "10"), "ac"),
        (("points", "greater_than", "10"), "b"),
        (("points", "at_least", "10"), "ab"),
        (("points", "between", ["-3", "10"]), "ac"),
        (("points", "is_empty"), "de"),
        (("born", "on", "1990-03-10"), "a"),
        (("born", "before", "2000-01-01"), "a"),
        (("born", "after", "2000-01-01"), "bd"),
        (("born", "between", ["1990-01-01", "2000-12-31"]), "ab"),
        (("born", "month_is", "3"), "ad"),
        (("born", "in_last_days", "0"), "d"),
        (("born", "in_next_days", "5"), "d"),
        (("born", "anniversary_in_days", "2"), "ad"),
        (("born", "anniversary_in_days", "1"), "d"),
        (("seen", "on", "2026-03-07"), "c"),
        (("seen", "on", "2026-03-08"), "d"),
        (("seen", "in_last_days", "1"), "cd"),
        (("vip", "is_yes"), "a"),
        (("vip", "is_no"), "b"),
        (("vip", "is_empty"), "cde"),
    ],
)
def test_each_operator_finds_whom_it_says(people: Any, rule: Any, keys: str) -> None:
    assert found(people, one(*rule)) == keys


def test_groups_match_all_any_or_none(people: Any) -> None:
    barcelona = one("city", "is", "barcelona")["rules"][0]
    rich = one("points", "greater_than", "15")["rules"][0]
    assert found(people, {"match": "all", "rules": [barcelona, rich]}) == "b"
    assert found(people, {"match": "any", "rules": [barcelona, rich]}) == "ab"
    assert found(people, {"match": "none", "rules": [barcelona, rich]}) == "cde"
    nested = {"match": "all", "rules": [barcelona, {"match": "none", "rules": [rich]}]}
    assert found(people, nested) == "a"


def test_a_value_kept_under_another_type_does_not_stop_the_query(people: Any) -> None:
    Profile.objects.filter(key="e").update(attributes={"points": "many", "seen": "soon"})
    assert found(people, one("points", "greater_than", "0")) == "ab"
    assert found(people, one("seen", "on", "2026-03-08")) == "d"


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({}, "begin with a group"),
        ({"match": "all", "rules": []}, "empty"),
        ({"match": "most", "rules": [{}]}, "all, any or none"),
        (one("nope", "is", "x"), "no attribute"),
        (one("city", "greater_than", "x"), "does not fit"),
        (one("city", "sounds_like", "x"), "Choose what"),
        (one("city", "is", ""), "Give a value"),
        (one("city", "is", "x" * 1001), "at most"),
        (one("city", "is", "nul\0"), "at most"),
        (one("city", "is_any_of", []), "at least one"),
        (one("points", "equals", "ten"), "not a number"),
        (one("points", "equals", "nan"), "not a number"),
        (one("points", "equals", "inf"), "not a number"),
        (one("points", "between", ["10", "1"]), "Swap"),
        (one("points", "between", ["10"]), "both"),
        (one("born", "on", "31/12/2026"), "not a date"),
        (one("born", "in_last_days", "-1"), "number of days"),
        (one("born", "anniversary_in_days", "400"), "366"),
        ({"match": "all", "rules": [{"segment": 8, "operator": "member"}]}, "Choose a segment"),
        ({"match": "all", "rules": [None]}, "not a rule"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_why(tree: Any, says: str) -> None:
    with pytest.raises(RuleError, match=says):
        read(tree, VOCABULARY)


def test_an_error_points_at_its_rule() -> None:
    good = one("city", "is", "x")["rules"][0]
    bad = one("points", "equals", "ten")["rules"][0]
    with pytest.raises(RuleError) as told:
        read({"match": "all", "rules": [good, {"match": "any", "rules": [good, bad]}]}, VOCABULARY)
    assert told.value.path == (1, 1)


def test_rules_nested_too_deeply_are_refused() -> None:
    tree = one("city", "is", "x")
    for _ in range(20):
        tree = {"match": "all", "rules": [tree]}
    with pytest.raises(RuleError, match="deeply"):
        read(tree, VOCABULARY)


def test_rules_read_as_a_sentence() -> None:
    tree = {
        "match": "all",
        "rules": [
            {"attribute": "city", "operator": "is_any_of", "value": ["A", "B", "C", "D"]},
            {
                "match": "any",
                "rules": [
                    {"attribute": "born", "operator": "in_last_days", "value": 1},
                    {"segment": 7, "operator": "not_member"},
                ],
            },
        ],
    }
    assert sentence(tree, {"city": "City", "born": "Born"}, {7: "VIPs"}) == (
        "City is any of “A”, “B”, “C” and 1 more and"
        " (Born is in the last 1 day or is not in the segment “VIPs”)"
    )


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
profile_values = st.fixed_dictionaries(
    {},
    optional={
        "city": TEXTS.map(str.strip).filter(bool),
        "points": st.integers(-50, 50),
        "born": st.dates(date(2025, 1, 1), date(2027, 1, 1)).map(date.isoformat),
        "vip": st.booleans(),
    },
)
leaf = st.one_of(
    st.builds(
        one,
        st.just("city"),
        st.sampled_from(
            ["is", "is_not", "contains", "starts_with", "ends_with", "does_not_contain"]
        ),
        TEXTS.filter(lambda t: bool(t.strip())),
    ),
    st.builds(one, st.just("city"), st.sampled_from(["is_empty", "is_not_empty"])),
    st.builds(
        one,
        st.just("points"),
        st.sampled_from(
            ["equals", "does_not_equal", "less_than", "at_most", "greater_than", "at_least"]
        ),
        st.integers(-50, 50),
    ),
    st.builds(
        one,
        st.just("born"),
        st.sampled_from(["on", "before", "after"]),
        st.dates(date(2025, 1, 1), date(2027, 1, 1)).map(date.isoformat),
    ),
    st.builds(
        one, st.just("born"), st.sampled_from(["in_last_days", "in_next_days"]), st.integers(0, 400)
    ),
    st.builds(one, st.just("vip"), st.sampled_from(["is_yes", "is_no", "is_empty"])),
)
trees = st.recursive(
    leaf,
    lambda inner: st.builds(
        lambda match, rules: {"match": match, "rules": rules},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


def plainly(node: Any, values: dict[str, Any]) -> bool:
    """The rules read with no regard to speed."""
    if isinstance(node, Group):
        answers = [plainly(one, values) for one in node.rules]
        if node.match == "none":
            return not any(answers)
        return all(answers) if node.match == "all" else any(answers)
    assert isinstance(node, Rule)
    value = values.get(node.attribute)
    if node.operator in ("is_empty", "is_not_empty"):
        return (value is None) == (node.operator == "is_empty")
    if value is None:
        return node.operator in ("is_not", "does_not_contain", "does_not_equal")
    return _compared(node, value)


def _compared(rule: Rule, value: Any) -> bool:
    if rule.type == "boolean":
        return value is (rule.operator == "is_yes")
    if rule.type == "text":
        wanted, value = rule.values[0].lower(), value.lower()
        return {
            "is": value == wanted,
            "is_not": value != wanted,
            "contains": wanted in value,
            "does_not_contain": wanted not in value,
            "starts_with": value.startswith(wanted),
            "ends_with": value.endswith(wanted),
        }[rule.operator]
    if rule.type == "number":
        number, wanted = Decimal(value), rule.values[0]
        return {
            "equals": number == wanted,
            "does_not_equal": number != wanted,
            "less_than": number < wanted,
            "at_most": number <= wanted,
            "greater_than": number > wanted,
            "at_least": number >= wanted,
        }[rule.operator]
    day = date.fromisoformat(value)
    if rule.operator == "in_last_days":
        return TODAY - timedelta(days=rule.values[0]) <= day <= TODAY
    if rule.operator == "in_next_days":
        return TODAY <= day <= TODAY + timedelta(days=rule.values[0])
    return {
        "on": day == rule.values[0],
        "before": day < rule.values[0],
        "after": day > rule.values[0],
    }[rule.operator]


def lowered_alike(text: str) -> bool:
    """PostgreSQL's and Python's small letters differ beyond simple case mapping."""
    return all(len(char.lower()) == 1 and char not in "Σ" for char in text)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=trees, rows=st.lists(profile_values, min_size=1, max_size=6))
def test_sql_finds_whom_a_plain_reading_finds(
    workspace: Any, tree: Any, rows: list[dict[str, Any]]
) -> None:
    rows = [row for row in rows if lowered_alike(row.get("city", ""))]
    parsed = read({"match": "all", "rules": [tree]}, VOCABULARY)
    Profile.objects.all().delete()
    Profile.objects.bulk_create(
        Profile(workspace=workspace, key=f"{n}", attributes=row) for n, row in enumerate(rows)
    )
    expected = "".join(str(n) for n, row in enumerate(rows) if plainly(parsed, row))
    assert found(workspace, {"match": "all", "rules": [tree]}) == expected
