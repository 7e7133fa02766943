"""The provider's limits hold over all processes together, by the clock of Redis."""

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from connections import limiter as limiter_module
from connections.constant_contact import errors
from connections.constant_contact.errors import BudgetSpent, Throttled, Unavailable
from connections.limiter import SharedLimiter, Turns
from tests.conftest import ROOT, process_environment
from tests.connections.factories import client_of


def next_midnight() -> datetime:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)


def seconds_for(limiter: SharedLimiter, requests: int) -> float:
    began = time.monotonic()
    for _ in range(requests):
        limiter.acquire()
    return time.monotonic() - began


def test_no_second_sees_more_requests_than_allowed_from_several_processes(sandbox: Any) -> None:
    rate, workers, requests_each = 6, 4, 9
    sandbox.control("forget_statistics")
    command = [sys.executable, "-m", "tests.connections.limited_worker", sandbox.api_url]
    command += [sandbox.tokens()["access_token"], str(rate), str(requests_each), str(workers)]
    environment = process_environment(DJANGO_SETTINGS_MODULE="config.settings")
    subprocess.run(command, cwd=ROOT, env=environment, timeout=120, check=True)
    counted = sandbox.control("statistics")
    assert counted["today"] == workers * requests_each
    assert counted["most_in_a_second"] <= rate
    assert not [key for key in counted["requests"] if key.endswith(" 429")]


def test_a_burst_goes_at_once_and_then_as_many_each_second() -> None:
    limiter = SharedLimiter("key", 5, 1_000)
    assert seconds_for(limiter, 5) < 0.8
    assert 1.0 <= seconds_for(limiter, 1) + seconds_for(limiter, 5) < 3.5


def test_a_pause_does_not_make_the_window_shorter() -> None:
    """The margin for requests that overtake each other is there after a silence too."""
    limiter = SharedLimiter("key", 4, 1_000)
    began = time.monotonic()
    limiter.acquire()
    seconds_for(limiter, 3)
    time.sleep(max(0.0, began + 1.05 - time.monotonic()))
    limiter.acquire()
    assert time.monotonic() - began >= limiter_module.WINDOW_SECONDS - 0.01


def test_a_wait_is_not_longer_than_it_must_be() -> None:
    limiter = SharedLimiter("key", 2, 1_000)
    began = time.monotonic()
    limiter.acquire()
    time.sleep(0.7)
    limiter.acquire()
    limiter.acquire()
    assert time.monotonic() - began < 1.6


def test_each_key_has_limits_of_its_own() -> None:
    assert seconds_for(SharedLimiter("one", 3, 3), 3) < 0.8
    other = SharedLimiter("other", 3, 3)
    assert seconds_for(other, 3) < 0.8
    assert other.budget().used == 3


def test_the_clock_of_the_machine_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = SharedLimiter("key", 4, 1_000)
    assert seconds_for(limiter, 4) < 0.8
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 300)
    ahead = SharedLimiter("key", 4, 1_000)
    began = time.monotonic()
    ahead.acquire()
    assert time.monotonic() - began > 0.3
    monkeypatch.setattr(time, "time", lambda: now - 300)
    assert seconds_for(limiter, 4) < 2.5


def test_a_wait_that_is_too_long_ends_with_a_time_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limiter_module, "LONGEST_WAIT_SECONDS", 0)
    turns = Turns("busy", 1)
    turns.take()
    with pytest.raises(Throttled) as throttled:
        turns.take()
    assert throttled.value.retry_after is not None


def test_the_day_ends_at_midnight_utc_and_shows_what_is_left() -> None:
    limiter = SharedLimiter("key", 1_000, 3)
    for used in (1, 2, 3):
        limiter.acquire()
        budget = limiter.budget()
        assert (budget.used, budget.limit, budget.left) == (used, 3, 3 - used)
        assert budget.resets_at == next_midnight()
    for _ in range(2):
        with pytest.raises(BudgetSpent) as spent:
            limiter.acquire()
        assert spent.value.until == next_midnight()
    assert limiter.budget().left == 0


def test_a_new_day_has_a_budget_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = SharedLimiter("key", 1_000, 1)
    limiter.acquire()
    with pytest.raises(BudgetSpent):
        limiter.acquire()
    tomorrow = limiter.storage.now() + 86_400
    monkeypatch.setattr(limiter.storage, "now", lambda: tomorrow)
    limiter.acquire()
    assert limiter.budget().used == 1


def test_a_provider_that_says_stop_is_believed_until_its_midnight(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = SharedLimiter("key", 1_000, 1_000)
    noon = _at(limiter, hour=12)
    monkeypatch.setattr(limiter.storage, "now", lambda: noon.timestamp())
    sandbox.control("fault", kind="quota_exceeded", count=1)
    client = client_of(sandbox, limiter=limiter)
    with pytest.raises(errors.BudgetSpent):
        client.account_summary()
    assert limiter.budget().left == 0
    with pytest.raises(errors.BudgetSpent) as spent:
        client.account_summary()
    assert spent.value.until == noon.replace(hour=0) + timedelta(days=1)
    assert client.requests == 1


def test_a_stop_just_after_midnight_does_not_cost_the_new_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The provider's clock may be some minutes behind: its word is of the day that ended."""
    limiter = SharedLimiter("key", 1_000, 1_000)
    midnight = _at(limiter, hour=0)
    monkeypatch.setattr(limiter.storage, "now", lambda: midnight.timestamp() + 60)
    limiter.spent()
    with pytest.raises(BudgetSpent) as spent:
        limiter.acquire()
    assert spent.value.until == midnight + timedelta(minutes=10)


def _at(limiter: SharedLimiter, hour: int) -> datetime:
    """That hour of tomorrow: a mark that is to end later must not have ended already."""
    day = datetime.fromtimestamp(limiter.storage.now(), UTC) + timedelta(days=1)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def test_without_redis_no_request_is_made(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    limiter = SharedLimiter("key", 4, 10)
    for ask in (limiter.acquire, limiter.spent, limiter.budget):
        with pytest.raises(Unavailable):
            ask()


def test_nothing_of_the_count_outlives_the_day() -> None:
    limiter = SharedLimiter("key", 4, 10)
    limiter.acquire()
    limiter.spent()
    server = redis.Redis.from_url(django_settings.REDIS_URL)
    lives = {key: server.ttl(key) for key in server.keys("*segue*")}
    assert len(lives) == 3
    assert all(0 < life <= 25 * 3600 for life in lives.values())
