"""Rules as SQL: what each operator finds, and that SQL agrees with a plain reading."""

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.models import Profile, Segment, SegmentEntry, SegmentMember
from segments.operators import NEGATIVE, OPERATORS, PERIODS
from segments.rule_days import beginning
from segments.rule_tree import Group, RuleError, Vocabulary, node_at, read
from tests.segments.rule_world import (
    ENTRIES,
    NOW,
    TYPES,
    VOCABULARY,
    found,
    group,
    make_profiles,
    plainly,
    rule,
)
from workspaces.models import Workspace

ROWS: dict[str, dict[str, Any]] = {
    "a": {"city": "Barcelona", "points": 10, "born": "1990-03-10", "vip": True, "visits": 3},
    "b": {"city": "BARCELONA", "points": 20.5, "born": "2000-02-29", "vip": False, "visits": 0},
    "c": {
        "city": "Sant Cugat 100%_",
        "points": -3,
        "seen": "2026-03-08T06:30:00Z",
        "tags": ["a,b"],
    },
    "d": {
        "city": 'o\'Hara \\ "x"',
        "seen": "2026-03-08T10:30:00Z",
        "born": "2026-03-08",
        "tags": ["News", "VIP", "news"],
    },
    "e": {},
}

# What takes in a moment that no calendar has.
LATER = ("after", "between", "in_next", "further_ahead", "in_current")

CASES = [
    (("city", "is", "barcelona"), "ab"),
    (("city", "is", "  BarcelonA "), "ab"),
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
    (("points", "equals", 2.05e1), "b"),
    (("points", "does_not_equal", "10"), "bcde"),
    (("points", "equals_any_of", ["10.0", "-3", "7"]), "ac"),
    (("points", "equals_none_of", ["10"]), "bcde"),
    (("points", "less_than", "10"), "c"),
    (("points", "at_most", "10"), "ac"),
    (("points", "greater_than", "10"), "b"),
    (("points", "at_least", "10"), "ab"),
    (("points", "between", ["-3", "10"]), "ac"),
    (("points", "is_empty"), "de"),
    (("points", "is_not_empty"), "abc"),
    (("visits", "equals", "3"), "a"),
    (("visits", "does_not_equal", 3), "bcde"),
    (("visits", "less_than", 2.5), "b"),
    (("visits", "at_most", 3), "ab"),
    (("visits", "greater_than", "0"), "a"),
    (("visits", "at_least", "0"), "ab"),
    (("visits", "between", [0, 2]), "b"),
    (("visits", "equals_any_of", [0, "7"]), "b"),
    (("visits", "equals_none_of", [0, "7"]), "acde"),
    (("visits", "is_empty"), "cde"),
    (("visits", "is_not_empty"), "ab"),
    (("tags", "contains_any_of", ["vip", "nothing"]), "d"),
    (("tags", "contains_any_of", ["a"]), ""),
    (("tags", "contains_all_of", [" NEWS ", "vip", "Vip"]), "d"),
    (("tags", "contains_all_of", ["news", "vip", "more"]), ""),
    (("tags", "contains_none_of", ["VIP"]), "abce"),
    (("tags", "is_empty"), "abe"),
    (("tags", "is_not_empty"), "cd"),
    (("born", "on", "1990-03-10"), "a"),
    (("born", "not_on", "1990-03-10"), "bcde"),
    (("born", "before", "2000-02-29"), "a"),
    (("born", "after", "2000-02-29"), "d"),
    (("born", "between", ["1990-03-10", "2000-02-29"]), "ab"),
    (("born", "month_is", "3"), "ad"),
    (("born", "in_last", 0, "days"), "d"),
    (("born", "in_next", 1, "weeks"), "d"),
    (("born", "longer_ago", 27, "years"), "a"),
    (("born", "longer_ago", 0, "days"), "ab"),
    (("born", "further_ahead", 0, "days"), ""),
    (("born", "in_current", "week"), "d"),
    (("born", "in_current", "year"), "d"),
    (("born", "in_last", 26, "years"), "d"),
    (("born", "in_last", 27, "years"), "bd"),
    (("born", "in_last", 312, "months"), "d"),
    (("born", "in_last", 313, "months"), "bd"),
    (("born", "anniversary_today"), "d"),
    (("born", "anniversary_in_days", "2"), "ad"),
    (("born", "anniversary_in_days", "1"), "d"),
    (("born", "is_empty"), "ce"),
    (("born", "is_not_empty"), "abd"),
    (("seen", "on", "2026-03-07"), "c"),
    (("seen", "on", "2026-03-08"), "d"),
    (("seen", "not_on", "2026-03-07"), "abde"),
    (("seen", "before", "2026-03-08"), "c"),
    (("seen", "after", "2026-03-07"), "d"),
    (("seen", "between", ["2026-03-07", "2026-03-08"]), "cd"),
    (("seen", "month_is", 3), "cd"),
    (("seen", "in_last", 0, "days"), "d"),
    (("seen", "in_last", 1, "days"), "cd"),
    (("seen", "in_next", 0, "days"), "d"),
    (("seen", "longer_ago", 0, "days"), "c"),
    (("seen", "further_ahead", 0, "days"), ""),
    (("seen", "in_current", "week"), "cd"),
    (("seen", "in_current", "month"), "cd"),
    (("seen", "anniversary_today"), "d"),
    (("seen", "anniversary_in_days", "366"), "cd"),
    (("seen", "is_empty"), "abe"),
    (("seen", "is_not_empty"), "cd"),
    (("vip", "is_yes"), "a"),
    (("vip", "is_no"), "b"),
    (("vip", "is_empty"), "cde"),
    (("vip", "is_not_empty"), "ab"),
]


