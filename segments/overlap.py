"""How the members of up to three segments overlap, counted from those kept at their refreshes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from segments import membership_sql as sql
from segments.models import Segment
from segments.operators import MEMBER, NOT_MEMBER
from segments.preview import bounded
from segments.segment_services import LONGEST_NAME

MOST = 3
LETTERS = "ABC"
PICTURE_WIDTH, PICTURE_HEIGHT = 320.0, 180.0


@dataclass(frozen=True)
class Part:
    """Who is in just these of the segments; `number` has a bit for each, the first the lowest."""

    number: int
    inside: tuple[bool, ...]
    size: int


@dataclass(frozen=True)
class Circle:
    x: str
    y: str
    r: str


@dataclass(frozen=True)
class Overlap:
    segments: list[Segment]
    parts: list[Part]

    @property
    def total(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def largest(self) -> int:
        return max(part.size for part in self.parts)

    def size(self, place: int) -> int:
        return sum(part.size for part in self.parts if part.inside[place])


def overlap(segments: Sequence[Segment]) -> Overlap:
    """Two or three segments of one workspace. Raises `TooSlow`."""
    with bounded() as cursor:
        cursor.execute(
            sql.OVERLAP,
            {
                "workspace": segments[0].workspace_id,
                "segments": [segment.pk for segment in segments],
                "bits": [1 << place for place in range(len(segments))],
            },
        )
        sizes = dict(cursor.fetchall())
    parts = [
        Part(number, _inside(number, len(segments)), sizes.get(number, 0))
        for number in range(1, 1 << len(segments))
    ]
    return Overlap(list(segments), sorted(parts, key=lambda part: (-part.size, part.number)))


def _inside(number: int, segments: int) -> tuple[bool, ...]:
    return tuple(bool(number >> place & 1) for place in range(segments))


def rules(segments: Sequence[Segment], number: int) -> dict[str, Any]:
    """The rules that find a part's members."""
    return {
        "match": "all",
        "rules": [
            {"segment": segment.pk, "operator": MEMBER if inside else NOT_MEMBER}
            for segment, inside in zip(segments, _inside(number, len(segments)), strict=True)
        ],
    }


def name_for(segments: Sequence[Segment], number: int) -> str:
    inside = _inside(number, len(segments))
    names = [one.name for one, there in zip(segments, inside, strict=True) if there]
    others = [one.name for one, there in zip(segments, inside, strict=True) if not there]
    said = _(" and ").join(names)
    if others:
        said = _("%(names)s, not %(others)s") % {"names": said, "others": _(" or ").join(others)}
    return said[:LONGEST_NAME].strip()


def circles(found: Overlap) -> list[Circle]:
    """Two circles whose areas, and what they share, are as large as the numbers say.

    Three circles can't always be: for those there is no such picture.
    """
    if len(found.segments) != 2 or not (found.size(0) and found.size(1)):
        return []
    shared = next(part.size for part in found.parts if part.number == 3)
    first, second = (math.sqrt(found.size(place) / math.pi) for place in (0, 1))
    apart = _distance(first, second, shared)
    left = min(-first, apart - second)
    width = max(first, apart + second) - left
    scale = min(PICTURE_WIDTH / width, PICTURE_HEIGHT / (2 * max(first, second))) * 0.96
    start, middle = (PICTURE_WIDTH - scale * width) / 2, PICTURE_HEIGHT / 2
    return [
        Circle(f"{start + scale * (at - left):.2f}", f"{middle:.2f}", f"{scale * radius:.2f}")
        for at, radius in ((0.0, first), (apart, second))
    ]


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
