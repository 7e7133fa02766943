"""Columns that stand for what they say, on a scale that reads well."""

from workspaces.charts import Series, bar_chart
from workspaces.written import in_short


def test_columns_are_stacked_on_a_round_scale() -> None:
    chart = bar_chart(
        ["a", "b"],
        [Series("Sent", "good", [30, 0]), Series("Not sent", "warn", [10, 0])],
        lambda value: f"{value:.0f}",
    )
    assert chart is not None
    assert (chart.most, chart.half) == ("40", "20")
    full, empty = chart.columns
    assert [(bar.y, bar.height) for bar in full.bars] == [("40.0", "120.0"), ("0.0", "40.0")]
    assert full.figures == [("Sent", "30"), ("Not sent", "10")]
    assert {bar.height for bar in empty.bars} == {"0.0"}


def test_the_figures_are_a_file_of_numbers_that_a_spreadsheet_opens_safely() -> None:
    average = Series("Average", "busy", [1204.5, 0], in_file="Average in seconds")
    chart = bar_chart(["5/1/2026", "=cmd"], [average], lambda value: "20 min 4 s")
    assert chart is not None
    assert chart.csv("Week from").lstrip("\ufeff").splitlines() == [
        "Week from,Average in seconds",
        "5/1/2026,1204.5",
        "'=cmd,0",
    ]


def test_the_least_there_is_can_be_seen_and_minutes_are_whole() -> None:
    chart = bar_chart(["a", "b"], [Series("s", "busy", [3600, 1])], str, unit=60)
    assert chart is not None
    assert chart.most == "3600"
    assert chart.columns[1].bars[0].height == "1.0"


def test_nothing_is_no_picture() -> None:
    assert bar_chart(["a"], [Series("s", "busy", [0])], str) is None


def test_a_scale_has_room_for_any_number() -> None:
    chart = bar_chart(["a"], [Series("s", "busy", [7])], str, on_scale=lambda value: "short")
    assert chart is not None
    assert (chart.most, chart.columns[0].figures) == ("short", [("s", "7")])
    shown = [in_short(value) for value in (900_000, 2_000_000, 1_500_000, 1_000_000_000)]
    assert [one.replace("\N{NO-BREAK SPACE}", " ") for one in shown] == [
        "900,000",
        "2 M",
        "1.5 M",
        "1 bn",
    ]
