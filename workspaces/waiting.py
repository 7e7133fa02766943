"""What is told of work that waits for a worker."""

from datetime import timedelta

from django.utils.translation import gettext as _

from config import heartbeat


def for_a_worker(waits: timedelta, *, is_queued: bool) -> str:
    """Empty for what is under way, unless nobody is there to do it."""
    if waits > heartbeat.MISSED_AFTER and heartbeat.is_missed():
        return _(
            "No worker is at work, so nothing goes on at the moment. It does by itself once they"
            " are back: tell your operator."
        )
    return _("A worker takes it up as soon as one is free.") if is_queued else ""
