"""What operators see of imports: how they end, how long they take, how many rows they read."""

from config.metrics import LONG, Counter, Histogram, register
from segments.models import Import

ENDED = register(Counter("segue_imports_ended_total", "Imports that ended, by how.", ("state",)))
ROWS = register(Counter("segue_import_rows_total", "Rows that ended imports have read."))
DURATION = register(
    Histogram("segue_import_seconds", "How long imports took that succeeded.", (), LONG)
)


def import_ended(load: Import) -> None:
    ENDED.add(state=load.state)
    if load.state == Import.State.SUCCEEDED:
        ROWS.add(load.read)
        if load.started_at and load.finished_at:
            DURATION.observe((load.finished_at - load.started_at).total_seconds())
