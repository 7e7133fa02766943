"""Rules as a sentence that a person reads."""

from collections.abc import Mapping
from typing import Any

from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from segments.operators import MEMBERSHIP_LABELS, OPERATORS

MOST_VALUES = 3


def sentence(tree: Any, labels: Mapping[str, str], segments: Mapping[int, str]) -> str:
    """The tree in words, even where it makes no sense any more."""
    if not isinstance(tree, dict):
        return ""
    if "match" in tree:
        return _group(tree, labels, segments)
    if "segment" in tree:
        text = str(tree.get("segment") or "")
        name = segments.get(int(text), "?") if text.isdigit() else "?"
        return f"{MEMBERSHIP_LABELS.get(tree.get('operator', ''), '')} “{name}”"
    name = labels.get(str(tree.get("attribute")), str(tree.get("attribute") or "?"))
    operator = OPERATORS.get(str(tree.get("operator")))
    if operator is None:
        return name
    value = tree.get("value")
    if operator.needs == "days":
        return _in_days(name, operator.name, value)
    if operator.needs == "month" and str(value).isdigit() and 1 <= int(str(value)) <= 12:
        return f"{name} {operator.label} {MONTHS[int(str(value))]}"
    return f"{name} {operator.label} {_value(value)}".strip()


def _in_days(name: str, operator: str, value: Any) -> str:
    days = int(str(value)) if str(value).isdigit() else 0
    texts = {
        "in_last_days": ngettext(
            "%(name)s is in the last %(days)d day", "%(name)s is in the last %(days)d days", days
        ),
        "in_next_days": ngettext(
            "%(name)s is in the next %(days)d day", "%(name)s is in the next %(days)d days", days
        ),
        "anniversary_in_days": ngettext(
            "%(name)s has its anniversary in the next %(days)d day",
            "%(name)s has its anniversary in the next %(days)d days",
            days,
        ),
    }
    return texts[operator] % {"name": name, "days": days}


def _group(tree: dict[str, Any], labels: Mapping[str, str], segments: Mapping[int, str]) -> str:
    parts = []
    for one in tree.get("rules") or ():
        text = sentence(one, labels, segments)
        nested = isinstance(one, dict) and "match" in one and len(one.get("rules") or ()) > 1
        parts.append(f"({text})" if nested else text)
    if tree.get("match") == "any":
        return _(" or ").join(parts)
    if tree.get("match") == "none":
        return _("none of: %(rules)s") % {"rules": "; ".join(parts)}
    return _(" and ").join(parts)


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        shown = ", ".join(f"“{one}”" for one in value[:MOST_VALUES])
        more = len(value) - MOST_VALUES
        if more > 0:
            shown += ngettext(" and %(more)d more", " and %(more)d more", more) % {"more": more}
        return shown
    return f"“{value}”"
