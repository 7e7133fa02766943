"""Activities: what the provider does in its own time. They tell counts, never rows."""

import asyncio
import csv
import io
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.access import account_of, ensure_json
from sandbox.answers import instant, json_answer
from sandbox.bodies import ids_of, object_of
from sandbox.errors import invalid, not_found, queue_full
from sandbox.faults import ACTIVITY_KINDS
from sandbox.limits import MAX_QUEUED_ACTIVITIES
from sandbox.paging import limit_in, page, query_of
from sandbox.state import Account, Activity, Contact

REMEMBERED_SECONDS = 10 * 86_400
MAX_CONTACT_IDS = 500
MAX_LIST_IDS = 50
STATES = {"processing", "completed", "cancelled", "failed", "timed_out"}
ROWS_A_STEP = 4_000

Work = Callable[[Activity], Iterator[None]]


def new_activity(
    request: Request,
    account: Account,
    kind: str,
    status: dict[str, int],
    work: Work | None = None,
) -> Activity:
    """Queues work; it starts after the activity latency and gives way to others as it goes."""
    app = request.app.state
    if account.open_activities() >= MAX_QUEUED_ACTIVITIES:
        raise queue_full()
    activity = Activity(str(uuid.uuid4()), kind, app.sandbox.now(), status=status)
    account.activities[activity.activity_id] = activity
    fault = app.faults.strike(request.url.path, activities=True)
    ends_as = ACTIVITY_KINDS[fault.kind] if fault else "completed"
    task = asyncio.create_task(_carry_out(app, activity, work, ends_as))
    app.tasks.add(task)
    task.add_done_callback(app.tasks.discard)
    app.sandbox.touch()
    return activity


async def _carry_out(app: Any, activity: Activity, work: Work | None, ends_as: str) -> None:
    if app.configuration.activity_latency:
        await asyncio.sleep(app.configuration.activity_latency)
    activity.state, activity.started = "processing", app.sandbox.now()
    if ends_as == "processing":
        return
    if ends_as == "completed" and work is not None:
        for _ in work(activity):
            await asyncio.sleep(0)
    if ends_as == "failed":
        activity.errors = ["The file could not be processed."]
    activity.state, activity.completed, activity.percent = ends_as, app.sandbox.now(), 100
    app.sandbox.touch()


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
    if activity.rows is not None:
        shown["_links"]["results"] = {"href": f"/v3/contact_exports/{activity.activity_id}"}
    return shown


async def activities(request: Request) -> Response:
    account = account_of(request, "contact_data")
    query = query_of(request)
    limit = limit_in(query, 500)
    wanted = query.get("state", "")
    if wanted and wanted not in STATES:
        raise invalid("state does not have a valid value")
    since = request.app.state.sandbox.now() - REMEMBERED_SECONDS
    found = [
        activity
        for activity in reversed(account.activities.values())
        if activity.created >= since and wanted in ("", activity.state)
    ]
    shown, links = page("/activities", query, found, limit)
    return json_answer({"activities": [shown_activity(one) for one in shown], **links})


async def one_activity(request: Request) -> Response:
    account = account_of(request, "contact_data")
    return json_answer(shown_activity(_known(request, account, request.path_params["activity_id"])))


def _known(request: Request, account: Account, activity_id: str) -> Activity:
    activity = account.activities.get(activity_id)
    since = request.app.state.sandbox.now() - REMEMBERED_SECONDS
    if activity is None or activity.created < since:
        raise not_found("The activity does not exist.")
    return activity


def _source(account: Account, body: dict[str, Any]) -> list[Contact]:
    source = body.get("source")
    if not isinstance(source, dict) or len(source) != 1:
        raise invalid("source must hold exactly one way to choose contacts")
    if "contact_ids" in source:
        return by_ids(account, ids_of(source, "contact_ids", MAX_CONTACT_IDS))
    if "list_ids" in source:
        chosen = set(ids_of(source, "list_ids", MAX_LIST_IDS))
        return [one for one in account.contacts.values() if one.lists & chosen]
    if source.get("all_active_contacts") is True:
        return [one for one in account.contacts.values() if not one.deleted]
    raise invalid("source does not have a valid value")


def by_ids(account: Account, contact_ids: list[str]) -> list[Contact]:
    found = (account.by_number.get(number_of(contact_id)) for contact_id in contact_ids)
    return [contact for contact in found if contact is not None]


