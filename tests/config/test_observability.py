"""What operators see: numbers for Prometheus, log lines that belong together, rules that fit."""

import json
import logging
import re
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
import yaml
from celery.signals import task_postrun, task_prerun
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from structlog.contextvars import get_contextvars

from config import heartbeat, logs, metrics, queues
from exports import measures
from exports.models import Run
from tests.exports.engine_world import World
from tests.workspaces.factories import signed_in
from workspaces import operations

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"
TOKEN = "a-token-for-prometheus"

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(settings: Any) -> Any:
    """Asks `/metrics` as Prometheus does; gives each sample's value by its name and labels."""
    settings.METRICS_TOKEN = TOKEN

    def ask() -> dict[tuple[str, str], float]:
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        return {
            (one.name, ",".join(one.labels.values())): one.value
            for family in families
            for one in family.samples
        }

    return ask


def test_only_who_brings_the_token_is_told(settings: Any) -> None:
    settings.METRICS_TOKEN, settings.IS_LOCAL = "", False
    assert Client().get("/metrics").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    assert Client().get("/metrics").status_code == 404
    wrong = {"Authorization": "Bearer a-token-for-prometheué"}
    assert Client().get("/metrics", headers=wrong).status_code == 404


def test_pages_are_counted_and_timed_by_view(told: Any, workspace: Any) -> None:
    browser = signed_in(workspace)
    for _ in range(3):
        browser.get(f"/w/{workspace.slug}/data/segments/")
    browser.get("/nowhere/somebody@example.com")
    found = told()
    assert found["segue_http_requests_total", "GET,200,segments:segment_list"] == 3
    assert found["segue_http_requests_total", "GET,404,none"] == 1
    assert found["segue_http_request_seconds_count", "segments:segment_list"] == 3
    assert found["segue_http_request_seconds_bucket", "+Inf,segments:segment_list"] == 3
    assert not any("somebody" in labels for _name, labels in found)


