"""Turns at a list: one export at a time takes people off it, and none sends to it meanwhile.

Whom another export holds stays on the list, and whom it is just sending is not held yet.
"""

from datetime import timedelta

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from exports.engine.send import TryLater
from exports.models import Batch, Destination, Run
from exports.whys import why
from workspaces import locks

SOON = timedelta(seconds=2)

_TAKING_OFF = Q(removal__has_key="begun") & ~Q(removal__has_key="done")
_SENDING = Q(state=Run.State.SENDING) | Q(
    state=Run.State.CONFIRMING, batches__state__in=[Batch.State.PLANNED, Batch.State.SENT]
)


def take_to_send(destination: Destination) -> None:
    """Keeps others from taking people off the list until the caller's transaction ends.

    Raises `TryLater` while another export does.
    """
    free = _lock(destination, "pg_try_advisory_xact_lock_shared")
    if not free or _others(destination).filter(_TAKING_OFF).exists():
        raise TryLater(why("others_take_off"), timezone.now() + SOON)


def take_to_remove(destination: Destination) -> None:
    """Keeps others from planning to send to the list until the caller's transaction ends.

    Raises `TryLater` while another export sends, or plans to, or takes people off itself: whoever
    it takes off would look here as if somebody had done it by hand.
    """
    free = _lock(destination, "pg_try_advisory_xact_lock")
    if not free or _others(destination).filter(_SENDING).exists():
        raise TryLater(why("others_send"), timezone.now() + SOON)
    if _others(destination).filter(_TAKING_OFF).exists():
        raise TryLater(why("others_take_off"), timezone.now() + SOON)


def _others(destination: Destination) -> QuerySet[Run]:
    return Run.objects.filter(
        state__in=Run.ACTIVE, dry_run=False, destination__delivered_to=destination.delivered_to
    ).exclude(destination=destination)


def _lock(destination: Destination, function: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {function}(%s, hashtext(%s))", [locks.LIST, destination.delivered_to]
        )
        return bool(cursor.fetchone()[0])
