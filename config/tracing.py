"""OpenTelemetry traces: from the click, through the tasks it causes, to the provider's requests.

Only with `OTEL_EXPORTER_OTLP_ENDPOINT` set and the extra `tracing` installed; else this costs
nothing. Attributes are names, numbers and ids: no path with its query, no argument, no message of
an error, for any of them may hold an address.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.signals import before_task_publish, task_failure, task_postrun, task_prerun

# Its signals are connected first: a task is told what it belongs to before its span begins.
from config.correlation import known

logger = logging.getLogger(__name__)

HEADER = "trace_context"
# What log lines are bound to, and spans are told too.
TOLD = ("request_id", "workspace", "run", "batch")
_tracer: Any = None
_under_way: dict[str, tuple[Any, Any]] = {}


def install(exporter: Any = None) -> None:
    """Begins to trace if an endpoint is set; `exporter` takes the spans in a test instead."""
    global _tracer
    if exporter is None and not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    except ImportError:
        logger.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed:"
            " pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http"
        )
        return
    named = {"service.name": os.environ.get("OTEL_SERVICE_NAME", "segue")}
    provider = TracerProvider(resource=Resource.create(named))
    if exporter is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    _tracer = provider.get_tracer("segue")


def stop() -> None:
    global _tracer
    _tracer = None


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[Any]:
    """Around something that takes its time; yields the span, or None while nothing is traced."""
    if _tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    with _tracer.start_as_current_span(
        name,
        kind=SpanKind.SERVER,
        attributes=_told() | attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def happened(name: str, seconds: float, *, failed: bool, **attributes: Any) -> None:
    """Something asked of another system that has just ended, after so many seconds."""
    if _tracer is None:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    ended = time.time_ns()
    current = _tracer.start_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=_told() | attributes,
        start_time=ended - int(seconds * 1e9),
    )
    if failed:
        current.set_status(Status(StatusCode.ERROR))
    current.end(ended)


def _told() -> dict[str, Any]:
    here = known()
    return {f"segue.{name}": here[name] for name in TOLD if name in here}


@before_task_publish.connect
def _carry(headers: dict[str, Any], **_more: Any) -> None:
    if _tracer is not None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carried: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carried)
        headers[HEADER] = carried


@task_prerun.connect
def _begin(task_id: str, task: Any, **_more: Any) -> None:
    if _tracer is None:
        return
    from opentelemetry import context, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carried = task.request.get(HEADER) or {}
    current = _tracer.start_span(
        task.name,
        context=TraceContextTextMapPropagator().extract(carried),
        kind=trace.SpanKind.CONSUMER,
        attributes=_told() | {"messaging.message.id": task_id},
    )
    _under_way[task_id] = current, context.attach(trace.set_span_in_context(current))


@task_failure.connect
def _fail(task_id: str, exception: BaseException, **_more: Any) -> None:
    if task_id in _under_way:
        from opentelemetry.trace import Status, StatusCode

        _under_way[task_id][0].set_status(Status(StatusCode.ERROR, type(exception).__name__))


@task_postrun.connect
def _end(task_id: str, **_more: Any) -> None:
    current, token = _under_way.pop(task_id, (None, None))
    if current is not None:
        from opentelemetry import context

        context.detach(token)
        current.end()