def test_a_run_is_counted_with_its_stages_and_what_it_asked(
    told: Any, workspace: Any, sandbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    world = World(workspace, sandbox)
    world.add_people(3)
    with django_capture_on_commit_callbacks(execute=True):
        world.run()
        world.run(dry_run=True)
    found = told()
    assert found["segue_runs_ended_total", "succeeded"] == 1
    assert found["segue_run_profiles_total", "added"] == 3
    assert found["segue_run_stage_seconds_count", "plan"] == 1
    assert found["segue_provider_requests_total", "POST,/activities/contacts_json_import,201"] == 1
    polled = found["segue_provider_requests_total", "GET,/activities/:id,200"]
    assert polled == found["segue_provider_request_seconds_count", "GET,/activities/:id"] >= 1
    assert found["segue_provider_budget_left", ""] > 0
    assert found["segue_runs_active", "sending"] == 0


def test_a_run_that_nobody_takes_on_is_stuck(told: Any, workspace: Any, sandbox: Any) -> None:
    run = World(workspace, sandbox).run()
    long_ago = "2020-01-01T00:00Z"
    Run.objects.filter(pk=run.pk).update(state="sending", heartbeat_at=long_ago)
    [found] = operations.look().stuck
    assert (found.workspace, found.number) == (workspace.slug, run.pk)
    assert told()["segue_runs_stuck", ""] == 1
    Run.objects.filter(pk=run.pk).update(state="awaiting_approval")
    assert told()["segue_runs_stuck", ""] == 0


def test_the_oldest_task_of_a_queue_tells_how_long_it_waits(told: Any, settings: Any) -> None:
    heartbeat.beat.delay()
    heartbeat.beat.delay()
    server = redis.Redis.from_url(settings.REDIS_URL)
    message = orjson.loads(server.lpop("default"))  # type: ignore[arg-type]
    message["headers"][queues.SENT_AT] = time.time() - 90
    server.rpush("default", orjson.dumps(message))
    found = told()
    assert found["segue_queue_tasks", "default"] == 2
    assert 90 <= found["segue_queue_oldest_seconds", "default"] < 120
    assert found["segue_queue_oldest_seconds", "runs"] == 0


def test_without_redis_nothing_is_counted_and_nobody_waits(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    monkeypatch.setattr(metrics, "_paused_until", 0.0)
    began = time.monotonic()
    for _ in range(100):
        measures.REMOVED.add(5)
    assert time.monotonic() - began < 2


def test_a_line_tells_its_request_and_no_address(
    workspace: Any, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    browser = signed_in(workspace)
    with caplog.at_level(logging.INFO, logger="config.observed"):
        answer = browser.get(
            f"/w/{workspace.slug}/data/profiles/?q=ann@example.com",
            headers={"X-Request-ID": "a-name-from-the-proxy"},
        )
        heartbeat.beat.delay()
    assert answer["X-Request-ID"] == "a-name-from-the-proxy"
    (record,) = [one for one in caplog.records if one.name == "config.observed"]
    line = json.loads(as_json(record))
    assert line["request_id"] == "a-name-from-the-proxy"
    assert line["workspace"] == workspace.pk
    assert line["view"] == "segments:profile_list"
    assert line["status"] == 200
    assert "ann" not in as_json(record)
    # The task that it caused takes the name along.
    message: Any = redis.Redis.from_url(settings.REDIS_URL).lindex("default", 0)
    carried = orjson.loads(message)["headers"]["log_context"]
    assert carried == {"request_id": "a-name-from-the-proxy", "workspace": workspace.pk}


def test_a_task_takes_up_the_name_and_lets_it_go() -> None:
    carried = {"request_id": "a-name-from-the-proxy", "workspace": 7}
    heartbeat.beat.push_request(log_context=carried)
    try:
        task_prerun.send(sender=heartbeat.beat, task_id="one", task=heartbeat.beat)
        assert get_contextvars() == carried | {"task": heartbeat.beat.name, "task_id": "one"}
        task_postrun.send(sender=heartbeat.beat, task_id="one", task=heartbeat.beat)
        assert get_contextvars() == {}
    finally:
        heartbeat.beat.pop_request()


@pytest.mark.parametrize("name", ["short", "x" * 65, "two\nlines-of-it", "<script>alert</script>"])
def test_a_name_that_is_none_is_replaced(name: str) -> None:
    answer = Client().get("/healthz", headers={"X-Request-ID": name})
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-ID"])


def test_readiness_tells_of_workers_that_are_missing_and_takes_no_page_away() -> None:
    def told() -> dict[str, str]:
        answer = Client().get("/readyz")
        assert answer.status_code == 200
        assert (answer.json()["ready"], answer.json()["problems"]) == (True, {})
        return dict(answer.json()["warnings"])

    cache.delete(heartbeat.KEY)
    assert "never seen" in told()["workers"]
    cache.set(heartbeat.KEY, timezone.now() - timedelta(minutes=2), timeout=None)
    assert told()["workers"].startswith("not seen for 120 seconds")
    heartbeat.beat()
    assert told() == {}


def as_json(record: logging.LogRecord) -> str:
    built = logs.configuration("INFO", "json")["formatters"]["json"]
    formatter = built.pop("()")(**built)
    return str(formatter.format(record))


def test_rules_and_dashboard_ask_for_numbers_that_there_are() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"][0]["rules"]
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    asked = [rule["expr"] for rule in rules]
    asked += [target["expr"] for panel in panels for target in panel["targets"]]
    wanted = {name for expression in asked for name in re.findall(r"segue_\w+", expression)}
    endings = ("", "_bucket", "_sum", "_count")
    assert wanted <= {f"{name}{ending}" for name in metrics.names() for ending in endings}
    operations = (ROOT / "docs" / "operations.md").read_text()
    for rule in rules:
        assert f"`{rule['alert']}`" in operations, "what to do about it is nowhere told"
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "rules", MONITORING / "alerts.yml"], check=True)
