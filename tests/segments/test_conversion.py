"""Text becomes what a profile keeps, for each type; and its text comes back from it."""

import json
import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segments.conversion import (
    DATE_FORMATS,
    JOINT,
    LIST_FORMS,
    NO,
    YES,
    conversion,
    read_typed,
    type_choices,
    typed,
)
from segments.models import BLANKS, AttributeType
from segments.value_sql import text_of


@pytest.fixture(scope="module")
def engine() -> Any:
    with duckdb.connect() as database:
        database.execute("SET TimeZone='UTC'")
        yield database


def kept(engine: Any, kind: str, form: str, text: str) -> str | None:
    """The JSON text that an import keeps of the text, or None when it does not convert."""
    found = engine.execute(f"SELECT {conversion(kind, form, 'v')} FROM (SELECT ? AS v)", [text])
    return found.fetchone()[0]


def plainly(kind: str, form: str, text: str) -> Any:
    """What a profile should keep, read with no regard to speed; None for what does not convert."""
    if kind == "integer":
        whole = re.fullmatch(r"([+-]?[0-9]+)(\.0+)?", text)
        value = int(whole[1]) if whole else None
        return value if value is not None and -(2**63) <= value < 2**63 else None
    if kind == "number":
        return Decimal(text) if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text) else _double(text)
    if kind == "boolean":
        lowered = text.lower()
        return True if lowered in (*YES, "1") else False if lowered in (*NO, "0") else None
    if kind == "date":
        return _day(form, text)
    if kind == "datetime":
        read = datetime.fromisoformat(text)
        zoned = read if read.tzinfo else read.replace(tzinfo=UTC)
        return zoned.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "list":
        return _list(form, text)
    return text


def _double(text: str) -> Decimal | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return Decimal(repr(value)) if math.isfinite(value) else None


def _day(form: str, text: str) -> str | None:
    try:
        return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007
    except ValueError:
        return None


def _list(form: str, text: str) -> list[str] | None:
    if form == "json":
        try:
            parts = json.loads(text)
        except ValueError:
            return None
        if not isinstance(parts, list):
            return None
    else:
        parts = text.split(form)
    trimmed = [part.strip(BLANKS) for part in parts]
    return [part for part in trimmed if part]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
NUMBERS = st.decimals(-(10**20), 10**20, places=3).map(str) | st.integers().map(str)
ODD = st.sampled_from(
    [
        *("+5", "-0", "007", "5.00", "5.", ".5", "1e3", "1E400", "nan", "inf", "--5", "1 000"),
        *("yes", "NO", "Sí", "T", "1", "0", "ja", "[]", "[1", "{}", ";;", " ; a;", "9" * 25),
    ]
)
DAYS = st.dates(date(1000, 1, 1)).flatmap(
    lambda day: st.sampled_from([day.strftime(form) for form in DATE_FORMATS])
)
LISTS = st.lists(TEXTS, max_size=4).map(json.dumps) | st.lists(TEXTS, max_size=4).map(";".join)


AS = [
    *((kind, "") for kind in ("text", "integer", "number", "boolean")),
    # ISO days are read with a time too, the others exactly.
    *(("date", form) for form in DATE_FORMATS[1:]),
    *(("list", form) for form in LIST_FORMS),
]
ALL = ", ".join(conversion(kind, form, "v") for kind, form in AS)


@settings(max_examples=200, deadline=None)
@example(text="INFINITY")
@example(text="-infinity")
@example(text="epoch")
@given(text=(TEXTS | NUMBERS | ODD | DAYS | LISTS).map(lambda one: one.strip(BLANKS)).filter(bool))
def test_a_text_converts_as_a_plain_reading_says(engine: Any, text: str) -> None:
    converted = engine.execute(f"SELECT {ALL} FROM (SELECT ? AS v)", [text]).fetchone()
    for (kind, form), found in zip(AS, converted, strict=True):
        expected = plainly(kind, form, text)
        if kind == "number" and found is not None and expected is not None:
            assert Decimal(found) == expected
        else:
            read = None if found is None else json.loads(found)
            assert read == expected, f"as {kind} {form}"


@settings(max_examples=100, deadline=None)
@given(
    moment=st.datetimes(datetime(1000, 1, 2), datetime(9000, 1, 1)).map(
        lambda one: one.replace(microsecond=0)
    ),
    minutes=st.integers(-14 * 4, 14 * 4).map(lambda quarters: quarters * 15),
)
def test_a_date_and_time_with_its_offset_is_kept_in_utc(
    engine: Any, moment: datetime, minutes: int
) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
    for text in (zoned, moment.isoformat(" "), f"{moment:%Y-%m-%dT%H:%M}Z"):
        assert json.loads(kept(engine, "datetime", "", text) or "") == plainly("datetime", "", text)


KEPT: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS.map(lambda one: one.strip(BLANKS)).filter(bool),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.decimals(-(10**15), 10**15, places=4).map(float),
    "boolean": st.booleans(),
    "date": st.dates(date(1000, 1, 1)).map(date.isoformat),
    "datetime": st.datetimes(datetime(1000, 1, 1)).map(
        lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    ),
    "list": st.lists(
        TEXTS.map(lambda one: one.replace(",", "").strip(BLANKS)).filter(bool),
        min_size=1,
        max_size=4,
    ),
}


@pytest.mark.django_db
@settings(max_examples=25, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("kind", AttributeType.values)
def test_what_is_kept_comes_back_from_its_text(engine: Any, kind: str, data: Any) -> None:
    value = data.draw(KEPT[kind])
    written = json.dumps(value)
    form = "," if kind == "list" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {text_of('v')} FROM (SELECT %s::jsonb AS v) one", [written])
        (text,) = cursor.fetchone()
        again = kept(engine, kind, form, text)
        cursor.execute("SELECT %s::jsonb = %s::jsonb", [written, again])
        assert cursor.fetchone() == (True,), (text, again)


def test_a_list_as_json_holds_texts_of_single_values_only(engine: Any) -> None:
    def read(text: str) -> Any:
        found = kept(engine, "list", "json", text)
        return None if found is None else json.loads(found)

    assert read('[" VIP ", 5, true, null, "", 2.5]') == ["VIP", "5", "true", "2.5"]
    for nested in ('[["a"]]', '[{"a": 1}]', '{"a": ["b"]}', '"a"', "a", "[", '["a\\u0000"]'):
        assert read(nested) is None, nested
    assert JOINT.join(read('["a", "b"]')) == "a, b"


def test_a_choice_of_type_and_form_is_read_back_and_others_are_refused() -> None:
    choices = [value for _group, options in type_choices() for value, _label in options]
    assert {value.partition(":")[0] for value in choices} == set(AttributeType.values)
    for value in choices:
        found = read_typed(value)
        assert found is not None
        assert typed(*found) == value
    assert read_typed("list:x") == ("list", ";")
    assert read_typed("text:%Y") == ("text", "")
    for none in ("", "json", "TEXT", ":;"):
        assert read_typed(none) is None


@pytest.mark.parametrize(
    ("kind", "form", "text"),
    [
        ("date", "%m/%d/%Y", "3/14/12"),
        ("date", "%d/%m/%Y", "1/2/24"),
        ("date", "%Y-%m-%d", "24-01-02"),
        ("date", "%Y-%m-%d", "44-03-15 (BC)"),
        ("datetime", "", "24-01-02T10:00:00.1234+0200"),
    ],
)
def test_a_year_of_two_digits_is_of_no_century(
    engine: Any, kind: str, form: str, text: str
) -> None:
    assert kept(engine, kind, form, text) is None
