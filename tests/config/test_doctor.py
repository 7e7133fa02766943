"""`manage.py doctor`: each part that has a fault is named, with what to do."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from config import heartbeat
from tests.conftest import celery_worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def diagnosed() -> dict[str, Any]:
    said = StringIO()
    try:
        call_command("doctor", "--json", stdout=said)
    except CommandError:
        assert not json.loads(said.getvalue())["ok"]
    found: dict[str, Any] = json.loads(said.getvalue())
    return found["parts"]


def test_a_system_in_order_passes(sandbox: Any, settings: Any) -> None:
    settings.EMAIL_FILE_PATH = "/mail"
    settings.IS_LOCAL = True
    with celery_worker():
        heartbeat.beat.delay()
        wait_until(heartbeat.last_beat, what="a beat")
        said = StringIO()
        try:
            call_command("doctor", stdout=said)
        except CommandError:
            pytest.fail(said.getvalue())


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("Redis", {"REDIS_URL": "redis://127.0.0.1:9/0"}),
        ("secrets", {"TOKEN_ENCRYPTION_KEYS": ["no key"]}),
        ("address", {"BASE_URL": "https://elsewhere.example.com"}),
        ("address", {"BASE_URL": "http://testserver", "IS_LOCAL": False}),
        ("disk", {"UPLOAD_DIR": Path("/proc/nowhere")}),
        ("API key", {"CONSTANT_CONTACT_CLIENT_ID": ""}),
        ("Constant Contact", {"CONSTANT_CONTACT_API_URL": "http://127.0.0.1:9/v3"}),
        ("workers", {}),
        ("scheduler", {}),
    ],
)
def test_a_fault_is_named_with_what_to_do(
    sandbox: Any, settings: Any, part: str, changes: dict[str, Any]
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for name, value in changes.items():
        setattr(settings, name, value)
    found = diagnosed()[part]
    assert not found["ok"]
    assert found["advice"]


def test_a_scheduler_that_ended_is_noticed(sandbox: Any) -> None:
    cache.set(heartbeat.KEY, timezone.now() - 2 * heartbeat.MISSED_AFTER, timeout=None)
    assert "last seen" in diagnosed()["scheduler"]["state"]
    cache.set(heartbeat.KEY, timezone.now(), timeout=None)
    assert diagnosed()["scheduler"]["ok"]


def test_in_words_it_ends_with_a_fault_status(sandbox: Any, settings: Any) -> None:
    settings.TOKEN_ENCRYPTION_KEYS = ["no key"]
    said = StringIO()
    with pytest.raises(CommandError, match="have a fault"):
        call_command("doctor", stdout=said)
    assert "fault secrets" in said.getvalue()
    assert "no key" not in said.getvalue()
