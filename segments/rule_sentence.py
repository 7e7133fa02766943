"""Rules as a sentence that a person reads."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

from django.utils import formats
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from segments import rule_values
from segments.operators import LIST, MEMBERSHIP_LABELS, OPERATORS, PERIODS, TEXT, Operator

MOST_VALUES = 3
SMALL_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)


def sentence(
    tree: Any,
    labels: Mapping[str, str],
    segments: Mapping[int, str],
    most_values: int | None = MOST_VALUES,
) -> str:
    """The tree in words, even where it makes no sense; of long lists the first values."""
    return _Speaker(labels, segments, most_values).say(tree)


class _Speaker:
    def __init__(
        self, labels: Mapping[str, str], segments: Mapping[int, str], most_values: int | None
    ) -> None:
        self.labels, self.segments, self.most_values = labels, segments, most_values

    def say(self, tree: Any) -> str:
        if not isinstance(tree, dict):
            return ""
        if "match" in tree:
            return self.group(tree)
        if "segment" in tree:
            name = self.segments.get(rule_values.identifier(tree["segment"]) or 0, "?")
            return f"{MEMBERSHIP_LABELS.get(str(tree.get('operator')), '')} “{name}”".strip()
        if "list" in tree:
            name = str(tree.get("attribute") or "")
            name = self.labels.get(name, name) or _("Key")
            return _("%(name)s is on the list") % {"name": name}
        name = self.labels.get(str(tree.get("attribute")), str(tree.get("attribute") or "?"))
        operator = OPERATORS.get(str(tree.get("operator")))
        if operator is None:
            return name
        return f"{name} {operator.label} {self.value(tree, operator)}".strip()

    def group(self, tree: dict[str, Any]) -> str:
        rules = tree.get("rules")
        parts = [self.part(one) for one in rules] if isinstance(rules, list) else []
        if not parts:
            return ""
        match = tree["match"]
        if match == "all":
            return reduce(lambda a, b: _("%(one)s and %(other)s") % {"one": a, "other": b}, parts)
        said = reduce(lambda a, b: _("%(one)s or %(other)s") % {"one": a, "other": b}, parts)
        return _("not (%(rules)s)") % {"rules": said} if match == "none" else said

    def part(self, tree: Any) -> str:
        said = self.say(tree)
        rules = tree.get("rules") if isinstance(tree, dict) else None
        is_long = isinstance(rules, list) and len(rules) > 1
        return f"({said})" if is_long and tree.get("match") != "none" else said

    def value(self, tree: dict[str, Any], operator: Operator) -> str:
        value = tree.get("value")
        if operator.needs == "nothing" or value is None:
            return ""
        if operator.needs == "span":
            return _span(value, str(tree.get("unit")))
        if operator.needs == "days":
            return _span(value, "days")
        if operator.needs == "month":
            return str(MONTHS.get(rule_values.identifier(value) or 0, value))
        if operator.needs == "period":
            return str(PERIODS.get(str(value), value))
        given = value if isinstance(value, list) else [value]
        shown = [_shown(one, operator) for one in given if str(one).strip()]
        if operator.needs == "two" and len(shown) == 2:
            return _("%(one)s and %(other)s") % {"one": shown[0], "other": shown[1]}
        return self.listed(shown)

    def listed(self, shown: list[str]) -> str:
        most = self.most_values or len(shown)
        more = len(shown) - most
        listed = ", ".join(shown[:most])
        if more <= 0:
            return listed
        return ngettext("%(values)s and %(more)d more", "%(values)s and %(more)d more", more) % {
            "values": listed,
            "more": more,
        }


def _span(value: Any, unit: str) -> str:
    count = rule_values.identifier(value)
    if count is None:
        return str(value)
    texts = {
        "days": ngettext("%(count)d day", "%(count)d days", count),
        "weeks": ngettext("%(count)d week", "%(count)d weeks", count),
        "months": ngettext("%(count)d month", "%(count)d months", count),
        "years": ngettext("%(count)d year", "%(count)d years", count),
    }
    return texts.get(unit, "%(count)d") % {"count": count}


def _shown(value: Any, operator: Operator) -> str:
    text = str(value)
    if operator.types in ((TEXT,), (LIST,)):
        return f"“{text}”"
    return plain_value(text)


def plain_value(text: str) -> str:
    """A number or a day as people write it; anything else as it is."""
    if SMALL_NUMBER.fullmatch(text):
        return formats.number_format(Decimal(text), use_l10n=True, force_grouping=True)
    try:
        return formats.date_format(date.fromisoformat(text), "DATE_FORMAT")
    except ValueError:
        return text
