"""How the members of up to three segments overlap, counted from those kept at their refreshes."""

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


@dataclass(frozen=True)
class Part:
    """Who is in just these of the segments; `number` has a bit for each, the first the lowest."""

    number: int
    inside: tuple[bool, ...]
    size: int


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

    def size_of(self, number: int) -> int:
        """Of a part."""
        return next(part.size for part in self.parts if part.number == number)

    def size(self, place: int) -> int:
        """Of a segment."""
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
