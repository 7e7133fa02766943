"""Asks for profiles."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from config.kept_queries import KeptQuery
from segments.conversion import JOINT
from segments.models import Attribute, Import, Profile, Segment
from segments.rule_tree import segments_in

MOST_COLUMNS = 5
TELLING = re.compile(r"mail|name|nom|correu|correo|city|ciutat|ciudad", re.IGNORECASE)


@KeptQuery
def attributes() -> QuerySet[Attribute]:
    return Attribute.objects.all()


@KeptQuery
def attributes_with_source() -> QuerySet[Attribute]:
    return Attribute.objects.select_related("source")


def offered_attributes(known: Iterable[Attribute] | None = None) -> list[Attribute]:
    """What a table of profiles can show beside their keys: addresses and names first.

    `known` are the workspace's attributes with their sources, where they were asked for before.
    """
    known = attributes_with_source() if known is None else known
    telling = [one for one in known if not (one.source and one.source.key_column == one.name)]
    return sorted(telling, key=lambda one: not TELLING.search(one.name))


def shown_profiles(
    profiles: Iterable[Profile], attributes: list[Attribute] | None = None
) -> dict[str, Any]:
    """A table of profiles: its header, the most telling attributes unless told, and the rows."""
    if attributes is None:
        attributes = offered_attributes()[:MOST_COLUMNS]
    return {
        "profile_header": [attribute.label for attribute in attributes],
        "profile_rows": [
            {
                "profile": profile,
                "cells": [shown_value(profile.attributes.get(one.name, "")) for one in attributes],
            }
            for profile in profiles
        ],
    }


def shown_value(value: Any) -> Any:
    """A value of a profile as a person reads it."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return JOINT.join(map(str, value)) if isinstance(value, list) else value


def words(of: Iterable[Segment] | None = None) -> tuple[dict[str, str], dict[int, str]]:
    """What attributes (by name) and segments (by id) of the workspace in scope are called.

    Of some segments: what their rules speak of.
    """
    if of is None:
        named = list(Segment.objects.values_list("pk", "name"))
    else:
        named = names_of(keys=list(set().union(*(segments_in(one.rules) for one in of))))
    return dict(_labels()), dict(named)


@KeptQuery
def names_of(keys: Any) -> QuerySet[Segment, tuple[int, str]]:
    return Segment.objects.filter(pk__any_of=keys).values_list("pk", "name")


@KeptQuery
def _labels() -> QuerySet[Attribute, tuple[str, str]]:
    return Attribute.objects.values_list("name", "label")


@KeptQuery
def to_choose_from() -> QuerySet[Segment, Any]:
    """Rows of the segments that are no drafts, by name, with what a choice of them shows."""
    found = Segment.objects.exclude(state=Segment.State.DRAFT).order_by("name")
    return found.values_list("pk", "name", "state", "member_count", "refreshed_at", named=True)


def is_busy(segment: Segment) -> bool:
    return segment.refresh_state in (Segment.RefreshState.QUEUED, Segment.RefreshState.RUNNING)


@dataclass(frozen=True)
class Value:
    """What a profile holds of an attribute, and when its source was last loaded."""

    attribute: Attribute
    value: Any
    loaded_at: datetime | None


def values_of(profile: Profile) -> list[Value]:
    loaded = dict(_last_loaded())
    return [
        Value(one, shown_value(profile.attributes.get(one.name)), loaded.get(one.source_id))
        for one in attributes_with_source()
    ]


@KeptQuery
def _last_loaded() -> QuerySet[Import, tuple[int | None, datetime]]:
    loads = Import.objects.filter(state=Import.State.SUCCEEDED)
    return loads.values_list("source_id").annotate(Max("finished_at"))


def address_attributes() -> list[str]:
    """Names of attributes that hold addresses in the first profiles that have them."""
    found = {
        name
        for profile in Profile.objects.order_by("key")[:50]
        for name, value in profile.attributes.items()
        if isinstance(value, str) and "@" in value
    }
    return sorted(found)
