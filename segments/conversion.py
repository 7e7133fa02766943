"""Text into the values that profiles keep: DuckDB's SQL for each type, and how each may be written.

A type goes with a form where texts of it are written in several ways: a date's format, or what
separates the texts of a list.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from segments.dialect import quoted
from segments.models import BLANKS, AttributeType

DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
JSON_LIST = "json"
SEPARATORS = (";", "|", ",")
LIST_FORMS = (*SEPARATORS, JSON_LIST)
# Between the texts of a list where it is shown or sent as one text.
JOINT = ", "
# Where a day or a moment has its year.
AT_START, AT_END = "^[0-9]{4}[^0-9]", "[^0-9][0-9]{4}$"
YES = ("true", "yes", "y", "t", "sí", "si", "s")
NO = ("false", "no", "n", "f")

FORMS: dict[str, tuple[str, ...]] = {
    AttributeType.DATE: DATE_FORMATS,
    AttributeType.LIST: LIST_FORMS,
}

Choice = tuple[str, str | Promise]


def type_choices() -> list[tuple[str | Promise, list[Choice]]]:
    """What a person chooses from, in groups: `TYPE` or `TYPE:FORM`, with its label."""
    of_dates = dict(
        zip(DATE_FORMATS, ("2026-12-31", "31.12.2026", "31/12/2026", "12/31/2026"), strict=True)
    )
    of_lists = dict(
        zip(
            LIST_FORMS,
            (
                _("List, separated by ;"),
                _("List, separated by |"),
                _("List, separated by commas"),
                _("List, as JSON"),
            ),
            strict=True,
        )
    )
    plain: list[Choice] = [
        (str(kind.value), kind.label)
        for kind in (
            AttributeType.TEXT,
            AttributeType.INTEGER,
            AttributeType.NUMBER,
            AttributeType.BOOLEAN,
            AttributeType.DATETIME,
        )
    ]
    return [
        ("", plain),
        (
            AttributeType.DATE.label,
            [
                (typed(AttributeType.DATE, form), _("Date, like %(day)s") % {"day": day})
                for form, day in of_dates.items()
            ],
        ),
        (
            AttributeType.LIST.label,
            [(typed(AttributeType.LIST, form), label) for form, label in of_lists.items()],
        ),
    ]


def typed(kind: str, form: str) -> str:
    """A type and its form in one text; the first form where none of the type's is given."""
    forms = FORMS.get(kind)
    if not forms:
        return str(kind)
    return f"{kind}:{form if form in forms else forms[0]}"


def read_typed(text: str) -> tuple[str, str] | None:
    """The type and the form of a text that `typed` wrote; None for what names no type."""
    kind, _colon, form = text.partition(":")
    if kind not in AttributeType.values:
        return None
    forms = FORMS.get(kind, ())
    return kind, form if form in forms else forms[0] if forms else ""


def conversion(kind: str, form: str, value: str) -> str:
    """SQL for DuckDB: the value as JSON text, or NULL when it does not convert."""
    if kind == AttributeType.NUMBER:
        # Kept digit by digit: 40000.0000 is a number that JSON can hold as it is.
        return (
            f"CASE WHEN regexp_full_match({value}, '[+-]?[0-9]+([.][0-9]+)?')"
            f" AND length({value}) <= 40"
            f" THEN regexp_replace({value}, '^([+]?|(-))0*([0-9])', '\\2\\3')"
            f" WHEN TRY_CAST({value} AS DOUBLE) IS NOT NULL"
            f" AND isfinite(TRY_CAST({value} AS DOUBLE))"
            f" THEN to_json(TRY_CAST({value} AS DOUBLE))::VARCHAR END"
        )
    if kind == AttributeType.INTEGER:
        return (
            f"TRY_CAST(CASE WHEN regexp_full_match({value}, '[+-]?[0-9]+([.]0+)?')"
            f" THEN regexp_extract({value}, '^[+-]?[0-9]+') END AS BIGINT)::VARCHAR"
        )
    if kind == AttributeType.BOOLEAN:
        yes = ", ".join(map(quoted, (*YES, "1")))
        no = ", ".join(map(quoted, (*NO, "0")))
        return (
            f"CASE WHEN lower({value}) IN ({yes}) THEN 'true'"
            f" WHEN lower({value}) IN ({no}) THEN 'false' END"
        )
    if kind == AttributeType.DATE:
        if form and form != DATE_FORMATS[0]:
            parsed = f"TRY_STRPTIME({_with_year(value, AT_END)}, {quoted(form)})::DATE"
        else:
            parsed = f"TRY_CAST(TRY_CAST({_with_year(value, AT_START)} AS TIMESTAMP) AS DATE)"
        return f"'\"' || strftime({parsed}, '%Y-%m-%d') || '\"'"
    if kind == AttributeType.DATETIME:
        parsed = f"TRY_CAST({_with_year(value, AT_START)} AS TIMESTAMPTZ)"
        return f"'\"' || strftime({parsed} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') || '\"'"
    if kind == AttributeType.LIST:
        return _list(form, value)
    return f"to_json({value})::VARCHAR"


def _with_year(value: str, where: str) -> str:
    """What has its year in four digits: of two, nobody knows the century, and DuckDB takes them
    for a year of the first; as it takes “infinity” and “epoch” for a time.
    """
    return f"CASE WHEN regexp_matches({value}, '{where}') THEN {value} END"


def _list(form: str, value: str) -> str:
    """Texts without blanks around them, none of them empty; a list of nothing is `[]`."""
    if form != JSON_LIST:
        parts = f"string_split({value}, {quoted(form or SEPARATORS[0])})"
        return _kept(parts)
    nested = (
        f"list_has_any(list_transform(json_extract({value}, '$[*]'), lambda x: json_type(x)),"
        " ['ARRAY', 'OBJECT'])"
    )
    # PostgreSQL's text holds no NUL.
    is_list = f"json_type({value}) = 'ARRAY' AND NOT contains({value}, '\\u0000') AND NOT {nested}"
    parts = f"from_json({value}, '[\"VARCHAR\"]')"
    return f"CASE WHEN json_valid({value}) THEN CASE WHEN {is_list} THEN {_kept(parts)} END END"


def _kept(parts: str) -> str:
    trimmed = f"list_transform({parts}, lambda x: trim(x, {quoted(BLANKS)}))"
    return f"to_json(list_filter({trimmed}, lambda x: x <> ''))::VARCHAR"
