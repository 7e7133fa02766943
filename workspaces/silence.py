"""Work that has lost its worker, told by the moment of its last step."""

from datetime import datetime, timedelta

from django.db.models import Q


def silent(field: str, now: datetime, patience: timedelta) -> Q:
    """Nothing was noted in the field for so long, or only by a clock that was ahead.

    A moment that has not come yet tells nothing: after a jump of the clock it would keep lost work
    from being taken up for as long as the clock was wrong.
    """
    return Q(**{f"{field}__lt": now - patience}) | Q(**{f"{field}__gt": now + patience})
