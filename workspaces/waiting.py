"""What is told of work that waits for a worker."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from config import heartbeat
from workspaces.written import duration


def for_a_worker(waits: timedelta, *, is_queued: bool) -> str:
    """Empty for what is under way, unless nobody is there to do it."""
    is_long = waits > heartbeat.MISSED_AFTER
    nobody_works = is_long and heartbeat.is_missed()
    told = [_no_worker()] if nobody_works else []
    if is_queued:
        told.append(_("A worker takes it up as soon as one is free."))
        # All may be busy, or none may work at this queue: the sign of life comes by another.
        if is_long and not nobody_works:
            told.append(
                _(
                    "None has for more than a minute: if it stays so, ask whoever runs this"
                    " system to look at its workers."
                )
            )
    return " ".join(told)


def _no_worker() -> str:
    seen = heartbeat.last_beat()
    if seen is None:
        return _("Scheduler and workers have not been seen working together.")
    return _("Scheduler and workers last were seen working together %(when)s ago.") % {
        "when": duration(timezone.now() - seen)
    }
