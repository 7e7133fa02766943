"""How fast something goes and how long it will take, as calm figures: they stand between looks.

Both are measured when something was last seen done, not at the moment of asking: a figure that is
asked for each second counts down, and never goes up because nothing has moved for a while.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

MEASURED_AFTER = timedelta(seconds=2)
# Up to so many seconds rounded to so many.
STEPS = ((60, 5), (600, 15), (3_600, 60), (float("inf"), 300))


@dataclass(frozen=True)
class Pace:
    """`done` of a `whole` (0 is unknown) since `began_at`, the last of it at `moved_at`."""

    done: int
    whole: int
    began_at: datetime | None
    moved_at: datetime | None

    @property
    def is_measured(self) -> bool:
        return self.done > 0 and self._took >= MEASURED_AFTER

    @property
    def rate(self) -> float | None:
        """A second, in two significant figures; None until there is enough to measure."""
        return two_figures(self.done / self._took.total_seconds()) if self.is_measured else None

    @property
    def time_left(self) -> timedelta | None:
        """None while it can't be told, or when what was foreseen has long passed."""
        if not self.is_measured or self.moved_at is None or self.done >= self.whole:
            return None
        foreseen = self._took * (self.whole - self.done) / self.done
        left = foreseen - (timezone.now() - self.moved_at)
        return rounded(left) if left > -foreseen - MEASURED_AFTER else None

    @property
    def _took(self) -> timedelta:
        if self.began_at is None or self.moved_at is None:
            return timedelta()
        return self.moved_at - self.began_at


def rounded(left: timedelta) -> timedelta:
    """Up to the next step, and to one at least."""
    seconds = left.total_seconds()
    step = next(step for most, step in STEPS if seconds < most)
    return timedelta(seconds=max(1, -(-seconds // step)) * step)


def two_figures(value: float) -> float:
    return float(f"{value:.2g}")
