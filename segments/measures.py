"""What operators see of imports: how they end, how long they take, how many rows they read."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.metrics import LONG, Counter, Histogram, register
from segments.models import Import
from workspaces import operations

ENDED = register(Counter("segue_imports_ended_total", "Imports that ended, by how.", ("state",)))
ROWS = register(Counter("segue_import_rows_total", "Rows that ended imports have read."))
DURATION = register(
    Histogram("segue_import_seconds", "How long imports took that succeeded.", (), LONG)
)


def stuck(longest: datetime) -> Iterator[operations.Stuck]:
    """Each import that nobody has taken on since, whatever its workspace."""
    begun = (Import.State.QUEUED, Import.State.RUNNING)
    imports = Import.objects.filter(state__in=begun, heartbeat_at__lt=longest)
    for load in imports.select_related("workspace").order_by("pk"):
        yield operations.Stuck(
            _("Import"),
            load.workspace.slug,
            load.pk,
            load.heartbeat_at,
            _(
                "It is handed to the workers of “data” again every minute, three times at most. If"
                " it stays here, none of them lives; if they end on it, they want more memory."
            ),
        )


def import_ended(load: Import) -> None:
    ENDED.add(state=load.state)
    if load.state == Import.State.SUCCEEDED:
        ROWS.add(load.read)
        if load.started_at and load.finished_at:
            DURATION.observe((load.finished_at - load.started_at).total_seconds())