@pytest.fixture
def people(workspace: Workspace) -> Workspace:
    make_profiles(workspace, ROWS)
    return workspace


def test_every_operator_is_tried_on_every_type_it_fits() -> None:
    tried = {(TYPES[case[0]], case[1]) for case, _keys in CASES}
    assert tried == {(kind, one.name) for one in OPERATORS.values() for kind in one.types}


@pytest.mark.parametrize(("case", "keys"), CASES)
def test_each_operator_finds_whom_it_says(people: Workspace, case: Any, keys: str) -> None:
    attribute, operator, value, unit = (*case, None, None)[:4]
    tree = group(rule(attribute, operator, value, unit=unit))
    assert found(people, tree) == list(keys)


def test_groups_match_all_any_or_none(people: Workspace) -> None:
    barcelona, rich = rule("city", "is", "barcelona"), rule("points", "greater_than", "15")
    assert found(people, group(barcelona, rich)) == ["b"]
    assert found(people, group(barcelona, rich, match="any")) == ["a", "b"]
    assert found(people, group(barcelona, rich, match="none")) == ["c", "d", "e"]
    assert found(people, group(barcelona, group(rich, match="none"))) == ["a"]


def test_members_of_another_segment_are_found_or_left_out(people: Workspace) -> None:
    Segment.objects.create(pk=7, workspace=people, name="Some")
    first = Profile.objects.get(key="a")
    SegmentMember.objects.create(workspace=people, segment_id=7, profile_id=first.pk)
    member, not_member = ({"segment": 7, "operator": o} for o in ("member", "not_member"))
    assert found(people, group(member)) == ["a"]
    assert found(people, group(not_member)) == ["b", "c", "d", "e"]
    assert found(people, group(member, rule("points", "equals", -3), match="any")) == ["a", "c"]


@pytest.mark.parametrize("value", ["soon", "2026-99-99T99:99:99Z", "now", True, 5, "", "9" * 400])
@pytest.mark.parametrize("attribute", ["points", "visits", "born", "seen", "tags"])
def test_a_value_kept_under_another_type_meets_nothing_and_stops_nothing(
    workspace: Workspace, attribute: str, value: Any
) -> None:
    is_number = attribute in ("points", "visits")
    if is_number and value == 5:
        value = "5"
    make_profiles(workspace, {"x": {attribute: value}})
    for operator in OPERATORS.values():
        if TYPES[attribute] in operator.types and operator.needs != "nothing":
            given_value: Any = {
                "two": ["1000-01-01", "8999-12-31"],
                "month": 3,
                "period": "year",
            }.get(operator.needs, 1)
            if is_number:
                given_value = [-(10**9), 10**9] if operator.needs == "two" else 1
            elif operator.needs == "one":
                given_value = "2026-03-08"
            tree = group(rule(attribute, operator.name, given_value, unit="years"))
            expected = ["x"] if operator.name in NEGATIVE else []
            if value == "2026-99-99T99:99:99Z" and operator.name in LATER:
                continue  # It has the shape of a moment, and lies after others.
            assert found(workspace, tree) == expected


def test_names_of_attributes_can_hold_anything(workspace: Workspace) -> None:
    name = "%(x)s '; DROP TABLE {y} %s \\ \"é"
    make_profiles(workspace, {"x": {name: "yes"}})
    words = Vocabulary({name: "text"}, frozenset())
    from segments.rule_sql import compile_rules

    condition, parameters = compile_rules(
        read(group(rule(name, "is", "YES")), words),
        workspace_id=workspace.pk,
        now=NOW,
        time_zone=ZoneInfo("UTC"),
    )
    assert name not in condition
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM segments_profile p WHERE {condition}", parameters)
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("hostile", ["' OR true --", "%s", "%(r0)s", "{condition}", "\\", "\u202e"])
def test_hostile_values_are_only_values(people: Workspace, hostile: str) -> None:
    for operator in ("is", "is_any_of", "contains", "starts_with", "ends_with"):
        expected = ["d"] if (operator, hostile) == ("contains", "\\") else []
        assert found(people, group(rule("city", operator, hostile))) == expected


