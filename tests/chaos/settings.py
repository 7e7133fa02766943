"""The settings of a system that is killed all the time: it looks for its dead more often."""

from datetime import timedelta

from config import silence
from config.settings import *  # noqa: F403
from config.settings import CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES
from config.settings import INSTALLED_APPS as USUAL_APPS

INSTALLED_APPS = [*USUAL_APPS, "tests.chaos.quicker.Quicker"]

# Seconds instead of 45: `tests.chaos.quicker` puts them in the places of the engine's own.
SILENCE = timedelta(seconds=2.5)
# Instead of 60: a storm makes the polls many, and nobody is to wait a minute for its effects.
LONGEST_POLL_SECONDS = 4
# Bytes instead of 3,900,000, so that 20,000 profiles make some twenty batches.
MAX_BYTES = 90_000

# No worker here takes what the others of the usual schedule would queue.
CELERY_BEAT_SCHEDULE = {
    "resume runs that lost their worker": {
        "task": "exports.tasks.sweep",
        "schedule": timedelta(seconds=1),
        "options": {"expires": 5},
    }
}

# Seconds instead of 25 until whoever is cut off is given up.
DATABASES["default"]["OPTIONS"] |= silence.database_options(5)
CELERY_BROKER_TRANSPORT_OPTIONS |= silence.broker_options(5)
