"""Rules over lists of texts find the same whether a list is searched as it is written or not."""

from itertools import combinations, product
from typing import Any

import pytest

from segments import rule_sql
from segments.rule_tree import read
from tests.segments.rule_world import (
    VOCABULARY,
    found,
    group,
    make_attributes,
    make_profiles,
    plainly,
    rule,
)
from workspaces.models import Workspace

# Whatever in a text may look like the beginning, the end or the middle of another one.
HARD = [
    "blue",
    'x"blue',
    'Blue"x',
    'blue", "red',
    '", "',
    '"',
    "\\",
    'a\\"blue',
    "blue\\",
    ",",
    "[blue]",
    "ÀRBOL Σ",
    "tab\tin",
]
OPERATORS = ("contains_any_of", "contains_all_of", "contains_none_of")


@pytest.fixture
def rows(workspace: Workspace) -> dict[str, dict[str, Any]]:
    make_attributes(workspace)
    pairs = {
        f"{first}-{second}": {"tags": [HARD[first], HARD[second].upper()]}
        for first, second in product(range(len(HARD)), repeat=2)
    }
    rows = {
        "all": {"tags": HARD},
        "none": {},
        "text": {"tags": "blue"},
        "written": {"tags": '["blue"]'},
        "object": {"tags": {"blue": "blue"}},
        **pairs,
    }
    make_profiles(workspace, rows)
    return rows


def expected(rows: dict[str, dict[str, Any]], tree: Any) -> list[str]:
    lists = {
        key: {name: value for name, value in values.items() if isinstance(value, list)}
        for key, values in rows.items()
    }
    node = read(tree, VOCABULARY)
    return sorted(key for key, values in lists.items() if plainly(node, values))


def test_each_text_is_found_where_it_is_one_of_the_list_and_nowhere_else(
    workspace: Workspace, rows: dict[str, dict[str, Any]]
) -> None:
    asked = [
        *([one] for one in HARD),
        *(list(pair) for pair in combinations(HARD[:8], 2)),
        HARD[: rule_sql.MOST_ANY + 1],
        HARD[: rule_sql.MOST_ALL + 1],
        HARD,
        [*HARD, "nowhere"],
    ]
    for operator, values in product(OPERATORS, asked):
        tree = group(rule("tags", operator, values))
        assert found(workspace, tree) == expected(rows, tree), (operator, values)
