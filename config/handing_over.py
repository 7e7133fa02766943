"""Hands what is on record to the workers."""

from collections.abc import Callable

from django.db import transaction


def after_commit(send: Callable[[], object]) -> None:
    """Sends a task once what it is about is on record.

    Without the broker that fails and is logged, and no more: the sweepers take up whatever is
    begun and not ended, so that nobody is told that it went wrong.
    """
    transaction.on_commit(send, robust=True)