def test_letters_match_without_case_in_every_script(workspace: Workspace) -> None:
    make_profiles(workspace, {"x": {"city": "L'HOSPITALET ÀÇÉÑŁ ΑΘΗΝΑΣ МОСКВА"}})
    for operator in ("is", "is_any_of", "contains"):
        tree = group(rule("city", operator, "l'hospitalet àçéñł αθηνασ москва"))
        assert found(workspace, tree) == ["x"]


@pytest.mark.parametrize(
    ("moment", "zone", "today"),
    [
        ("2026-06-30T22:30:00", "Europe/Madrid", "2026-07-01"),
        ("2026-06-30T21:59:59", "Europe/Madrid", "2026-06-30"),
        ("2026-06-30T10:30:00", "Pacific/Kiritimati", "2026-07-01"),
        ("2026-07-01T06:59:59", "America/Los_Angeles", "2026-06-30"),
    ],
)
def test_today_is_the_workspaces(workspace: Workspace, moment: str, zone: str, today: str) -> None:
    make_profiles(workspace, {day: {"born": day} for day in ("2026-06-30", "2026-07-01")})
    tree = group(rule("born", "in_last", 0, unit="days"))
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert found(workspace, tree, now, ZoneInfo(zone)) == [today]


@pytest.mark.parametrize(
    ("zone", "day", "first", "last"),
    [
        # 23 hours: clocks go forward at 02:00.
        ("Europe/Madrid", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z"),
        # 25 hours: clocks go back at 03:00.
        ("Europe/Madrid", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"),
        # The day begins at 01:00: there is no midnight.
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T02:59:59Z"),
        # Midnight comes twice.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z"),
        ("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z", "2026-01-01T18:14:59Z"),
    ],
)
def test_a_day_of_moments_runs_from_midnight_to_midnight_there(
    workspace: Workspace, zone: str, day: str, first: str, last: str
) -> None:
    def second(moment: str, step: int) -> str:
        at = datetime.fromisoformat(moment).timestamp() + step
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    moments = {"1": second(first, -1), "2": first, "3": last, "4": second(last, 1)}
    make_profiles(workspace, {key: {"seen": moment} for key, moment in moments.items()})
    tree = group(rule("seen", "on", day))
    assert found(workspace, tree, zone=ZoneInfo(zone)) == ["2", "3"]


def test_the_first_moment_of_a_day_is_written_with_four_digits_of_the_year() -> None:
    assert beginning(date(1000, 1, 1), ZoneInfo("Asia/Tokyo")) == "0999-12-31T14:41:01Z"


@pytest.mark.parametrize(
    ("today", "found_"),
    [("2027-02-28", ["0228", "0229"]), ("2028-02-28", ["0228"]), ("2028-02-29", ["0229"])],
)
def test_who_was_born_on_29_february_has_a_day_each_year(
    workspace: Workspace, today: str, found_: list[str]
) -> None:
    born = {"0228": "1999-02-28", "0229": "2000-02-29", "0301": "1999-03-01"}
    make_profiles(workspace, {key: {"born": day} for key, day in born.items()})
    now = datetime.fromisoformat(today).replace(hour=12, tzinfo=UTC)
    tree = group(rule("born", "anniversary_today"))
    assert found(workspace, tree, now, ZoneInfo("UTC")) == found_


# Signs that Python's Unicode knows: PostgreSQL's is newer and lowers more of them.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cn", "Co", "Cc"]), max_size=6)
WORDS = st.sampled_from(["Girona", "GIRONA", "gi", "NA", "İ", "ΣΑΣ", "%", "_", "'", "\\"])
CITIES = (TEXTS | WORDS).map(str.strip).filter(bool)
NUMBERS = st.integers(-50, 50) | st.decimals(-50, 50, places=2).map(float)
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31)).map(date.isoformat)
MOMENTS = st.datetimes(datetime(2025, 12, 1), datetime(2026, 6, 1)).map(
    lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
)
profiles = st.fixed_dictionaries(
    {},
    optional={
        "city": CITIES,
        "points": NUMBERS,
        "visits": st.integers(-50, 50),
        "tags": st.lists(CITIES, min_size=1, max_size=3),
        "born": DAYS,
        "seen": MOMENTS,
        "vip": st.booleans(),
    },
)


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    attribute = draw(st.sampled_from([*TYPES, "segment", "list"]))
    if attribute == "list":
        return {"list": 7, **draw(st.sampled_from([{}, {"attribute": "city"}]))}
    if attribute == "segment":
        return {"segment": 7, "operator": draw(st.sampled_from(["member", "not_member"]))}
    kind = TYPES[attribute]
    fits = [one for one in OPERATORS.values() if kind in one.types]
    operator = draw(st.sampled_from(fits))
    one = {"text": CITIES, "list": CITIES, "number": NUMBERS, "integer": NUMBERS}.get(kind, DAYS)
    value = {
        "nothing": st.none(),
        "one": one,
        "two": st.lists(one, min_size=2, max_size=2).map(sorted),
        "many": st.lists(one, min_size=1, max_size=3),
        "span": st.integers(0, 40),
        "days": st.integers(0, 60),
        "month": st.integers(1, 12),
        "period": st.sampled_from(list(PERIODS)),
    }[operator.needs]
    unit = draw(st.sampled_from(["days", "weeks", "months", "years"]))
    return rule(attribute, operator.name, draw(value), unit=unit)


