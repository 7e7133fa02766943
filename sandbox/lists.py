"""Accounts, contact lists and custom fields."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json
from sandbox.activities import new_activity, shown_activity
from sandbox.answers import instant, json_answer
from sandbox.bodies import object_of
from sandbox.errors import conflict, invalid, not_found
from sandbox.paging import limit_in, page, query_of
from sandbox.state import Account, ContactList

MAX_LISTS = 1_000
MAX_FIELDS = 100
FIELD_TYPES = {"string", "date", "datetime", "number", "boolean", "currency", "text_area"}


async def summary(request: Request) -> Response:
    account = account_of(request, "account_read")
    return json_answer(
        {
            "encoded_account_id": account.account_id,
            "organization_name": account.organization,
            "contact_email": account.users[0],
            "first_name": account.users[0].split("@")[0].title(),
            "last_name": "Sample",
            "country_code": "US",
            "time_zone_id": "US/Eastern",
        }
    )


async def privileges(request: Request) -> Response:
    account_of(request, "account_read")
    names = ("contacts:read", "contacts:write", "contacts:lists:read", "contacts:lists:write")
    return json_answer(
        [{"privilege_id": n, "privilege_name": name} for n, name in enumerate(names, 1)]
    )


async def lists(request: Request) -> Response:
    account = account_of(request, "contact_data")
    state = request.app.state.sandbox
    if request.method == "POST":
        ensure_json(request)
        body = object_of(await request.body())
        name = body.get("name")
        if not isinstance(name, str) or not name.strip() or len(name) > 255:
            raise invalid("name is missing or longer than 255 characters")
        if any(known.name == name and not known.deleted for known in account.lists.values()):
            raise conflict("Validation failed: a list with this name exists")
        if len(account.lists) >= MAX_LISTS:
            raise invalid("The account has 1,000 lists already")
        now = state.now()
        made = ContactList(
            str(uuid.uuid4()),
            name,
            str(body.get("description", "")),
            bool(body.get("favorite", False)),
            now,
            now,
        )
        account.lists[made.list_id] = made
        state.touch()
        return json_answer(shown_list(account, made), 201)
    query = query_of(request)
    limit = limit_in(query, 1_000)
    counted = query.get("include_membership_count", "")
    if counted not in ("", "all", "active"):
        raise invalid("include_membership_count does not have a valid value")
    found = [one for one in account.lists.values() if not one.deleted]
    if query.get("name"):
        found = [one for one in found if one.name == query["name"]]
    shown, links = page("/contact_lists", query, found, limit)
    body = {"lists": [shown_list(account, one, counted) for one in shown], **links}
    if query.get("include_count") == "true":
        body["lists_count"] = len(found)
    return json_answer(body)


async def one_list(request: Request) -> Response:
    account = account_of(request, "contact_data")
    known = account.lists.get(request.path_params["list_id"])
    if known is None or known.deleted:
        raise not_found("The list does not exist.")
    state = request.app.state.sandbox
    if request.method == "DELETE":
        known.deleted = state.now()
        for contact in account.contacts.values():
            if known.list_id in contact.lists:
                contact.lists = account.lists_of(contact.lists - {known.list_id})
        activity = new_activity(request, account, "list_delete", {"list_count": 1})
        return json_answer(shown_activity(activity), 202)
    if request.method == "PUT":
        ensure_json(request)
        body = object_of(await request.body())
        known.name = str(body.get("name") or known.name)
        known.description = str(body.get("description", ""))
        known.updated = state.now()
        state.touch()
    return json_answer(
        shown_list(account, known, request.query_params.get("include_membership_count", ""))
    )


def shown_list(account: Account, one: ContactList, counted: str = "") -> dict[str, Any]:
    shown = {
        "list_id": one.list_id,
        "name": one.name,
        "description": one.description,
        "favorite": one.favorite,
        "created_at": instant(one.created),
        "updated_at": instant(one.updated),
    }
    if counted:
        shown["membership_count"] = sum(
            one.list_id in contact.lists and not contact.deleted
            for contact in account.contacts.values()
            if counted == "all" or contact.permission not in ("unsubscribed", "temp_hold")
        )
    return shown


async def custom_fields(request: Request) -> Response:
    account = account_of(request, "contact_data")
    if request.method == "POST":
        ensure_json(request)
        body = object_of(await request.body())
        label = str(body.get("label", "")).strip()
        if not label or len(label) > 50 or body.get("type") not in FIELD_TYPES:
            raise invalid("label or type does not have a valid value")
        if any(known["label"] == label for known in account.custom_fields.values()):
            raise conflict("Validation failed: label is not unique")
        if len(account.custom_fields) >= MAX_FIELDS:
            raise invalid("The account has 100 custom fields already")
        made = {
            "custom_field_id": str(uuid.uuid4()),
            "label": label,
            "name": label.replace(" ", "_"),
            "type": body["type"],
        }
        account.custom_fields[made["custom_field_id"]] = made
        request.app.state.sandbox.touch()
        return json_answer(made, 201)
    query = query_of(request)
    found = list(account.custom_fields.values())
    shown, links = page("/contact_custom_fields", query, found, limit_in(query, 100))
    return json_answer({"custom_fields": shown, **links})


async def one_custom_field(request: Request) -> Response:
    account = account_of(request, "contact_data")
    known = account.custom_fields.get(request.path_params["field_id"])
    if known is None:
        raise not_found("The custom field does not exist.")
    if request.method == "DELETE":
        del account.custom_fields[known["custom_field_id"]]
        request.app.state.sandbox.touch()
        return Response(status_code=204)
    return json_answer(known)


routes = [
    Route("/account/summary", summary),
    Route("/account/user/privileges", privileges),
    Route("/contact_lists", lists, methods=["GET", "POST"]),
    Route("/contact_lists/{list_id}", one_list, methods=["GET", "PUT", "DELETE"]),
    Route("/contact_custom_fields", custom_fields, methods=["GET", "POST"]),
    Route("/contact_custom_fields/{field_id}", one_custom_field, methods=["GET", "DELETE"]),
]
