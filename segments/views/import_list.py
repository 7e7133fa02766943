"""The imports of a source, as the list on its page."""

from typing import Any

from django.db.models import F
from django.db.models.expressions import Combinable
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from segments.models import Source
from segments.progress import going_on
from workspaces import keyset
from workspaces.columns import Columns
from workspaces.filters import by_choices

SHOWN = 20
ORDERS: dict[str, tuple[Combinable, ...]] = {
    "when": (F("created_at"),),
    "file": (F("file_name"), F("created_at")),
    "state": (F("state"), F("created_at")),
    "took": (keyset.TOOK,),
    **{
        count: (F(count), F("created_at"))
        for count in ("read", "added", "changed", "unchanged", "removed", "refused")
    },
}
COLUMNS = {
    "state": gettext_lazy("State"),
    "read": gettext_lazy("Read"),
    "added": gettext_lazy("Added"),
    "changed": gettext_lazy("Changed"),
    "unchanged": gettext_lazy("Unchanged"),
    "removed": gettext_lazy("Removed"),
    "refused": gettext_lazy("Refused"),
    "when": gettext_lazy("When"),
    "took": gettext_lazy("Took"),
    "by": gettext_lazy("By"),
}
USUAL_COLUMNS = ("state", "read", "added", "changed", "refused", "when", "by")
# Where a file takes the place of the one before.
USUAL_OF_REPLACED = ("state", "read", "added", "changed", "removed", "refused", "when")
LOAD_COLUMNS = COLUMNS | {"by": gettext_lazy("Started by")}
del LOAD_COLUMNS["when"]
USUAL_LOAD_COLUMNS = ("state", "read", "added", "changed", "removed", "refused", "took", "by")


def of(source: Source, asked: QueryDict, *, is_query: bool) -> dict[str, Any]:
    """The page of a source's imports that a URL asks for, by `state` and `trigger`, too."""
    every = source.imports.select_related("started_by")
    found, filters = by_choices(every, asked, "state", "trigger")
    page = keyset.page_of(found, ORDERS, keyset.newest_first(asked, "when"), size=SHOWN)
    progress = going_on(page.rows)
    return {
        "imports": [(load, progress.get(load.pk)) for load in page.rows],
        "any_active": bool(progress),
        **filters,
        "columns": Columns(asked, LOAD_COLUMNS, usual=USUAL_LOAD_COLUMNS)
        if is_query
        else Columns(
            asked,
            COLUMNS,
            usual=USUAL_OF_REPLACED if source.mode == Source.Mode.REPLACE else USUAL_COLUMNS,
        ),
        **keyset.context_of(page, asked, part="imports"),
    }
