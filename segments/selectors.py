"""Asks for profiles."""

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from segments.conversion import JOINT
from segments.models import Attribute, Profile, Segment

MOST_COLUMNS = 5
TELLING = re.compile(r"mail|name|nom|correu|correo|city|ciutat|ciudad", re.IGNORECASE)
PAGE = 50


def shown_profiles(profiles: Iterable[Profile]) -> dict[str, Any]:
    """A table of profiles: addresses and names first as its header, and the rows."""
    known = Attribute.objects.select_related("source")
    telling = [one for one in known if not (one.source and one.source.key_column == one.name)]
    attributes = sorted(telling, key=lambda one: not TELLING.search(one.name))[:MOST_COLUMNS]
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


def words() -> tuple[dict[str, str], dict[int, str]]:
    """What attributes (by name) and segments (by id) of the workspace in scope are called."""
    return (
        dict(Attribute.objects.values_list("name", "label")),
        dict(Segment.objects.values_list("pk", "name")),
    )


def search_profiles(text: str, after: str = "") -> QuerySet[Profile]:
    """Profiles in the order of their keys, after a key, whose key begins with the text.

    A text with an `@` is looked for in the text attributes that hold addresses, as a whole.
    """
    found = Profile.objects.order_by("key")
    if after:
        found = found.filter(key__gt=after)
    if "@" in text:
        matches = Q()
        for name in address_attributes():
            for form in {text, text.lower()}:
                matches |= Q(attributes__contains={name: form})
        return found.filter(matches) if matches else found.none()
    return found.filter(key__startswith=text) if text else found


def address_attributes() -> list[str]:
    """Names of attributes that hold addresses in the first profiles that have them."""
    found = {
        name
        for profile in Profile.objects.order_by("key")[:50]
        for name, value in profile.attributes.items()
        if isinstance(value, str) and "@" in value
    }
    return sorted(found)
