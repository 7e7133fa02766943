"""Celery's scheduler, which goes on at once when the clock is set back.

It remembers moments at which it sent tasks; with a clock set back by hours it would wait until
these have come again.
"""

from typing import Any

from celery.beat import PersistentScheduler


class Scheduler(PersistentScheduler):
    def tick(self, *args: Any, **kwargs: Any) -> float:
        now = self.app.now()
        ahead = [one for one in self.schedule.values() if (one.last_run_at or now) > now]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            # Celery makes it anew: it orders the entries by moments of the clock as it was.
            self._heap = None
        seconds: float = super().tick(*args, **kwargs)
        return seconds
