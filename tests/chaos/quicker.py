"""Gives the engine the chaos's own measures, so that production has no setting for them."""

from django.apps import AppConfig
from django.conf import settings


class Quicker(AppConfig):
    """Batches of a few hundred, and a short patience with runs and activities."""

    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        from exports import tasks
        from exports.engine import batches, confirm

        tasks.SILENCE = settings.SILENCE
        confirm.LONGEST_POLL_SECONDS = settings.LONGEST_POLL_SECONDS
        batches.MAX_BYTES = settings.MAX_BYTES
