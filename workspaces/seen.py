"""Since when a page shows something, as its form says."""

from datetime import datetime

from django.utils.dateparse import parse_datetime


def since(text: str) -> datetime | None:
    """None for what is no moment, as for what is empty."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None
