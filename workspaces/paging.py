"""Pages of what only grows: by id, newest first, each as quick as the first."""

from typing import TypeVar

from django.db.models import Model, QuerySet

PAGE = 50

Row = TypeVar("Row", bound=Model)


def page_by_id(
    rows: QuerySet[Row], before: str | None, after: str | None
) -> tuple[list[Row], int | None, int | None]:
    """A page of rows, newest first, and the ids from which the newer and the older page start.

    `before` and `after` are such ids, as a URL has them.
    """
    if after and after.isdecimal():
        found = list(rows.filter(id__gt=int(after)).order_by("id")[: PAGE + 1])
        has_newer, page = len(found) > PAGE, found[:PAGE][::-1]
        has_older = bool(page)
    else:
        if before and before.isdecimal():
            rows = rows.filter(id__lt=int(before))
        found = list(rows[: PAGE + 1])
        has_older, page = len(found) > PAGE, found[:PAGE]
        has_newer = bool(before) and bool(page)
    newer = page[0].pk if has_newer and page else None
    older = page[-1].pk if has_older and page else None
    return page, newer, older
