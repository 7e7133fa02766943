"""Activities on chosen contacts: put on lists, take off lists, delete."""

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json
from sandbox.activities import ROWS_A_STEP, new_activity, shown_activity
from sandbox.answers import json_answer
from sandbox.bodies import body_of, ids_of
from sandbox.errors import invalid
from sandbox.imports import LISTS_A_CONTACT
from sandbox.people import ACTIVE, Contact
from sandbox.state import Account, Activity

MAX_CONTACT_IDS = 500
MAX_LIST_IDS = 50
LEVELS = {"unqualified", "low", "medium", "high"}


async def change_memberships(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    ensure_json(request)
    body = await body_of(request)
    kind = request.url.path.rpartition("/")[2]
    adding = kind == "add_list_memberships"
    contacts = _source(account, body)
    lists = frozenset(ids_of(body, "list_ids", MAX_LIST_IDS))
    if not account.has_lists(lists):
        raise invalid("list_ids holds a list that does not exist")
    sandbox = request.app.state.sandbox

    def work(activity: Activity) -> Iterator[None]:
        for number, contact in enumerate(contacts):
            if number % ROWS_A_STEP == 0:
                yield
            changed = contact.lists | lists if adding else contact.lists - lists
            if adding and (contact.blocked or len(changed) > LISTS_A_CONTACT):
                continue
            contact.put_on(changed)
            contact.touch(sandbox.now())
            activity.status["items_completed_count"] += 1

    status = {
        "items_total_count": len(contacts),
        "items_completed_count": 0,
        "list_count": len(lists),
    }
    made = new_activity(request, account, kind, status, work)
    return json_answer(shown_activity(made), 201)


async def contact_delete(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    ensure_json(request)
    body = await body_of(request)
    if not set(body) <= {"contact_ids", "list_ids"}:
        raise invalid("contact_ids or list_ids is needed, and nothing else")
    contacts = _chosen(account, body)
    sandbox = request.app.state.sandbox

    def work(activity: Activity) -> Iterator[None]:
        for number, contact in enumerate(contacts):
            if number % ROWS_A_STEP == 0:
                yield
            contact.delete(sandbox.now())
            activity.status["items_completed_count"] += 1

    status = {
        "items_total_count": len(contacts),
        "items_completed_count": 0,
        "list_count": len(body.get("list_ids", [])),
    }
    made = new_activity(request, account, "contact_delete", status, work)
    return json_answer(shown_activity(made), 201)


def _source(account: Account, body: dict[str, Any]) -> list[Contact]:
    source, exclude = body.get("source"), body.get("exclude", {})
    if not isinstance(source, dict) or not isinstance(exclude, dict):
        raise invalid("source is missing, or source or exclude is not an object")
    if exclude and not {"list_ids", "all_active_contacts"} & set(source):
        raise invalid("exclude is for list_ids and all_active_contacts only")
    left_out = {
        contact.row
        for contact in contacts_of_ids(account, exclude, "contact_ids")
        if contact is not None
    }
    return [contact for contact in _chosen(account, source) if contact.row not in left_out]


def _chosen(account: Account, source: dict[str, Any]) -> list[Contact]:
    if len(source) != 1:
        raise invalid("source must hold exactly one way to choose contacts")
    if "contact_ids" in source:
        return contacts_of_ids(account, source, "contact_ids")
    if "list_ids" in source:
        lists = frozenset(ids_of(source, "list_ids", MAX_LIST_IDS))
        return list(account.people.on_lists(lists))
    if source.get("all_active_contacts") is True:
        return [one for one in account.people if not one.deleted and one.permission in ACTIVE]
    if "tag_ids" in source or source.get("engagement_level") in LEVELS:
        # Nobody is tagged here, and nobody reads what is never mailed.
        return []
    raise invalid("source does not have a valid value")


def contacts_of_ids(account: Account, body: dict[str, Any], name: str) -> list[Contact]:
    """The contacts of at most 500 ids; ids of nobody are passed over."""
    if name not in body:
        return []
    found = map(account.contact_of_id, ids_of(body, name, MAX_CONTACT_IDS))
    return [contact for contact in found if contact is not None]


routes = [
    Route("/activities/add_list_memberships", change_memberships, methods=["POST"]),
    Route("/activities/remove_list_memberships", change_memberships, methods=["POST"]),
    Route("/activities/contact_delete", contact_delete, methods=["POST"]),
]
