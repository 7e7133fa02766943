"""Geometry of the charts that templates draw as SVG: numbers as text, in the units of a viewBox.

The picture is stretched to the room there is, so no text is in it: pages write the labels beside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from segments.history import Point
from workspaces.charts import rounded_up

WIDTH = 1000
LINE_HEIGHT, BAR_HEIGHT, GAP = 200, 40, 20
HEIGHT = LINE_HEIGHT + GAP + 2 * BAR_HEIGHT
SPARK_WIDTH, SPARK_HEIGHT = 100, 24


@dataclass(frozen=True)
class Column:
    """A point's part of the picture: its bars, and where a pointer finds it."""

    point: Point
    x: str
    width: str
    bar_x: str
    bar_width: str
    joined_y: str
    joined_height: str
    left_height: str


@dataclass(frozen=True)
class HistoryChart:
    """A line of steps over bars: up who joined, down who left. `most` and `most_changed` are
    what the height of each stands for.
    """

    columns: list[Column]
    line: str
    area: str
    most: int
    most_changed: int
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = LINE_HEIGHT
    middle: int = LINE_HEIGHT // 2
    bar_floor: int = LINE_HEIGHT + GAP + BAR_HEIGHT

    @property
    def joined(self) -> str:
        """Their bars, as one path; so are those of `left`."""
        return _bars((one, one.joined_y, one.joined_height) for one in self.columns)

    @property
    def left(self) -> str:
        return _bars((one, f"{self.bar_floor}", one.left_height) for one in self.columns)

    @property
    def half(self) -> int:
        return self.most // 2

    @property
    def newest_first(self) -> list[Column]:
        return self.columns[::-1]


def _bars(found: Iterable[tuple[Column, str, str]]) -> str:
    return "".join(
        f"M{one.bar_x} {y}h{one.bar_width}v{high}H{one.bar_x}z" for one, y, high in found
    )


def history_chart(points: Sequence[Point]) -> HistoryChart | None:
    """None when there is nothing to draw."""
    counts = [point.count for point in points if point.count is not None]
    if not counts:
        return None
    most = rounded_up(max(counts))
    most_changed = rounded_up(max(max(point.joined, point.left) for point in points))
    width = WIDTH / len(points)
    line, corners = "", []
    columns = []
    for place, point in enumerate(points):
        left, right = place * width, (place + 1) * width
        if point.count is not None:
            y = LINE_HEIGHT - LINE_HEIGHT * point.count / most
            line += f"{'V' if line else f'M{left:.1f} '}{y:.1f}H{right:.1f}"
            corners.append(left)
        columns.append(_column(point, left, width, most_changed))
    area = f"{line}V{LINE_HEIGHT}H{corners[0]:.1f}Z"
    return HistoryChart(columns, line, area, most, most_changed)


def _column(point: Point, left: float, width: float, most_changed: int) -> Column:
    joined, gone = (
        max(1.0, BAR_HEIGHT * number / most_changed) if number else 0.0
        for number in (point.joined, point.left)
    )
    floor = LINE_HEIGHT + GAP + BAR_HEIGHT
    bar_width = min(0.7 * width, 24.0)
    return Column(
        point,
        x=f"{left:.1f}",
        width=f"{width:.1f}",
        bar_x=f"{left + (width - bar_width) / 2:.1f}",
        bar_width=f"{bar_width:.1f}",
        joined_y=f"{floor - joined:.1f}",
        joined_height=f"{joined:.1f}",
        left_height=f"{gone:.1f}",
    )


def sparkline(counts: Sequence[int]) -> str:
    """The points of a polyline, from the least to the most; empty for less than two counts."""
    if len(counts) < 2:
        return ""
    least, spread = min(counts), max(counts) - min(counts)
    step = SPARK_WIDTH / (len(counts) - 1)
    room = SPARK_HEIGHT - 4
    heights = ((count - least) / spread if spread else 0.5 for count in counts)
    return " ".join(
        f"{place * step:.1f},{SPARK_HEIGHT - 2 - room * height:.1f}"
        for place, height in enumerate(heights)
    )
