"""The JSON import: adds and updates contacts, adds lists, never touches anyone's permission."""

import re
from collections.abc import Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json
from sandbox.activities import ROWS_A_STEP, new_activity, shown_activity
from sandbox.answers import json_answer
from sandbox.bodies import ids_of, object_of
from sandbox.errors import invalid
from sandbox.state import Account, Activity, Contact

MAX_BYTES = 4_000_000
MAX_CONTACTS = 40_000
MAX_LISTS = 50
MAX_EMAIL = 80
EMAIL = re.compile(r"[^\s,()\[\]@<>;:\"\\]+@[^\s,()\[\]@<>;:\"\\]+\.[^\s,()\[\]@<>;:\"\\.]{2,}")
DATE = re.compile(
    r"\d{1,2}/\d{1,2}/\d{4}|\d{4}/\d{1,2}/\d{1,2}|\d{4}-\d{1,2}-\d{1,2}|\d-\d{1,2}-\d{4}"
)
BIRTHDAY = ("birthday_month", "birthday_day")
LENGTHS = {
    "first_name": 50,
    "last_name": 50,
    "job_title": 50,
    "company_name": 50,
    "street": 255,
    "city": 50,
}


async def json_import(request: Request) -> Response:
    account = account_of(request, "contact_data")
    ensure_json(request)
    raw = await request.body()
    body = object_of(raw)
    lists = frozenset(ids_of(body, "list_ids", MAX_LISTS))
    if any(one not in account.lists or account.lists[one].deleted for one in lists):
        raise invalid("list_ids holds a list that does not exist")
    rows = body.get("import_data")
    if not isinstance(rows, list) or not rows:
        raise invalid("import_data is missing or empty")
    rows = _within_limits(rows, len(raw))
    sandbox = request.app.state.sandbox
    sandbox.imported_contacts += len(rows)
    lists = account.lists_of(lists)

    def work(activity: Activity) -> Iterator[None]:
        for start in range(0, len(rows), ROWS_A_STEP):
            _import(account, rows[start : start + ROWS_A_STEP], lists, activity, sandbox.now())
            yield

    status = {
        "items_total_count": len(rows) + 1,
        "person_count": len(rows),
        "error_count": 0,
        "correctable_count": 0,
        "cannot_add_to_list_count": 0,
    }
    made = new_activity(request, account, "contacts_json_import", status, work)
    return json_answer(shown_activity(made), 201)


def _within_limits(rows: list[Any], size: int) -> list[Any]:
    """What lies beyond 40,000 contacts or 4 MB is dropped without a word."""
    rows = rows[:MAX_CONTACTS]
    if size <= MAX_BYTES:
        return rows
    kept, used = [], 0
    for row in rows:
        used += len(orjson.dumps(row)) + 1
        if used > MAX_BYTES:
            break
        kept.append(row)
    return kept


def _import(
    account: Account, rows: list[Any], lists: frozenset[str], activity: Activity, now: float
) -> None:
    status = activity.status
    for row in rows:
        problem = _problem(row)
        if problem:
            status[problem] += 1
            continue
        email = row["email"].strip()
        contact = account.contacts.get(email.lower()) or account.add_contact(email, now)
        _update(contact, row, now)
        if contact.permission in ("unsubscribed", "temp_hold"):
            status["cannot_add_to_list_count"] += 1
        elif contact.lists is not lists and not lists <= contact.lists:
            contact.lists = account.lists_of(contact.lists | lists)


def _update(contact: Contact, row: dict[str, Any], now: float) -> None:
    """Only what was sent changes; who was deleted is back."""
    contact.deleted = None
    contact.updated = now
    for name, value in row.items():
        if name == "first_name":
            contact.first_name = value
        elif name == "last_name":
            contact.last_name = value
        elif name != "email":
            contact.more = {**(contact.more or {}), name.replace(" ", "_"): value}


def _problem(row: Any) -> str:
    """The counter that a bad row goes to, or nothing."""
    if not isinstance(row, dict):
        return "error_count"
    email = row.get("email")
    if not isinstance(email, str) or len(email) > MAX_EMAIL or not EMAIL.fullmatch(email.strip()):
        return "correctable_count"
    for name, value in row.items():
        if name in BIRTHDAY:
            continue
        if not isinstance(value, str) or len(value) > LENGTHS.get(name, 255):
            return "error_count"
    if not _dates_make_sense(row):
        return "correctable_count"
    return ""


def _dates_make_sense(row: dict[str, Any]) -> bool:
    anniversary = row.get("anniversary")
    if anniversary is not None and not DATE.fullmatch(anniversary):
        return False
    month, day = row.get("birthday_month"), row.get("birthday_day")
    if month is None and day is None:
        return True
    return isinstance(month, int) and isinstance(day, int) and 1 <= month <= 12 and 1 <= day <= 31


routes = [Route("/activities/contacts_json_import", json_import, methods=["POST"])]
