"""Contact lists."""

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json, id_in_path
from sandbox.activities import ROWS_A_STEP, new_activity, shown_activity
from sandbox.answers import instant, json_answer
from sandbox.bodies import body_of, choices_of, flag_of
from sandbox.errors import conflict, invalid, not_found
from sandbox.paging import limit_in, page, query_of
from sandbox.state import Account, Activity, ContactList

MAX_LISTS = 1_000
MAX_NAME = 255
READ, WRITE = "contacts:lists:read", "contacts:lists:write"


async def lists(request: Request) -> Response:
    account = account_of(request, "contact_data", READ)
    query = query_of(request)
    limit = limit_in(query, 1_000)
    sizes = _sizes(account, query)
    statuses = choices_of(query, "status", {"all", "active", "deleted"}) or {"active"}
    channel = choices_of(query, "channel_type", {"email", "sms"}) or {"email"}
    wanted_name = query.get("name", "").lower()
    found = [
        one
        for one in account.lists.values()
        if ("all" in statuses or ("deleted" if one.deleted else "active") in statuses)
        and (not wanted_name or one.name.lower() == wanted_name)
        # There are no SMS lists here.
        and "email" in channel
    ]
    shown, following = page("/contact_lists", query, found, limit)
    body: dict[str, Any] = {"lists": [shown_list(one, sizes) for one in shown], **following}
    if flag_of(query, "include_count"):
        body["lists_count"] = len(found)
    return json_answer(body)


async def make_list(request: Request) -> Response:
    account = account_of(request, "contact_data", WRITE)
    ensure_json(request)
    values = _values(await body_of(request))
    _ensure_new_name(account, values["name"])
    if len(account.live_lists()) >= MAX_LISTS:
        raise invalid("The account has 1,000 lists already")
    state = request.app.state.sandbox
    made = ContactList(str(uuid.uuid4()), created=state.now(), updated=state.now(), **values)
    account.lists[made.list_id] = made
    state.touch()
    return json_answer(shown_list(made), 201)


async def one_list(request: Request) -> Response:
    account = account_of(request, "contact_data", READ)
    known = _known(request, account)
    return json_answer(shown_list(known, _sizes(account, dict(request.query_params))))


async def change_list(request: Request) -> Response:
    account = account_of(request, "contact_data", WRITE)
    ensure_json(request)
    known = _known(request, account)
    values = _values(await body_of(request))
    _ensure_new_name(account, values["name"], known)
    state = request.app.state.sandbox
    known.name, known.description = values["name"], values["description"]
    known.favorite, known.updated = values["favorite"], state.now()
    state.touch()
    return json_answer(shown_list(known))


async def delete_list(request: Request) -> Response:
    """The list goes now, who is on it leaves it in an activity; no contact is deleted."""
    account = account_of(request, "contact_data", WRITE)
    known = _known(request, account)
    gone = frozenset([known.list_id])
    state = request.app.state.sandbox

    def work(activity: Activity) -> Iterator[None]:
        for number, contact in enumerate(account.people.on_lists(gone)):
            if number % ROWS_A_STEP == 0:
                yield
            contact.put_on(contact.lists - gone)
            contact.touch(state.now())

    activity = new_activity(request, account, "list_delete", {"list_count": 1}, work)
    known.deleted = state.now()
    shown = shown_activity(activity)
    return json_answer(shown, 202, {"Location": shown["_links"]["self"]["href"]})


def _known(request: Request, account: Account) -> ContactList:
    known = account.lists.get(id_in_path(request, "list_id"))
    if known is None or known.deleted:
        raise not_found("The list does not exist.")
    return known


def _values(body: dict[str, Any]) -> dict[str, Any]:
    name, description = body.get("name"), body.get("description") or ""
    favorite = body.get("favorite", False)
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
        raise invalid(f"name is missing or longer than {MAX_NAME} characters")
    if not isinstance(description, str) or len(description) > MAX_NAME:
        raise invalid(f"description is not text or longer than {MAX_NAME} characters")
    if not isinstance(favorite, bool):
        raise invalid("favorite does not have a valid value")
    return {"name": name, "description": description, "favorite": favorite}


def _ensure_new_name(account: Account, name: str, own: ContactList | None = None) -> None:
    taken = (one for one in account.live_lists() if one is not own)
    if any(one.name.lower() == name.lower() for one in taken):
        raise conflict("Validation failed: a list with this name exists")


def _sizes(account: Account, query: dict[str, str]) -> Counter[str] | None:
    counted = query.get("include_membership_count", "")
    if not counted:
        return None
    if counted not in ("all", "active"):
        raise invalid("include_membership_count does not have a valid value")
    return account.people.sizes(active=counted == "active")


def shown_list(one: ContactList, sizes: Counter[str] | None = None) -> dict[str, Any]:
    shown = {
        "list_id": one.list_id,
        "name": one.name,
        "description": one.description,
        "favorite": one.favorite,
        "created_at": instant(one.created),
        "updated_at": instant(one.updated),
    }
    if one.deleted:
        shown["deleted_at"] = instant(one.deleted)
    if sizes is not None:
        shown["membership_count"] = sizes[one.list_id]
    return shown


routes = [
    Route("/contact_lists", lists, methods=["GET"]),
    Route("/contact_lists", make_list, methods=["POST"]),
    Route("/contact_lists/{list_id}", one_list, methods=["GET"]),
    Route("/contact_lists/{list_id}", change_list, methods=["PUT"]),
    Route("/contact_lists/{list_id}", delete_list, methods=["DELETE"]),
]
