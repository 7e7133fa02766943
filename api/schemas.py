"""What answers and requests are made of: pages, cursors, texts that the database can hold."""

import base64
import binascii
from datetime import time
from typing import Annotated, Any, Generic, TypeVar

import orjson
from django.db.models import Model, QuerySet
from ninja import Field, Schema
from pydantic import ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema

from api.problems import Problem

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)
LARGEST_ID = 2**63 - 1
PAGE, MOST = 50, 200

# No text of PostgreSQL's holds a NUL.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000)]
NOT_BLANK = r"^[^\x00]*[^\x00\s][^\x00]*$"
Name = Annotated[str, StringConstraints(pattern=NOT_BLANK, min_length=1, max_length=100)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


def _shown(at: time) -> str:
    return f"{at:%H:%M}"


# A time of day in no zone of its own, which JSON Schema's format `time` does not know.
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
Clock = Annotated[str, StringConstraints(pattern=CLOCK)]
ClockOut = Annotated[
    time,
    PlainSerializer(_shown, return_type=str),
    WithJsonSchema({"type": "string", "pattern": CLOCK}),
]


class Body(Schema):
    """A request's body: what it does not know is a mistake of the sender's."""

    model_config = ConfigDict(extra="forbid")


class Page(Schema, Generic[Item]):
    """A page of a list, and the cursor to the next one; null on the last."""

    items: list[Item]
    next: str | None = Field(
        None, description="Pass it as `after` to get the next page.", examples=["WzQyXQ"]
    )


class Paging(Schema):
    limit: int = Field(PAGE, ge=1, le=MOST, description="How many at most.")
    after: Text = Field("", description="`next` of the page before.", examples=[""])


class Reference(Schema):
    """Another thing of the workspace."""

    id: int = Field(examples=[7])
    name: str = Field(examples=["Newsletter readers"])


def page(
    found: QuerySet[Row],
    paging: Paging,
    *,
    by: str = "pk",
    descending: bool = False,
    kind: type = int,
) -> dict[str, Any]:
    """A page in the order of a unique column, from the cursor on: every page costs the same."""
    found = found.order_by(f"-{by}" if descending else by)
    if paging.after:
        mark = read_cursor(paging.after, kind)
        found = found.filter(**{f"{by}__{'lt' if descending else 'gt'}": mark})
    rows = list(found[: paging.limit + 1])
    is_last = len(rows) <= paging.limit
    rows = rows[: paging.limit]
    return {"items": rows, "next": None if is_last else cursor(getattr(rows[-1], by))}


def cursor(*marks: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(marks)).rstrip(b"=").decode()


def read_cursor(text: str, *kinds: type) -> Any:
    """The marks of a cursor, of these types; one alone for one. Raises `Problem`."""
    try:
        marks = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise Problem("invalid_cursor") from None
    fits = isinstance(marks, list) and len(marks) == len(kinds)
    if not fits or any(type(one) is not kind for one, kind in zip(marks, kinds, strict=True)):
        raise Problem("invalid_cursor")
    if any(_is_unfit(one) for one in marks):
        raise Problem("invalid_cursor")
    return marks[0] if len(marks) == 1 else marks


def _is_unfit(mark: Any) -> bool:
    return "\0" in mark if isinstance(mark, str) else abs(mark) > LARGEST_ID
