"""Geometry of the columns that the component `bar_chart` draws as SVG.

Numbers are text, in the units of a viewBox that is stretched to the room there is, so no text is in
the picture: the component writes the labels beside it, and the figures into a table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from workspaces import spreadsheet

WIDTH, HEIGHT = 1000, 160
WIDEST_BAR = 48.0
ROUND = (2, 4, 6, 8, 10)


@dataclass(frozen=True)
class Series:
    """One thing counted over time. `tone` names its colour: good, busy, warn, bad or idle.

    `in_file` heads its numbers in the file of the chart's figures, where the name alone won't do.
    """

    name: str | Promise
    tone: str
    values: Sequence[float]
    in_file: str | Promise = ""


@dataclass(frozen=True)
class Bar:
    tone: str
    y: str
    height: str


@dataclass(frozen=True)
class Column:
    """One moment: its bars, one on the other, and the figures as people read them."""

    label: str
    figures: list[tuple[str | Promise, str]]
    bars: list[Bar]
    x: str
    width: str
    bar_x: str
    bar_width: str

    @property
    def said(self) -> str:
        return ", ".join(f"{name} {shown}" for name, shown in self.figures)


@dataclass(frozen=True)
class BarChart:
    """`most` and `half` are what the height and half of it stand for, as people read them."""

    columns: list[Column]
    series: list[Series]
    most: str
    half: str
    width: int = WIDTH
    height: int = HEIGHT
    middle: int = HEIGHT // 2

    @property
    def shapes(self) -> list[tuple[str, str]]:
        """Each series' tone and its bars, as one path."""
        return [
            (
                one.tone,
                "".join(
                    f"M{column.bar_x} {bar.y}h{column.bar_width}v{bar.height}H{column.bar_x}z"
                    for column in self.columns
                    for bar in [column.bars[place]]
                ),
            )
            for place, one in enumerate(self.series)
        ]

    def csv(self, moments: str) -> str:
        """The figures as numbers, a line for each column; `moments` is what the columns are."""
        header = [moments, *(str(one.in_file or one.name) for one in self.series)]
        values = zip(*(one.values for one in self.series), strict=True)
        labels = (column.label for column in self.columns)
        rows = ((label, *some) for label, some in zip(labels, values, strict=True))
        return "".join(spreadsheet.written(header, rows))


def bar_chart(
    labels: Sequence[str],
    series: Sequence[Series],
    shown: Callable[[float], str],
    unit: float = 1,
    on_scale: Callable[[float], str] | None = None,
) -> BarChart | None:
    """Columns of the series stacked, one for each label; None when there is nothing to draw.

    `shown` says how a number is written, `on_scale` how beside the picture where that is shorter;
    the scale ends at a round number of `unit`s.
    """
    sums = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    if not any(sums):
        return None
    most = unit * rounded_up(max(1, -int(-max(sums) // unit)))
    width = WIDTH / len(labels)
    bar_width = min(0.7 * width, WIDEST_BAR)
    columns = []
    for place, label in enumerate(labels):
        bars, floor = [], float(HEIGHT)
        for one in series:
            value = one.values[place]
            height = max(1.0, HEIGHT * value / most) if value else 0.0
            floor -= height
            bars.append(Bar(one.tone, f"{floor:.1f}", f"{height:.1f}"))
        columns.append(
            Column(
                label,
                [(one.name, shown(one.values[place])) for one in series],
                bars,
                x=f"{place * width:.1f}",
                width=f"{width:.1f}",
                bar_x=f"{place * width + (width - bar_width) / 2:.1f}",
                bar_width=f"{bar_width:.1f}",
            )
        )
    written = on_scale or shown
    return BarChart(columns, list(series), written(most), written(most / 2))


def rounded_up(number: int) -> int:
    """The next number that reads well and can be halved."""
    tens = 1
    while number > 10 * tens:
        tens *= 10
    return next(step * tens for step in ROUND if step * tens >= number)
