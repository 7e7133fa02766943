"""The Celery application: `celery -A config.celery`."""

import os

from celery import Celery

from config import broker

broker.install()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Whoever migrates and serves checks the code already: a worker that loads every page to check it
# again starts a second and a half later.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("segue")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["config"], related_name="heartbeat")
