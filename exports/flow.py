"""Geometry of a run's account drawn as a flow: from the segments, by every fate, to the list.

Streams are as wide as their counts, in a picture that is stretched to the room there is: across, a
thousand units; down, pixels. Numbers are text, as SVG has them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exports.account import Account, Part

WIDTH = 1000
DEPTH = 132.0
ROW, GAP, THINNEST = 24.0, 8.0, 2.0
# Where the streams leave the segments, reach and leave their fates, and reach the list.
LEAVES, REACHES, GOES_ON, ARRIVES = 12, 410, 420, 988
TO_THE_LIST = ("added", "changed", "unchanged")


@dataclass(frozen=True)
class Stream:
    """One fate: its way from the segments and, for those who are on the list then, on to it."""

    part: Part
    middle: str
    top: str
    depth: str
    path: str
    onward: str


@dataclass(frozen=True)
class Block:
    """Where streams begin or end together."""

    top: str
    depth: str


@dataclass(frozen=True)
class Flow:
    streams: list[Stream]
    segments: Block
    to_list: Block | None
    listed: int
    height: str
    width: int = WIDTH


def flow_of(account: Account) -> Flow | None:
    """None for an account of nobody."""
    if not account.total:
        return None
    depths = [
        max(THINNEST, DEPTH * part.count / account.total) if part.count else 0.0
        for part in account.parts
    ]
    slots = [max(depth, ROW) for depth in depths]
    height = sum(slots) + GAP * (len(slots) - 1)
    begin = (height - sum(depths)) / 2
    places = zip(_tops(slots), slots, depths, strict=True)
    tops = [top + (slot - depth) / 2 for top, slot, depth in places]
    listed = [place for place, part in enumerate(account.parts) if part.fate in TO_THE_LIST]
    on_list = sum(depths[place] for place in listed)
    first, last = listed[0], listed[-1]
    end = (tops[first] + tops[last] + depths[last] - on_list) / 2
    streams, left, right = [], begin, end
    for place, part in enumerate(account.parts):
        top, depth = tops[place], depths[place]
        goes_on = place in listed and depth
        streams.append(
            Stream(
                part,
                middle=f"{top + depth / 2:.1f}",
                top=f"{top:.1f}",
                depth=f"{depth:.1f}",
                path=_ribbon(LEAVES, left, REACHES, top, depth) if depth else "",
                onward=_ribbon(GOES_ON, top, ARRIVES, right, depth) if goes_on else "",
            )
        )
        left += depth
        right += depth if goes_on else 0.0
    return Flow(
        streams,
        Block(f"{begin:.1f}", f"{sum(depths):.1f}"),
        Block(f"{end:.1f}", f"{on_list:.1f}") if on_list else None,
        sum(account.parts[place].count for place in listed),
        f"{height:.0f}",
    )


def _tops(slots: list[float]) -> Iterator[float]:
    top = 0.0
    for slot in slots:
        yield top
        top += slot + GAP


def _ribbon(x: int, y: float, to_x: int, to_y: float, depth: float) -> str:
    half = (x + to_x) // 2
    return (
        f"M{x} {y:.1f}C{half} {y:.1f} {half} {to_y:.1f} {to_x} {to_y:.1f}"
        f"V{to_y + depth:.1f}C{half} {to_y + depth:.1f} {half} {y + depth:.1f} {x} {y + depth:.1f}Z"
    )
