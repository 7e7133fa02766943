"""The operators of rules: what each is called, which types it fits, what it needs to be given."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from segments.models import AttributeType

TEXT, NUMBER = AttributeType.TEXT.value, AttributeType.NUMBER.value
DATE, DATETIME = AttributeType.DATE.value, AttributeType.DATETIME.value
BOOLEAN, LIST = AttributeType.BOOLEAN.value, AttributeType.LIST.value
NUMBERS = (NUMBER, AttributeType.INTEGER.value)
DAYS = (DATE, DATETIME)
ALL = (TEXT, *NUMBERS, DATE, DATETIME, BOOLEAN, LIST)


@dataclass(frozen=True)
class Operator:
    """`needs` is what it is given: nothing; one, two or many values; a span of time such as
    3 months; a number of days; a month; or a period such as this week.
    """

    name: str
    label: Promise | str
    types: tuple[str, ...]
    needs: str


OPERATORS = {
    operator.name: operator
    for operator in (
        Operator("is", _("is"), (TEXT,), "one"),
        Operator("is_not", _("is not"), (TEXT,), "one"),
        Operator("is_any_of", _("is any of"), (TEXT,), "many"),
        Operator("is_none_of", _("is none of"), (TEXT,), "many"),
        Operator("contains", _("contains"), (TEXT,), "one"),
        Operator("does_not_contain", _("does not contain"), (TEXT,), "one"),
        Operator("starts_with", _("starts with"), (TEXT,), "one"),
        Operator("ends_with", _("ends with"), (TEXT,), "one"),
        Operator("equals", _("is"), NUMBERS, "one"),
        Operator("does_not_equal", _("is not"), NUMBERS, "one"),
        Operator("equals_any_of", _("is any of"), NUMBERS, "many"),
        Operator("equals_none_of", _("is none of"), NUMBERS, "many"),
        Operator("less_than", _("is less than"), NUMBERS, "one"),
        Operator("at_most", _("is at most"), NUMBERS, "one"),
        Operator("greater_than", _("is more than"), NUMBERS, "one"),
        Operator("at_least", _("is at least"), NUMBERS, "one"),
        Operator("between", _("is between"), (*NUMBERS, *DAYS), "two"),
        Operator("on", _("is on"), DAYS, "one"),
        Operator("not_on", _("is not on"), DAYS, "one"),
        Operator("before", _("is before"), DAYS, "one"),
        Operator("after", _("is after"), DAYS, "one"),
        Operator("in_last", _("is in the last"), DAYS, "span"),
        Operator("in_next", _("is in the next"), DAYS, "span"),
        Operator("longer_ago", _("is longer ago than"), DAYS, "span"),
        Operator("further_ahead", _("is further ahead than"), DAYS, "span"),
        Operator("in_current", _("is in the current"), DAYS, "period"),
        Operator("month_is", _("is in the month of"), DAYS, "month"),
        Operator("anniversary_today", _("has its anniversary today"), DAYS, "nothing"),
        Operator("anniversary_in_days", _("has its anniversary within"), DAYS, "days"),
        Operator("is_yes", pgettext_lazy("operator", "is yes"), (BOOLEAN,), "nothing"),
        Operator("is_no", pgettext_lazy("operator", "is no"), (BOOLEAN,), "nothing"),
        Operator("contains_any_of", _("contains any of"), (LIST,), "many"),
        Operator("contains_all_of", _("contains all of"), (LIST,), "many"),
        Operator("contains_none_of", _("contains none of"), (LIST,), "many"),
        Operator("is_empty", _("is empty"), ALL, "nothing"),
        Operator("is_not_empty", _("is not empty"), ALL, "nothing"),
    )
}

# Whoever has no value meets these.
NEGATIVE = frozenset(
    {
        "is_not",
        "is_none_of",
        "does_not_contain",
        "does_not_equal",
        "equals_none_of",
        "contains_none_of",
        "not_on",
    }
)

UNITS = {
    "days": pgettext_lazy("unit of a span", "days"),
    "weeks": pgettext_lazy("unit of a span", "weeks"),
    "months": pgettext_lazy("unit of a span", "months"),
    "years": pgettext_lazy("unit of a span", "years"),
}

PERIODS = {
    "week": pgettext_lazy("the current period", "week"),
    "month": pgettext_lazy("the current period", "month"),
    "quarter": pgettext_lazy("the current period", "quarter"),
    "year": pgettext_lazy("the current period", "year"),
}

MEMBER, NOT_MEMBER = "member", "not_member"
MEMBERSHIP_LABELS: dict[str, Promise | str] = {
    MEMBER: _("is in the segment"),
    NOT_MEMBER: _("is not in the segment"),
}


def fitting(type_: str) -> list[Operator]:
    """The operators for an attribute of the type."""
    return [operator for operator in OPERATORS.values() if type_ in operator.types]
