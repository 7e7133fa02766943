"""When exports run: with every refresh, at times of their own, or only when a member says so."""

import logging
from datetime import datetime

from exports.models import Destination, Run
from workspaces import timing

logger = logging.getLogger(__name__)


def next_run(destination: Destination, after: datetime | None = None) -> datetime | None:
    """When its own schedule next starts it; None without one, and while it rests."""
    return destination.next_own_time(after) if destination.connection_id else None


def start_due(now: datetime) -> None:
    """Starts every destination whose own time has come."""
    timing.start_due(Destination, now, next_run, _start)


def _start(destination: Destination) -> None:
    from exports.runs import RunRefused, start_run

    try:
        start_run(destination, trigger=Run.Trigger.SCHEDULE)
    except RunRefused as refusal:
        logger.info("scheduled run of destination %s refused: %s", destination.pk, refusal)
