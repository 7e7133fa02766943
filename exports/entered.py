"""What a person has entered of an export's configuration so far, kept from step to step."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from config.kept_queries import KeptQuery
from connections.models import Connection
from exports import match_rows, matching
from exports.lists import Way
from exports.match_rows import Row
from exports.models import Destination, DestinationSegment
from exports.steps import FIELDS, Step
from segments.selectors import attributes
from workspaces.unsaved import query_of


def with_step(entered: QueryDict, posted: QueryDict, step: Step) -> QueryDict:
    """What is kept, with what was entered on one step in its place."""
    whole = entered.copy()
    for name in FIELDS[step]:
        whole.setlist(name, posted.getlist(name))
    whole["seen"] = posted.get("seen", "")
    return whole


def values(entered: QueryDict, fields: Iterable[str]) -> dict[str, Any]:
    """As a form takes them for its first values."""
    known = {name: entered.get(name) for name in fields if entered.getlist(name)}
    return known | {"segments": entered.getlist("segments")}


def rows(entered: QueryDict) -> list[Row]:
    pairs = zip(entered.getlist("field"), entered.getlist("attribute"), strict=False)
    return [Row(target, attribute) for target, attribute in pairs if target or attribute]


def at_first(connections: list[Connection], segment: str) -> QueryDict:
    """What a new export starts from: what there is only one of, and what names propose."""
    usual = matching.usual(attributes())
    return _of(
        usual,
        connection=str(connections[0].pk) if len(connections) == 1 else "",
        segments=[segment] if segment.isdecimal() else [],
    )


def of_destination(destination: Destination) -> QueryDict:
    values = initial_of(destination)
    matches = values.pop("matching")
    return _of(matches, **values)


def initial_of(destination: Destination) -> dict[str, Any]:
    """What an export has, by the names that its form gives them, and its `matching`."""
    return {
        "connection": str(destination.connection_id or ""),
        "name": destination.name,
        "way": Way.PICK.value,
        "picked": destination.list_id,
        "matching": destination.matching,
        "mode": destination.mode,
        "removal_share": str(destination.removal_share),
        "segments": [str(pk) for pk in _segments_of(destination=destination.pk)],
        "seen": destination.updated_at.isoformat(),
    }


@KeptQuery
def _segments_of(destination: Any) -> QuerySet[DestinationSegment, int]:
    links = DestinationSegment.objects.filter(destination=destination)
    return links.values_list("segment_id", flat=True)


def _of(matches: Mapping[str, str], **others: str | list[str]) -> QueryDict:
    added = match_rows.rows_of(matches)
    return query_of(
        {
            "email": [matches.get(matching.EMAIL, "")],
            "field": [row.target for row in added],
            "attribute": [row.attribute for row in added],
            **{name: one if isinstance(one, list) else [one] for name, one in others.items()},
        }
    )
