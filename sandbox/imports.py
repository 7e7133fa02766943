"""The JSON import: adds and updates contacts, adds lists, never touches anyone's permission."""

from collections.abc import Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json
from sandbox.activities import ROWS_A_STEP, new_activity, shown_activity
from sandbox.answers import json_answer
from sandbox.bodies import ids_of, object_of, raw_body
from sandbox.errors import invalid
from sandbox.import_rows import BIRTHDAY, LENGTHS, Columns, columns_of, problem_of, values_of
from sandbox.people import FIRST_BLOCKED, Contact, Lists
from sandbox.state import Account, Activity

MAX_BYTES = 4_000_000
MAX_CONTACTS = 40_000
MAX_LISTS = 50
LISTS_A_CONTACT = 50
NAMES = ("first_name", "last_name")


async def json_import(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    ensure_json(request)
    raw = await raw_body(request)
    body = object_of(raw)
    lists = frozenset(ids_of(body, "list_ids", MAX_LISTS))
    if not account.has_lists(lists):
        raise invalid("list_ids holds a list that does not exist")
    if body.get("sms_permission_to_send", "not_set") not in ("explicit", "not_set"):
        raise invalid("sms_permission_to_send does not have a valid value")
    rows = body.get("import_data")
    if not isinstance(rows, list) or not rows:
        raise invalid("import_data is missing or empty")
    rows = within_limits(rows, len(raw))
    count = len(rows)
    sandbox = request.app.state.sandbox
    status = {
        "items_total_count": count + 1,
        "person_count": count,
        "error_count": 0,
        "correctable_count": 0,
        "cannot_add_to_list_count": 0,
    }
    taking = Import(account, account.people.shared(lists), status)
    columns = columns_of(rows)

    def work(activity: Activity) -> Iterator[None]:
        taking.now = sandbox.now()
        for start in range(0, count, ROWS_A_STEP):
            if columns is not None:
                taking.take_columns(columns.part(start, ROWS_A_STEP))
            else:
                for row in rows[start : start + ROWS_A_STEP]:
                    taking.take_row(row)
            yield

    made = new_activity(request, account, "contacts_json_import", status, work)
    sandbox.imports += 1
    sandbox.imported_contacts += count
    return json_answer(shown_activity(made), 201)


def within_limits(rows: list[Any], size: int) -> list[Any]:
    """What lies beyond 40,000 contacts or 4 MB of the body is dropped without a word."""
    if size > MAX_BYTES:
        lengths = [len(orjson.dumps(row)) + 1 for row in rows]
        # The body may be written with more blanks than ours.
        room = MAX_BYTES * sum(lengths) / size
        kept = 0
        for length in lengths:
            room -= length
            if room < 0:
                break
            kept += 1
        rows = rows[:kept]
    return rows[:MAX_CONTACTS]


class Import:
    """Takes rows in their order: of two with one address the later wins."""

    def __init__(self, account: Account, lists: Lists, status: dict[str, int]) -> None:
        self.account = account
        self.people = account.people
        self.lists = lists
        self.status = status
        self.now = 0.0
        self.field_names = {f"cf:{known['name']}" for known in account.custom_fields.values()}

    def take_columns(self, columns: Columns) -> None:
        people, now, wanted = self.people, self.now, self.lists
        found = list(map(people.rows.get, columns.keys))
        new = {columns.keys[at]: at for at, row in enumerate(found) if row is None}
        for row, first_name, last_name in zip(
            found, columns.first_names, columns.last_names, strict=True
        ):
            if row is None:
                continue
            people.first_names[row] = first_name
            people.last_names[row] = last_name
            people.updated[row] = now
            if people.lists[row] is not wanted or people.permissions[row] >= FIRST_BLOCKED:
                self._add_to_lists(Contact(people, row))
        if new:
            # The last row's names, and the address as it was first written.
            first = {key: at for at, key in reversed(list(enumerate(columns.keys))) if key in new}
            people.add_all(
                [columns.emails[first[key]] for key in new],
                list(new),
                [columns.first_names[at] for at in new.values()],
                [columns.last_names[at] for at in new.values()],
                wanted,
                now,
            )

    def take_row(self, row: Any) -> None:
        problem = problem_of(row)
        if problem:
            self.status[problem] += 1
            return
        values = values_of(row)
        known = self.people.by_email(values["email"])
        contact = known or self.people.add(values["email"], self.now)
        names = {name: values[name] for name in NAMES if name in values}
        contact.rename(
            names.get("first_name", contact.first_name), names.get("last_name", contact.last_name)
        )
        contact.tell_more(contact.more | self._more(values))
        contact.touch(self.now)
        self._add_to_lists(contact)

    def _more(self, values: dict[str, Any]) -> dict[str, Any]:
        """An unknown property or custom field is passed over without a word."""
        return {
            name: value
            for name, value in values.items()
            if name not in NAMES
            and (name in LENGTHS or name in BIRTHDAY or name in self.field_names)
        }

    def _add_to_lists(self, contact: Contact) -> None:
        if contact.lists >= self.lists and not contact.blocked:
            return
        merged = contact.lists | self.lists
        if contact.blocked or len(merged) > LISTS_A_CONTACT:
            self.status["cannot_add_to_list_count"] += 1
        else:
            contact.put_on(merged)


routes = [Route("/activities/contacts_json_import", json_import, methods=["POST"])]
