"""Activities: what the provider does in its own time. They tell counts, never rows."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, id_in_path
from sandbox.answers import instant, json_answer
from sandbox.errors import invalid, not_found, queue_full
from sandbox.faults import ACTIVITY_KINDS
from sandbox.limits import MAX_QUEUED_ACTIVITIES
from sandbox.paging import limit_in, page, query_of
from sandbox.state import OPEN_STATES, Account, Activity, State

REMEMBERED_SECONDS = 10 * 86_400
STATES = {"processing", "completed", "cancelled", "failed", "timed_out"}
ROWS_A_STEP = 4_000

Work = Callable[[Activity], Iterator[None]]


def new_activity(
    request: Request,
    account: Account,
    kind: str,
    status: dict[str, int],
    work: Work,
    file_id: str = "",
) -> Activity:
    """Queues work; it starts after the activity latency and gives way to others as it goes.

    An account's activities are worked off one after the other, in the order they came.
    """
    app = request.app.state
    if account.open_activities >= MAX_QUEUED_ACTIVITIES:
        raise queue_full()
    _forget_old(account, app.sandbox)
    activity = Activity(str(uuid.uuid4()), kind, app.sandbox.now(), status=status, file_id=file_id)
    account.activities[activity.activity_id] = activity
    account.open_activities += 1
    fault = app.faults.strike(request.url.path, activities=True)
    ends_as = ACTIVITY_KINDS[fault.kind] if fault else "completed"
    app.queue.add(Queued(account, activity, work(activity), ends_as))
    app.sandbox.touch()
    return activity


def _forget_old(account: Account, state: State) -> None:
    oldest = state.now() - REMEMBERED_SECONDS
    for activity in list(account.activities.values()):
        if activity.created >= oldest:
            break
        del account.activities[activity.activity_id]


@dataclass
class Queued:
    account: Account
    activity: Activity
    steps: Iterator[None]
    ends_as: str


class Queue:
    """The work that waits or goes on."""

    def __init__(self, configuration: Any, state: State) -> None:
        self.configuration = configuration
        self.state = state
        self.tasks: dict[asyncio.Task[None], Queued] = {}
        self.turns: dict[str, asyncio.Lock] = {}

    def add(self, queued: Queued) -> None:
        task = asyncio.create_task(self._carry_out(queued))
        self.tasks[task] = queued
        task.add_done_callback(lambda done: self.tasks.pop(done, None))

    def forget(self) -> None:
        """What waits is never done."""
        for task in self.tasks:
            task.cancel()
        self.tasks = {}
        self.turns = {}

    def finish(self) -> None:
        """Does at once what waits, so that a sandbox which ends has kept what it took."""
        waiting = list(self.tasks.items())
        self.tasks = {}
        for task, queued in waiting:
            task.cancel()
            if queued.ends_as == "completed":
                for _ in queued.steps:
                    pass
            if queued.ends_as not in OPEN_STATES:
                self._end(queued)

    async def _carry_out(self, queued: Queued) -> None:
        if self.configuration.activity_latency:
            await asyncio.sleep(self.configuration.activity_latency)
        activity = queued.activity
        if queued.ends_as in OPEN_STATES:
            activity.state, activity.started = "processing", self.state.now()
            return
        async with self.turns.setdefault(queued.account.account_id, asyncio.Lock()):
            activity.state, activity.started = "processing", self.state.now()
            if queued.ends_as == "completed":
                for _ in queued.steps:
                    await asyncio.sleep(0)
            self._end(queued)

    def _end(self, queued: Queued) -> None:
        activity, now = queued.activity, self.state.now()
        if queued.ends_as == "failed":
            activity.errors = ["The file could not be processed."]
        activity.state, activity.percent = queued.ends_as, 100
        activity.started, activity.completed = activity.started or now, now
        queued.account.open_activities -= 1
        self.state.touch()


def shown_activity(activity: Activity) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "activity_id": activity.activity_id,
        "state": activity.state,
        "created_at": instant(activity.created),
        "updated_at": instant(activity.completed or activity.started or activity.created),
        "percent_done": activity.percent,
        "activity_errors": activity.errors,
        "status": activity.status,
        "_links": {"self": {"href": f"/v3/activities/{activity.activity_id}"}},
    }
    if activity.started:
        shown["started_at"] = instant(activity.started)
    if activity.completed:
        shown["completed_at"] = instant(activity.completed)
    if activity.kind == "contacts_json_import":
        shown["source_file_name"] = "upload_from_json.csv"
    if activity.file is not None:
        shown["_links"]["results"] = {"href": f"/v3/contact_exports/{activity.file_id}"}
    return shown


async def activities(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    query = query_of(request)
    limit = limit_in(query, 500)
    wanted = query.get("state", "")
    if wanted and wanted not in STATES:
        raise invalid("state does not have a valid value")
    oldest = oldest_remembered(request)
    found = [
        activity
        for activity in reversed(account.activities.values())
        if activity.created >= oldest and wanted in ("", activity.state)
    ]
    shown, following = page("/activities", query, found, limit)
    return json_answer({"activities": [shown_activity(one) for one in shown], **following})


async def one_activity(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    activity = account.activities.get(id_in_path(request, "activity_id"))
    if activity is None or activity.created < oldest_remembered(request):
        raise not_found("The activity does not exist.")
    return json_answer(shown_activity(activity))


def oldest_remembered(request: Request) -> float:
    now: float = request.app.state.sandbox.now()
    return now - REMEMBERED_SECONDS


routes = [
    Route("/activities", activities),
    Route("/activities/{activity_id}", one_activity),
]
