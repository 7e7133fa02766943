"""What depends on segments: other segments, and what apps above say."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from config.kept_queries import KeptQuery
from config.quick_urls import address
from segments.models import Segment
from segments.rule_tree import segments_in

# A label and a URL.
Dependent = tuple[str, str]
# By the segment's id.
Found = dict[int, list[Dependent]]
Finder = Callable[[Sequence[Segment]], Found]

_finders: list[Finder] = []


def add(finder: Finder) -> None:
    """Adds a function of some segments of one workspace that names what uses each of them."""
    _finders.append(finder)


def of(segment: Segment) -> list[Dependent]:
    return of_each([segment])[segment.pk]


def above(segment: Segment) -> list[Dependent]:
    """What uses it but for other segments."""
    finders = [finder for finder in _finders if finder is not segments_using]
    return [one for finder in finders for one in finder([segment]).get(segment.pk, [])]


def of_each(segments: Sequence[Segment]) -> Found:
    """What uses each of the segments; as many queries for a hundred as for one."""
    found: Found = {segment.pk: [] for segment in segments}
    if segments:
        for finder in _finders:
            for pk, dependents in finder(segments).items():
                found[pk] += dependents
    return found


@KeptQuery
def _built_on_some() -> QuerySet[Segment, tuple[int, str, dict[str, Any]]]:
    speaking = Segment.objects.alias(said=Cast("rules", TextField()))
    found = speaking.filter(said__contains='"segment"').order_by("name")
    return found.values_list("pk", "name", "rules")


def segments_using(segments: Sequence[Segment]) -> Found:
    slug, wanted = segments[0].workspace.slug, {segment.pk for segment in segments}
    found: Found = {}
    for pk, name, rules in _built_on_some():
        for used in (segments_in(rules) & wanted) - {pk}:
            url = address("segments:segment_detail", slug, pk)
            found.setdefault(used, []).append((name, url))
    return found
