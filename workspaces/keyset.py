"""Pages of a list in any order, each as quick as the first: by where the page before ended."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import FloatField, Func, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now
from django.http import QueryDict

from config.kept_queries import KeptQuery

Row = TypeVar("Row", bound=Model)
Orders: TypeAlias = Mapping[str, Sequence[Combinable]]

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
    orders: Orders,
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
    after, before = (query.get(name, "") for name in ("after", "before"))
    sort = _sort(orders, query)
    rows, names = _placed(rows, orders, sort, key)
    backwards = bool(before) and not after
    falls = sort.startswith("-") != backwards
    mark = _read(rows, names, before if backwards else after)
    if mark is not None:
        rows = rows.filter(_beyond(names, mark, falls=falls))
    found = list(_ordered(rows, names, falls=falls)[: size + 1])
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


class KeptPages(Generic[Row]):
    """A list of which people mostly open the first page: its query is made once for each order.

    `rows` is given holes for its values, as in `config.kept_queries`.
    """

    def __init__(
        self, rows: Callable[..., QuerySet[Row]], orders: Orders, *, size: int, key: str = "pk"
    ) -> None:
        self.rows, self.orders, self.size, self.key = rows, orders, size, key
        self._first: dict[str, KeptQuery[Row]] = {}

    def page_of(self, query: QueryDict, **values: Any) -> Page[Row]:
        """As the function of that name."""
        if query.get("after") or query.get("before"):
            rows = self.rows(**values)
            return page_of(rows, self.orders, query, size=self.size, key=self.key)
        sort = _sort(self.orders, query)
        if sort not in self._first:
            self._first[sort] = KeptQuery(partial(self._first_in, sort))
        found = self._first[sort](**values)
        names = _names(self.orders, sort, self.key)
        after = _mark_of(found[self.size - 1], names) if len(found) > self.size else ""
        return Page(rows=found[: self.size], sort=sort, before="", after=after)

    def _first_in(self, sort: str, **values: Any) -> QuerySet[Row]:
        rows, names = _placed(self.rows(**values), self.orders, sort, self.key)
        return _ordered(rows, names, falls=sort.startswith("-"))[: self.size + 1]


def _sort(orders: Orders, query: QueryDict) -> str:
    sort = query.get("sort", "")
    return sort if sort.removeprefix("-") in orders else next(iter(orders))


def _names(orders: Orders, sort: str, key: str) -> list[str]:
    order = orders[sort.removeprefix("-")]
    return [*(f"order_{place}" for place in range(len(order))), key]


def _placed(
    rows: QuerySet[Row], orders: Orders, sort: str, key: str
) -> tuple[QuerySet[Row], list[str]]:
    """The rows with what they are ordered by, under the names that come with them."""
    names, order = _names(orders, sort, key), orders[sort.removeprefix("-")]
    return rows.annotate(**dict(zip(names, order, strict=False))), names


def _ordered(rows: QuerySet[Row], names: list[str], *, falls: bool) -> QuerySet[Row]:
    return rows.order_by(*(f"-{name}" if falls else name for name in names))


def orders_of(orders: Orders, count: int) -> Orders:
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
