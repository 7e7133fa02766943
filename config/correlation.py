"""What a log line was written for: its request, workspace, task, run.

A request's name goes with the tasks that it causes, and with theirs.
"""

from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from structlog.contextvars import (
    bind_contextvars,
    bound_contextvars,
    clear_contextvars,
    get_contextvars,
)

HEADER = "log_context"
CARRIED = ("request_id", "workspace")

bind = bind_contextvars
bound = bound_contextvars
clear = clear_contextvars
known = get_contextvars


@before_task_publish.connect
def _carry(headers: dict[str, Any], **_more: Any) -> None:
    here = known()
    headers[HEADER] = {name: here[name] for name in CARRIED if name in here}


@task_prerun.connect
def _take_up(task_id: str, task: Any, **_more: Any) -> None:
    clear_contextvars()
    carried = task.request.get(HEADER) or {}
    bind_contextvars(**carried, task=task.name, task_id=task_id)


@task_postrun.connect
def _let_go(**_more: Any) -> None:
    clear_contextvars()
