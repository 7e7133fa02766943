"""Quick segments: one attribute's values, or spans of them, with how many profiles have each."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from segments import quick_sql, spans
from segments.models import Attribute, AttributeType
from segments.operators import DAYS, NUMBERS
from segments.preview import bounded
from segments.rule_sql import DAY_SHAPE, MOMENT_SHAPE
from segments.segment_services import LONGEST_NAME, Refused
from workspaces.models import Workspace

MOST_VALUES = 20
LONGEST_VALUE = 200
FEW_NUMBERS = 12
MOST_SPANS = 24
BETWEEN = "|"


@dataclass(frozen=True)
class Choice:
    """What can be ticked: a value, or a span as `least|most`, open where empty."""

    token: str
    label: str
    size: int


@dataclass(frozen=True)
class Choices:
    """`others` have a value that is not among the choices. If it `overlaps`, as lists do, a
    profile may have several of the choices, and others are not counted.
    """

    choices: list[Choice]
    profiles: int
    empty: int
    overlaps: bool = False

    @property
    def others(self) -> int:
        return 0 if self.overlaps else self.profiles - self.empty - self._chosen

    @property
    def _chosen(self) -> int:
        return sum(one.size for one in self.choices)

    @property
    def largest(self) -> int:
        return max((self.empty, *(one.size for one in self.choices)))


@dataclass
class Ticked:
    """What a person ticked."""

    values: list[str] = field(default_factory=list)
    empty: bool = False


def choices(workspace: Workspace, attribute: Attribute) -> Choices:
    """Counted now, among all profiles. Raises `TooSlow`."""
    parameters = {"workspace": workspace.pk, "name": attribute.name, "zone": workspace.time_zone}
    if attribute.type in NUMBERS:
        return _numbers(parameters)
    if attribute.type in DAYS:
        return _days(attribute, parameters)
    if attribute.type == AttributeType.LIST:
        return _items(parameters)
    return _values(attribute, parameters)


def rules(attribute: Attribute, ticked: Ticked) -> dict[str, Any]:
    """The rules that find whom was ticked. Raises `Refused`; not all need make sense."""
    try:
        found = _rules(attribute, ticked.values)
    except ValueError as nonsense:
        raise Refused(_("Tick some of the values shown.")) from nonsense
    if ticked.empty:
        found.append({"attribute": attribute.name, "operator": "is_empty"})
    if not found:
        raise Refused(_("Tick at least one value."))
    return {"match": "any", "rules": found}


def name_for(attribute: Attribute, ticked: Ticked) -> str:
    """A name of what was ticked, for who gives none."""
    if attribute.type in (*NUMBERS, *DAYS):
        said = [
            spans.label_of(attribute, *one) if len(one) == 2 else spans.shown(attribute, one[0])
            for one in spans.merged(attribute, [value.split(BETWEEN, 1) for value in ticked.values])
        ]
    else:
        said = [_boolean(value) if _is_boolean(attribute) else value for value in ticked.values]
    if ticked.empty:
        said.append(_("no value"))
    return f"{attribute.label}: {', '.join(said)}"[:LONGEST_NAME].strip()


def _values(attribute: Attribute, parameters: dict[str, Any]) -> Choices:
    with bounded() as cursor:
        cursor.execute(
            quick_sql.TOP_VALUES.format(
                value="p.attributes ->> %(name)s", key="lower(value COLLATE pg_c_utf8)"
            ),
            {**parameters, "most": MOST_VALUES + 1},
        )
        rows = cursor.fetchall()
        profiles = _profiles(cursor, parameters)
    empty = sum(size for value, size in rows if value is None)
    found = [
        Choice(value, _boolean(value) if _is_boolean(attribute) else value, size)
        for value, size in rows
        if value is not None and 0 < len(value) <= LONGEST_VALUE
    ][:MOST_VALUES]
    return Choices(found, profiles, empty)


def _items(parameters: dict[str, Any]) -> Choices:
    """Of lists: how many profiles have each text in theirs."""
    with bounded() as cursor:
        cursor.execute(quick_sql.TOP_ITEMS, {**parameters, "most": MOST_VALUES})
        rows = cursor.fetchall()
        cursor.execute(quick_sql.EMPTY, parameters)
        empty = cursor.fetchone()[0]
        profiles = _profiles(cursor, parameters)
    found = [Choice(value, value, size) for value, size in rows if 0 < len(value) <= LONGEST_VALUE]
    return Choices(found, profiles, empty, overlaps=True)


def _profiles(cursor: CursorWrapper, parameters: dict[str, Any]) -> int:
    cursor.execute(quick_sql.TOTAL, parameters)
    return int(cursor.fetchone()[0])


def _numbers(parameters: dict[str, Any]) -> Choices:
    value = (
        "CASE jsonb_typeof(p.attributes -> %(name)s)"
        " WHEN 'number' THEN (p.attributes -> %(name)s)::numeric END"
    )
    with bounded() as cursor:
        cursor.execute(quick_sql.TENTHS.format(value=value), parameters)
        rows = cursor.fetchall()
        empty = int(sum(size for least, _most, size, _kinds in rows if least is None))
        profiles = int(sum(row[2] for row in rows))
        tenths = [row for row in rows if row[0] is not None]
        if sum(kinds for _least, _most, _size, kinds in tenths) <= FEW_NUMBERS:
            cursor.execute(quick_sql.ALL_VALUES.format(value=value), parameters)
            return Choices(
                [
                    Choice(spans.plain(number), spans.number(number), size)
                    for number, size in cursor.fetchall()
                    if number is not None
                ],
                profiles,
                empty,
            )
    least = ["", *(spans.plain(row[0]) for row in tenths[1:])]
    most = [*least[1:], ""]
    return Choices(
        [
            Choice(f"{low}{BETWEEN}{high}", spans.number_span(low, high), int(row[2]))
            for low, high, row in zip(least, most, tenths, strict=True)
        ],
        profiles,
        empty,
    )


def _days(attribute: Attribute, parameters: dict[str, Any]) -> Choices:
    text = "(p.attributes ->> %(name)s)"
    if attribute.type == AttributeType.DATE:
        value = f"CASE WHEN {text} LIKE %(shape)s THEN {text} END"
    else:
        value = (
            f"CASE WHEN {text} LIKE %(shape)s AND pg_input_is_valid({text}, 'timestamptz')"
            f" THEN to_char({text}::timestamptz AT TIME ZONE %(zone)s, 'YYYY-MM-DD') END"
        )
    shape = DAY_SHAPE if attribute.type == AttributeType.DATE else MOMENT_SHAPE
    with bounded() as cursor:
        cursor.execute(quick_sql.ALL_VALUES.format(value=value), {**parameters, "shape": shape})
        rows = cursor.fetchall()
    sizes: dict[date, int] = {}
    for text, size in rows:
        if text is not None:
            with suppress(ValueError):
                sizes[date.fromisoformat(text)] = size
    empty = sum(size for text, size in rows if text is None)
    profiles = sum(size for _text, size in rows)
    return Choices(_spans_of_days(attribute, sizes), profiles, empty)


def _spans_of_days(attribute: Attribute, sizes: dict[date, int]) -> list[Choice]:
    """By day, month, year or ten years: the finest that there are not too many of."""
    for span_of in (spans.day_of, spans.month_of, spans.year_of, spans.decade_of, spans.century_of):
        counted: dict[tuple[date, date], int] = {}
        for day, size in sizes.items():
            span = span_of(day)
            counted[span] = counted.get(span, 0) + size
        if len(counted) <= MOST_SPANS:
            break
    return [
        Choice(f"{first}{BETWEEN}{last}", spans.label_of(attribute, str(first), str(last)), size)
        for (first, last), size in sorted(counted.items())
    ]


def _rules(attribute: Attribute, tokens: Sequence[str]) -> list[dict[str, Any]]:
    """Raises `ValueError` for what was never shown to be ticked."""
    name = attribute.name
    if _is_boolean(attribute):
        operators = {"true": "is_yes", "false": "is_no"}
        return [
            {"attribute": name, "operator": operators[one]} for one in tokens if one in operators
        ]
    if attribute.type not in (*NUMBERS, *DAYS):
        operator = "contains_any_of" if attribute.type == AttributeType.LIST else "is_any_of"
        listed = {"attribute": name, "operator": operator, "value": list(tokens)}
        return [listed] if tokens else []
    merged = spans.merged(attribute, [token.split(BETWEEN, 1) for token in tokens])
    return [_rule(attribute, one) for one in merged]


def _rule(attribute: Attribute, one: Sequence[str]) -> dict[str, Any]:
    name = attribute.name
    if len(one) == 1:
        return {"attribute": name, "operator": "equals", "value": one[0]}
    if attribute.type in DAYS:
        return {"attribute": name, "operator": "between", "value": list(one)}
    ends = [
        {"attribute": name, "operator": operator, "value": value}
        for operator, value in zip(("at_least", "less_than"), one, strict=True)
        if value
    ]
    if not ends:
        return {"attribute": name, "operator": "is_not_empty"}
    return ends[0] if len(ends) == 1 else {"match": "all", "rules": ends}


def _is_boolean(attribute: Attribute) -> bool:
    return attribute.type == AttributeType.BOOLEAN


def _boolean(value: str) -> str:
    words = {"true": pgettext("value", "yes"), "false": pgettext("value", "no")}
    return words.get(value, value)
