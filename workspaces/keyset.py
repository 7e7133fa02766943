"""Pages of a list in any order, each as quick as the first: by where the page before ended."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import FloatField, Func, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now
from django.http import QueryDict

Row = TypeVar("Row", bound=Model)

MOST_INTEGER = 2**63
# So many rows are sorted without an index in 65 ms.
MOST_SORTED = 100_000
# Seconds from the start of what has one, or from its place in the queue, to its end or now.
TOOK = Func(
    Coalesce("finished_at", Now()) - Coalesce("started_at", "created_at"),
    template="EXTRACT(EPOCH FROM %(expressions)s)::float8",
    output_field=FloatField(),
)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows; `sort` is how they are sorted, as a URL says it.

    `before` and `after` are the marks by which to ask for the neighbours, "" at the ends.
    """

    rows: list[Row]
    sort: str
    before: str
    after: str


def page_of(
    rows: QuerySet[Row],
    orders: Mapping[str, Sequence[Combinable]],
    query: QueryDict,
    *,
    size: int,
    key: str = "pk",
) -> Page[Row]:
    """The page that a URL asks for by `sort`, and `after` or `before`.

    `sort` is a key of `orders`, with a minus for the other direction; the first of them counts
    where it is none, and a mark that is none, as a person may have typed it, counts as none. What
    a list is ordered by is never null. `key` is the field by which rows of one place are told
    apart.
    """
    sort, after, before = (query.get(name, "") for name in ("sort", "after", "before"))
    if sort.removeprefix("-") not in orders:
        sort = next(iter(orders))
    order = orders[sort.removeprefix("-")]
    names = [f"order_{place}" for place in range(len(order))]
    rows = rows.annotate(**dict(zip(names, order, strict=True)))
    names.append(key)
    backwards = bool(before) and not after
    falls = sort.startswith("-") != backwards
    mark = _read(rows, names, before if backwards else after)
    if mark is not None:
        rows = rows.filter(_beyond(names, mark, falls=falls))
    found = list(rows.order_by(*(f"-{name}" if falls else name for name in names))[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_before, has_after = (more, mark is not None) if backwards else (mark is not None, more)
    return Page(
        rows=found,
        sort=sort,
        before=_mark_of(found[0], names) if found and has_before else "",
        after=_mark_of(found[-1], names) if found and has_after else "",
    )


def orders_of(
    orders: Mapping[str, Sequence[Combinable]], count: int
) -> Mapping[str, Sequence[Combinable]]:
    """Those that so many rows are soon had in: of very many the first alone, an index’s."""
    first = next(iter(orders))
    return orders if count <= MOST_SORTED else {first: orders[first]}


def newest_first(query: QueryDict, key: str) -> QueryDict:
    """What a URL asks for, by `key` from the end where it names no order."""
    asked = query.copy()
    asked.setdefault("sort", f"-{key}")
    return asked


def context_of(page: Page[Any], query: QueryDict, *, part: str = "") -> dict[str, str]:
    """What `sort_heading` and the component `pagination` want of a page.

    `part` is the id of the list on its page, to come back to.
    """
    return {
        "sort": page.sort,
        "previous_url": _url(query, "before", page.before, part),
        "next_url": _url(query, "after", page.after, part),
    }


def _url(query: QueryDict, name: str, mark: str, part: str) -> str:
    if not mark:
        return ""
    kept = query.copy()
    for old in ("after", "before"):
        kept.pop(old, None)
    kept[name] = mark
    return f"?{kept.urlencode()}#{part}" if part else f"?{kept.urlencode()}"


def _beyond(names: list[str], mark: list[Any], *, falls: bool) -> Q:
    side = "lt" if falls else "gt"
    found, equal = Q(), Q()
    for name, value in zip(names, mark, strict=True):
        found |= equal & Q(**{f"{name}__{side}": value})
        equal &= Q(**{name: value})
    return found


def _mark_of(row: Model, names: list[str]) -> str:
    values = [getattr(row, name) for name in names]
    told = json.dumps([one.isoformat() if isinstance(one, date) else one for one in values])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read(rows: QuerySet[Row], names: list[str], mark: str) -> list[Any] | None:
    fields: list[Any] = [rows.query.annotations[name].output_field for name in names[:-1]]
    meta = rows.model._meta
    fields.append(meta.pk if names[-1] == "pk" else meta.get_field(names[-1]))
    try:
        told = json.loads(base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)))
        values = [field.to_python(one) for field, one in zip(fields, told, strict=True)]
    except (TypeError, ValueError, ValidationError):
        return None
    return values if all(map(_is_sound, values)) else None


def _is_sound(value: Any) -> bool:
    if isinstance(value, int):
        return -MOST_INTEGER <= value < MOST_INTEGER
    return value is not None and not (isinstance(value, str) and "\0" in value)
