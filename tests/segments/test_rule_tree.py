"""Rules as JSON: what makes sense, what doesn't and why, and what is written back."""

from typing import Any

import pytest
from django.utils import translation

from segments.rule_sentence import sentence
from segments.rule_tree import RuleError, attributes_in, read, segments_in, write
from tests.segments.rule_world import VOCABULARY, group, rule

LABELS = {"city": "City", "born": "Born", "points": "Points", "vip": "VIP", "seen": "Seen"}


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({}, "begin with a group"),
        ([], "begin with a group"),
        (None, "begin with a group"),
        ({"match": "all", "rules": []}, "empty"),
        ({"match": "all", "rules": {}}, "empty"),
        ({"match": "most", "rules": [{}]}, "all, any or none"),
        ({"match": ["all"], "rules": [{}]}, "all, any or none"),
        (group(rule("", "is", "x")), "Choose an attribute"),
        (group(rule("nope", "is", "x")), "no attribute “nope”"),
        (group(rule("city", "greater_than", "x")), "does not fit the type “Text”"),
        (group(rule("vip", "is", "x")), "does not fit"),
        (group(rule("city", "sounds_like", "x")), "Choose how"),
        (group(rule("city", "is", "")), "Give a value"),
        (group(rule("city", "is", "  ")), "Give a value"),
        (group(rule("city", "is", ["a", "b"])), "Give a value"),
        (group(rule("city", "is", True)), "a text or a number"),
        (group(rule("city", "is", {"$gt": ""})), "a text or a number"),
        (group(rule("city", "is", "x" * 1001)), "at most 1000"),
        (group(rule("city", "is", "x" * 1_000_000)), "at most 1000"),
        (group(rule("city", "is", "nul\0")), "no text can hold"),
        (group(rule("city", "is", "\ud800")), "no text can hold"),
        (group(rule("city", "is_any_of", [])), "at least one"),
        (group(rule("city", "is_any_of", list(range(5001)))), "at most 5,000 values, not 5,001"),
        (group(rule("city", "is_any_of", ["x\x1fy"])), "no text can hold"),
        (group(rule("points", "equals", "ten")), "“ten” is not a number"),
        (group(rule("points", "equals", "1_0")), "not a number"),
        (group(rule("points", "equals", "١٠")), "not a number"),
        (group(rule("points", "equals", "nan")), "not a number"),
        (group(rule("points", "equals", float("inf"))), "not a number"),
        (group(rule("points", "equals", "1e999999")), "not a number"),
        (group(rule("points", "equals", 10**5000)), "too large"),
        (group(rule("points", "between", ["10", "1"])), "Swap"),
        (group(rule("points", "between", ["10"])), "both"),
        (group(rule("points", "between", ["10", ""])), "both"),
        (group(rule("born", "on", "31/12/2026")), "not a date"),
        (group(rule("born", "on", "2026-02-30")), "not a date"),
        (group(rule("born", "on", "20260228")), "not a date"),
        (group(rule("born", "on", "0026-02-28")), "between the years"),
        (group(rule("born", "between", ["2026-02-02", "2026-02-01"])), "Swap"),
        (group(rule("born", "in_last", "-1", unit="days")), "whole number"),
        (group(rule("born", "in_last", "1.5", unit="days")), "whole number"),
        (group(rule("born", "in_last", "²", unit="days")), "whole number"),
        (group(rule("born", "in_last", 101, unit="years")), "up to 100"),
        (group(rule("born", "in_last", 1, unit="hours")), "days, weeks"),
        (group(rule("born", "in_last", 1)), "days, weeks"),
        (group(rule("born", "month_is", 13)), "Choose a month"),
        (group(rule("born", "in_current", "decade")), "Choose the week"),
        (group(rule("born", "in_current", ["week"])), "Choose the week"),
        (group(rule("points", "equals_any_of", ["1", "x"])), "“x” is not a number"),
        (group(rule("born", "anniversary_in_days", "400")), "366"),
        (group({"segment": 8, "operator": "member"}), "no longer there"),
        (group({"segment": "", "operator": "member"}), "Choose a segment"),
        (group({"segment": "²", "operator": "member"}), "Choose a segment"),
        (group({"segment": 7, "operator": "near"}), "to be in the segment or not"),
        (group(None), "not a rule"),  # type: ignore[arg-type]
        (group(*[rule("city", "is", "x")] * 101), "at most 100 rules"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told_why(tree: Any, says: str) -> None:
    with pytest.raises(RuleError, match=says):
        read(tree, VOCABULARY)


def test_an_error_points_at_its_rule() -> None:
    good, bad = rule("city", "is", "x"), rule("points", "equals", "ten")
    with pytest.raises(RuleError) as told:
        read(group(good, group(good, bad, match="any")), VOCABULARY)
    assert told.value.path == (1, 1)


def test_rules_nested_too_deeply_are_refused() -> None:
    tree = group(rule("city", "is", "x"))
    for _ in range(5_000):
        tree = group(tree)
    with pytest.raises(RuleError, match="deeply"):
        read(tree, VOCABULARY)


def test_rules_are_written_in_one_form_and_read_back() -> None:
    tree = group(
        rule("city", "is_any_of", [" A ", "B", "A"]),
        rule("points", "between", ["1.50", "20"]),
        rule("points", "equals", "12345678901234567890.5"),
        group(
            rule("born", "on", "2026-01-02"),
            rule("born", "in_last", "3", unit="months"),
            rule("vip", "is_yes", "whatever"),
            {"segment": "7", "operator": "member"},
            match="none",
        ),
    )
    parsed = read(tree, VOCABULARY)
    written = write(parsed)
    assert written == group(
        rule("city", "is_any_of", ["A", "B"]),
        rule("points", "between", [1.5, 20]),
        rule("points", "equals", "12345678901234567890.5"),
        group(
            rule("born", "on", "2026-01-02"),
            rule("born", "in_last", 3, unit="months"),
            {"attribute": "vip", "operator": "is_yes"},
            {"segment": 7, "operator": "member"},
            match="none",
        ),
    )
    assert read(written, VOCABULARY) == parsed


def test_a_tree_tells_which_segments_and_attributes_it_speaks_of() -> None:
    tree = group(
        rule("city", "is", "x"),
        group({"segment": 7, "operator": "member"}, {"segment": "²"}, rule("points", "equals", 1)),
    )
    assert segments_in(tree) == {7}
    assert attributes_in(tree) == {"city", "points"}
    assert segments_in({}) == segments_in(None) == set()


def test_rules_read_as_a_sentence() -> None:
    tree = group(
        rule("city", "is_any_of", ["A", "B", "C", "D"]),
        rule("points", "between", [1000.5, 2000]),
        group(
            rule("born", "in_last", 1, unit="days"),
            {"segment": 7, "operator": "not_member"},
            match="any",
        ),
        group(rule("vip", "is_yes"), rule("seen", "on", "2026-03-08"), match="none"),
    )
    assert sentence(tree, LABELS, {7: "Regulars"}) == (
        "City is any of “A”, “B”, “C” and 1 more and Points is between 1,000.5 and 2,000"
        " and (Born is in the last 1 day or is not in the segment “Regulars”)"
        " and not (VIP is yes or Seen is on 8 March 2026)"
    )
    assert "“D”" in sentence(tree, LABELS, {}, most_values=None)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        {},
        {"match": "all"},
        {"match": "all", "rules": None},
        group(rule("gone", "is", None)),
        group(rule("city", "in_last", "soon", unit="eons"), {"segment": "x"}),
        group(rule("born", "month_is", "13"), rule("born", "between", ["", "1"])),
    ],
)
def test_what_makes_no_sense_still_reads(tree: Any) -> None:
    assert isinstance(sentence(tree, LABELS, {}), str)


def test_what_is_not_given_yet_is_left_out_of_the_sentence() -> None:
    assert sentence(group(rule("born", "between", ["", ""])), LABELS, {}) == "Born is between"
    assert sentence(group(rule("city", "is", "")), LABELS, {}) == "City is"


def test_errors_and_sentences_follow_the_readers_language() -> None:
    with translation.override("es"), pytest.raises(RuleError) as told:
        read(group(rule("points", "between", [2, 1])), VOCABULARY)
    assert isinstance(str(told.value), str)
    with translation.override("es"):
        assert "1.000,5" in sentence(group(rule("points", "equals", 1000.5)), LABELS, {})
