"""Work that its worker left without a word, as a worker does that dies of it.

It is counted before the work and uncounted after it: what stays is how often in a row that happened
while the run got no further. A worker that ends its work before it stops leaves nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import F
from django.db.models.functions import Greatest

from config.full_disk import is_full
from exports.models import Batch, Run
from exports.whys import Explained, Why, why

# A machine that loses its power, and a restart that does not wait, are no reason to end a run.
MOST = 8


@contextmanager
def counted(row: Run | Batch) -> Iterator[None]:
    """Around work at the run or the batch, in the hands of whoever holds its lock."""
    this = type(row).objects.filter(pk=row.pk)
    this.update(broken_off=F("broken_off") + 1)
    try:
        yield
    except Exception as problem:
        if isinstance(problem, Explained) or is_full(problem):
            this.update(broken_off=Greatest(F("broken_off") - 1, 0))
        raise
    this.update(broken_off=Greatest(F("broken_off") - 1, 0))


def too_often(row: Run | Batch) -> Why | None:
    """Why it is not taken up again; None when it is."""
    return why("broke_off", times=row.broken_off) if row.broken_off >= MOST else None