def number_of(contact_id: str) -> int:
    try:
        return int(contact_id.split("-")[0], 16)
    except ValueError:
        return -1


async def change_memberships(request: Request) -> Response:
    account = account_of(request, "contact_data")
    ensure_json(request)
    body = object_of(await request.body())
    adding = request.url.path.endswith("add_list_memberships")
    contacts = _source(account, body)
    lists = frozenset(ids_of(body, "list_ids", MAX_LIST_IDS))
    if not lists <= set(account.lists):
        raise invalid("list_ids holds a list that does not exist")
    sandbox = request.app.state.sandbox

    def work(activity: Activity) -> Iterator[None]:
        for contact in contacts:
            if adding and contact.permission == "unsubscribed":
                continue
            changed = contact.lists | lists if adding else contact.lists - lists
            contact.lists = account.lists_of(frozenset(changed))
            contact.updated = sandbox.now()
            activity.status["items_completed_count"] += 1
        yield

    status = {
        "items_total_count": len(contacts),
        "items_completed_count": 0,
        "list_count": len(lists),
    }
    kind = "add_list_memberships" if adding else "remove_list_memberships"
    return json_answer(shown_activity(new_activity(request, account, kind, status, work)), 201)


async def contact_delete(request: Request) -> Response:
    account = account_of(request, "contact_data")
    ensure_json(request)
    body = object_of(await request.body())
    contacts = _source(account, {"source": body})
    sandbox = request.app.state.sandbox

    def work(activity: Activity) -> Iterator[None]:
        for contact in contacts:
            contact.lists, contact.deleted = account.lists_of(frozenset()), sandbox.now()
        activity.status["items_completed_count"] = len(contacts)
        yield

    status = {"items_total_count": len(contacts), "items_completed_count": 0}
    made = new_activity(request, account, "contact_delete", status, work)
    return json_answer(shown_activity(made), 201)


async def contact_exports(request: Request) -> Response:
    account = account_of(request, "contact_data")
    ensure_json(request)
    body = object_of(await request.body())
    lists = set(ids_of(body, "list_ids", MAX_LIST_IDS)) if body.get("list_ids") else None
    if lists and not lists <= set(account.lists):
        raise not_found("The list does not exist.")
    wanted = body.get("status", "")
    chosen = (
        by_ids(account, ids_of(body, "contact_ids", MAX_CONTACT_IDS))
        if body.get("contact_ids")
        else list(account.contacts.values())
    )

    def work(activity: Activity) -> Iterator[None]:
        rows: list[dict[str, str]] = []
        for number, contact in enumerate(chosen):
            if number % ROWS_A_STEP == 0:
                yield
            if contact.deleted or (lists is not None and not contact.lists & lists):
                continue
            if wanted and wanted != contact.permission:
                continue
            rows.append(
                {
                    "Email address": contact.email,
                    "First name": contact.first_name,
                    "Last name": contact.last_name,
                    "Email status": contact.permission,
                }
            )
        activity.rows = rows
        activity.status = {"items_total_count": len(rows), "items_completed_count": len(rows)}

    status = {"items_total_count": 0, "items_completed_count": 0}
    made = new_activity(request, account, "contact_exports", status, work)
    return json_answer(shown_activity(made), 201)


async def contact_export(request: Request) -> Response:
    account = account_of(request, "contact_data")
    activity = _known(request, account, request.path_params["export_id"])
    if activity.rows is None:
        raise not_found("The export is not ready.")
    rows = activity.rows
    header = ["Email address", "First name", "Last name", "Email status"]

    def blocks() -> Iterator[str]:
        for start in range(0, max(1, len(rows)), ROWS_A_STEP):
            text = io.StringIO()
            writer = csv.DictWriter(text, header)
            if start == 0:
                writer.writeheader()
            writer.writerows(rows[start : start + ROWS_A_STEP])
            yield text.getvalue()

    return StreamingResponse(blocks(), media_type="text/csv")


routes = [
    Route("/activities", activities),
    Route("/activities/add_list_memberships", change_memberships, methods=["POST"]),
    Route("/activities/remove_list_memberships", change_memberships, methods=["POST"]),
    Route("/activities/contact_delete", contact_delete, methods=["POST"]),
    Route("/activities/contact_exports", contact_exports, methods=["POST"]),
    Route("/activities/{activity_id}", one_activity),
    Route("/contact_exports/{export_id}", contact_export),
]
