"""Contact exports: a CSV file of chosen contacts, made in the provider's own time."""

import csv
import io
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.access import account_of, ensure_json, id_in_path
from sandbox.activities import ROWS_A_STEP, new_activity, oldest_remembered, shown_activity
from sandbox.answers import instant, json_answer
from sandbox.bodies import body_of, ids_of
from sandbox.errors import invalid, not_found
from sandbox.memberships import MAX_CONTACT_IDS, MAX_LIST_IDS, contacts_of_ids
from sandbox.people import ACTIVE, PERMISSIONS, Contact, People
from sandbox.state import Account, Activity

Column = Callable[[People], Callable[[int], str]]


def _told(tell: Callable[[Contact], str]) -> Column:
    return lambda people: lambda row: tell(Contact(people, row))


# A column's title, and how it is read by row: those of millions straight from their place.
COLUMNS: dict[str, tuple[str, Column]] = {
    "email_address": ("Email address", lambda people: people.emails.__getitem__),
    "first_name": ("First name", lambda people: people.first_names.__getitem__),
    "last_name": ("Last name", lambda people: people.last_names.__getitem__),
    "job_title": ("Job title", _told(lambda contact: contact.more.get("job_title", ""))),
    "company_name": ("Company", _told(lambda contact: contact.more.get("company_name", ""))),
    "permission_to_send": ("Email status", _told(lambda contact: contact.permission)),
    "email_optout_source": ("Email opt-out source", _told(lambda contact: contact.opted_out_by)),
    "email_optout_date": (
        "Email opt-out date",
        _told(lambda contact: instant(contact.opted_out) or ""),
    ),
    "created_at": ("Created At", _told(lambda contact: instant(contact.created) or "")),
    "updated_at": ("Updated At", _told(lambda contact: instant(contact.updated) or "")),
}
STATUSES = {"active", "unsubscribed", "removed"}


async def contact_exports(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    ensure_json(request)
    body = await body_of(request)
    status = body.get("status")
    if status is not None and status not in STATUSES:
        raise invalid("status does not have a valid value")
    fields = body.get("fields") or list(COLUMNS)
    if not isinstance(fields, list) or not all(name in COLUMNS for name in map(str, fields)):
        raise invalid("fields does not have a valid value")
    people = account.people
    titles = [COLUMNS[name][0] for name in fields]
    columns = [COLUMNS[name][1](people) for name in fields]
    chosen = iter(_chosen(account, body))

    def work(activity: Activity) -> Iterator[None]:
        file, count = [_csv([titles])], 0
        while block := list(islice(chosen, ROWS_A_STEP)):
            rows = [row for row in block if _has_status(people, row, status)]
            file.append(_csv(zip(*(map(column, rows) for column in columns), strict=True)))
            count += len(rows)
            yield
        activity.file = file
        activity.status = {"items_total_count": count, "items_completed_count": count}

    counts = {"items_total_count": 0, "items_completed_count": 0}
    made = new_activity(request, account, "contact_exports", counts, work, str(uuid.uuid4()))
    return json_answer(shown_activity(made), 201)


def _chosen(account: Account, body: dict[str, Any]) -> Iterable[int]:
    """The rows of the contacts that the export is of."""
    if "contact_ids" in body and "list_ids" in body:
        raise invalid("contact_ids and list_ids can't be used together")
    if "segment_id" in body or "tag_ids" in body:
        raise not_found("The segment or tag does not exist.")
    if "contact_ids" in body:
        ids_of(body, "contact_ids", MAX_CONTACT_IDS)
        return (contact.row for contact in contacts_of_ids(account, body, "contact_ids"))
    if "list_ids" not in body:
        return range(len(account.people))
    lists = frozenset(ids_of(body, "list_ids", MAX_LIST_IDS))
    if not account.has_lists(lists):
        raise not_found("The list does not exist.")
    return account.people.rows_on_lists(lists)


def _has_status(people: People, row: int, status: str | None) -> bool:
    """As a list of contacts without a status: everyone who is not deleted."""
    if row in people.deleted:
        return status == "removed"
    if status is None:
        return True
    permission = PERMISSIONS[people.permissions[row]]
    return permission in ACTIVE if status == "active" else permission == status


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def contact_export(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    file_id, oldest = id_in_path(request, "file_export_id"), oldest_remembered(request)
    for activity in account.activities.values():
        if activity.file_id == file_id and activity.file and activity.created >= oldest:
            return StreamingResponse(iter(activity.file), media_type="text/csv")
    raise not_found("The export does not exist or is not ready.")


routes = [
    Route("/activities/contact_exports", contact_exports, methods=["POST"]),
    Route("/contact_exports/{file_export_id}", contact_export),
]
