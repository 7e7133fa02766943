"""The picture of an overlap: circles and their numbers, in the units of an SVG's viewBox."""

import math
from dataclasses import dataclass

from segments.overlap import Overlap

WIDTH = 320.0
HEIGHT_OF_TWO, HEIGHT_OF_THREE = 180.0, 300.0
# How wide a digit is drawn, at the most.
DIGIT = 7.5
# Three circles in a triangle, about the middle of which everything is turned by thirds.
MIDDLE_X, MIDDLE_Y = 160.0, 140.0
RADIUS = 88.0
# How far from the middle a circle's own is, the number of whom it alone has, of whom it shares with
# the next.
OUT_CIRCLE, OUT_ALONE, OUT_SHARED = 58.0, 99.0, 61.0


@dataclass(frozen=True)
class Circle:
    x: str
    y: str
    r: str


@dataclass(frozen=True)
class Label:
    """The size of a part, and where the middle of it is written."""

    x: str
    y: str
    size: int


@dataclass(frozen=True)
class Picture:
    height: float
    circles: list[Circle]
    labels: list[Label]
    is_to_scale: bool
    width: float = WIDTH


def picture(found: Overlap) -> Picture | None:
    """None of two segments one of which has nobody: there is no circle of that size."""
    if len(found.segments) == 3:
        return _of_three(found)
    return _of_two(found) if found.size(0) and found.size(1) else None


def _of_two(found: Overlap) -> Picture:
    """Two circles whose areas, and what they share, are as large as the numbers say."""
    first, second = (math.sqrt(found.size(place) / math.pi) for place in (0, 1))
    apart = _distance(first, second, found.size_of(3))
    left = min(-first, apart - second)
    width = max(first, apart + second) - left
    scale = min(WIDTH / width, HEIGHT_OF_TWO / (2 * max(first, second))) * 0.96
    start, middle = (WIDTH - scale * width) / 2, HEIGHT_OF_TWO / 2
    at = [(start + scale * (x - left), scale * r) for x, r in ((0.0, first), (apart, second))]
    (one, r_one), (two, r_two) = at
    inner = (max(one - r_one, two - r_two), min(one + r_one, two + r_two))
    spans = {1: (one - r_one, min(one + r_one, two - r_two)), 3: inner}
    spans[2] = (max(one + r_one, two - r_two), two + r_two)
    labels = [
        Label(f"{(begin + end) / 2:.2f}", f"{middle:.2f}", found.size_of(number))
        for number, (begin, end) in spans.items()
        if end - begin > DIGIT * (len(f"{found.size_of(number):,}") + 1)
    ]
    circles = [Circle(f"{x:.2f}", f"{middle:.2f}", f"{radius:.2f}") for x, radius in at]
    return Picture(HEIGHT_OF_TWO, circles, labels, is_to_scale=True)


def _of_three(found: Overlap) -> Picture:
    """Three circles of one size: areas of seven given sizes can't in general be drawn."""
    turns = [math.radians(degrees) for degrees in (210, 330, 90)]
    circles = [Circle(*_out(turn, OUT_CIRCLE), f"{RADIUS:.2f}") for turn in turns]
    labels = [Label(*_out(0, 0), found.size_of(7))]
    for place, turn in enumerate(turns):
        next_turn = turn + math.pi / 3
        shared = 1 << place | 1 << (place + 1) % 3
        labels.append(Label(*_out(turn, OUT_ALONE), found.size_of(1 << place)))
        labels.append(Label(*_out(next_turn, OUT_SHARED), found.size_of(shared)))
    return Picture(HEIGHT_OF_THREE, circles, labels, is_to_scale=False)


def _out(turn: float, far: float) -> tuple[str, str]:
    """The point so far from the middle of the three; turns go clockwise from the right."""
    return f"{MIDDLE_X + far * math.cos(turn):.2f}", f"{MIDDLE_Y + far * math.sin(turn):.2f}"


def _distance(first: float, second: float, shared: float) -> float:
    """Between the centres of two circles whose lens has the area `shared`."""
    near, far = abs(first - second), first + second
    if not shared:
        return far * 1.04
    if shared >= math.pi * min(first, second) ** 2 * (1 - 1e-12):
        return near
    for _step in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if _lens(first, second, middle) > shared else (near, middle)
    return (near + far) / 2


def _lens(a: float, b: float, apart: float) -> float:
    """The area that two circles of radius a and b share."""
    if apart <= abs(a - b):
        return math.pi * min(a, b) ** 2
    if apart >= a + b:
        return 0.0
    one = math.acos(_unit((apart**2 + a**2 - b**2) / (2 * apart * a)))
    two = math.acos(_unit((apart**2 + b**2 - a**2) / (2 * apart * b)))
    kite = (-apart + a + b) * (apart + a - b) * (apart - a + b) * (apart + a + b)
    return a**2 * one + b**2 * two - math.sqrt(max(kite, 0.0)) / 2


def _unit(number: float) -> float:
    return max(-1.0, min(1.0, number))
