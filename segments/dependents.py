"""What depends on a segment: other segments, and what apps above say."""

from collections.abc import Callable

from django.urls import reverse

from segments.models import Segment
from segments.rule_tree import segments_in

Dependent = tuple[str, str]
Finder = Callable[[Segment], list[Dependent]]

_finders: list[Finder] = []


def add(finder: Finder) -> None:
    """Adds a function of a segment that names what uses it: labels and URLs."""
    _finders.append(finder)


def of(segment: Segment) -> list[Dependent]:
    return [dependent for finder in _finders for dependent in finder(segment)]


def segments_using(segment: Segment) -> list[Dependent]:
    slug = segment.workspace.slug
    return [
        (other.name, reverse("segments:segment_detail", args=[slug, other.pk]))
        for other in Segment.objects.exclude(pk=segment.pk).order_by("name")
        if segment.pk in segments_in(other.rules)
    ]