trees = st.recursive(
    leaves(),
    lambda inner: st.builds(
        lambda match, rules: {"match": match, "rules": rules},
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
).filter(lambda tree: _depth(tree) < 6)


def _depth(tree: Any) -> int:
    rules = tree.get("rules") if isinstance(tree, dict) else None
    return 1 + max(map(_depth, rules if isinstance(rules, list) else ()), default=0)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    tree=trees,
    rows=st.lists(st.tuples(profiles, st.booleans()), min_size=1, max_size=8),
    zone=st.sampled_from(["UTC", "America/Los_Angeles", "Europe/Madrid", "Pacific/Kiritimati"]),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2026, 5, 1), timezones=st.just(UTC)),
)
def test_sql_finds_whom_a_plain_reading_finds(
    workspace: Workspace,
    tree: dict[str, Any],
    rows: list[tuple[dict[str, Any], bool]],
    zone: str,
    now: datetime,
) -> None:
    Profile.objects.all().delete()
    SegmentMember.objects.all().delete()
    SegmentEntry.objects.all().delete()
    SegmentEntry.objects.bulk_create(
        SegmentEntry(workspace=workspace, segment_id=7, value=value) for value in ENTRIES
    )
    make_profiles(workspace, {str(place): row for place, (row, _in) in enumerate(rows)})
    for profile in Profile.objects.all():
        if rows[int(profile.key)][1]:
            SegmentMember.objects.create(workspace=workspace, segment_id=7, profile_id=profile.pk)
    whole = group(tree)
    parsed = read(whole, VOCABULARY)
    expected = [
        str(place)
        for place, (row, is_member) in enumerate(rows)
        if plainly(parsed, row, is_member=is_member, key=str(place), now=now, zone=ZoneInfo(zone))
    ]
    assert found(workspace, whole, now, ZoneInfo(zone)) == expected


# Whatever JSON can hold where something else is expected.
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
wild_rules = st.fixed_dictionaries(
    {},
    optional={
        "attribute": st.sampled_from([*TYPES, "gone", ""]) | junk,
        "operator": st.sampled_from([*OPERATORS, "member"]) | junk,
        "value": junk | DAYS | NUMBERS | st.lists(DAYS, max_size=3),
        "unit": st.sampled_from(["days", "years"]) | junk,
    },
) | st.fixed_dictionaries({"segment": st.sampled_from([7, "7", 8]) | junk})
wild_trees = st.recursive(
    leaves() | wild_rules | junk,
    lambda inner: st.fixed_dictionaries(
        {
            "match": st.sampled_from(["all", "any", "none"]) | junk,
            "rules": st.lists(inner, min_size=1, max_size=3) | junk,
        }
    ),
    max_leaves=5,
).filter(lambda tree: _depth(tree) < 5)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=wild_trees)
def test_whatever_the_tree_it_finds_whom_a_plain_reading_finds_or_names_the_rule_at_fault(
    people: Workspace, tree: Any
) -> None:
    SegmentEntry.objects.bulk_create(
        (SegmentEntry(workspace=people, segment_id=7, value=value) for value in ENTRIES),
        ignore_conflicts=True,
    )
    whole = {"match": "all", "rules": [tree]}
    parsed = _read_or_refused(whole)
    if isinstance(parsed, RuleError):
        assert str(parsed)
        assert parsed.path, "the outermost group has nothing wrong"
        at_fault = node_at(whole, parsed.path)
        with pytest.raises(RuleError, match=re.escape(str(parsed))):
            read({"match": "all", "rules": [at_fault]}, VOCABULARY)
    else:
        expected = [key for key, row in ROWS.items() if plainly(parsed, row, key=key)]
        assert found(people, whole) == expected


def _read_or_refused(tree: Any) -> Group | RuleError:
    try:
        return read(tree, VOCABULARY)
    except RuleError as refusal:
        return refusal
