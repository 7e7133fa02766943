"""Traces: one from the click, through the task that it caused, to the provider's request."""

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import redis
from celery.signals import task_failure, task_postrun, task_prerun
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from config import tracing
from connections.measures import request_made
from segments.models import Segment
from segments.tasks import refresh_segment_task
from tests.workspaces.factories import signed_in


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.install(exporter)
    yield exporter
    tracing.stop()


@pytest.mark.django_db(transaction=True)
def test_a_click_its_task_and_the_request_to_the_provider_are_one_trace_without_anybodys_data(
    workspace: Any, settings: Any, spans: InMemorySpanExporter
) -> None:
    segment = Segment.objects.create(workspace=workspace, name="Ann's friends")
    client = signed_in(workspace)
    url = f"/w/{workspace.slug}/data/segments/{segment.pk}/refresh/?q=ann@example.com"
    assert client.post(url).status_code == 302

    message: Any = redis.Redis.from_url(settings.REDIS_URL).lindex("data", 0)
    headers = orjson.loads(message)["headers"]
    task = refresh_segment_task
    task.push_request(**{tracing.HEADER: headers[tracing.HEADER], "log_context": {"workspace": 7}})
    try:
        task_prerun.send(sender=task, task_id="one", task=task)
        path = "/contact_lists/11111111-2222-3333-4444-555555555555"
        request_made("GET", path, 200, 0.25)
        request_made("POST", "/activities/contacts_json_import", 0, 1.0)
        task_failure.send(sender=task, task_id="one", exception=ValueError("ann@example.com"))
        task_postrun.send(sender=task, task_id="one", task=task)
    finally:
        task.pop_request()

    found = {span.name: span for span in spans.get_finished_spans()}
    click = found["POST segments:segment_refresh"]
    work = found["segments.tasks.refresh_segment_task"]
    asked, lost = found["GET /contact_lists/:id"], found["POST /activities/contacts_json_import"]
    assert len({span.context.trace_id for span in (click, work, asked, lost)}) == 1
    assert work.parent.span_id == click.context.span_id
    assert asked.parent.span_id == lost.parent.span_id == work.context.span_id
    assert asked.end_time - asked.start_time == 250_000_000
    assert click.attributes["http.route"] == "w/<slug:slug>/data/segments/<int:pk>/refresh/"
    assert click.attributes["http.response.status_code"] == 302
    assert work.attributes["segue.workspace"] == 7
    assert (asked.status.status_code, lost.status.status_code) == (
        StatusCode.UNSET,
        StatusCode.ERROR,
    )
    assert (work.status.status_code, work.status.description) == (StatusCode.ERROR, "ValueError")
    told = json.dumps([span.to_json() for span in spans.get_finished_spans()])
    for secret in ("ann", "Ann", "example.com", path):
        assert secret not in told


def test_without_an_endpoint_nothing_is_traced_and_tasks_carry_nothing(monkeypatch: Any) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    tracing.install()
    headers: dict[str, Any] = {}
    tracing._carry(headers=headers)
    with tracing.span("a page") as span:
        request_made("GET", "/account/summary", 200, 0.1)
    assert (span, headers) == (None, {})


def test_a_page_that_breaks_names_the_kind_of_fault_only(spans: InMemorySpanExporter) -> None:
    with pytest.raises(LookupError), tracing.span("a page"):
        raise LookupError("ann@example.com")
    [span] = spans.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "LookupError")
    assert not span.events
