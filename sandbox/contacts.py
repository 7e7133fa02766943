"""Contacts, one by one and by every filter."""

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json
from sandbox.activities import number_of
from sandbox.answers import instant, json_answer, seconds_of
from sandbox.bodies import object_of
from sandbox.errors import conflict, invalid, not_found
from sandbox.paging import limit_in, page, query_of
from sandbox.state import Account, Contact

STATUSES = {
    "all",
    "active",
    "deleted",
    "not_set",
    "pending_confirmation",
    "temp_hold",
    "unsubscribed",
}
ACTIVE = {"implicit", "explicit", "not_set"}
FIELDS = ("first_name", "last_name", "job_title", "company_name", "anniversary")


def _filtered(account: Account, query: dict[str, str]) -> list[Contact]:
    statuses = set(filter(None, query.get("status", "").split(",")))
    if not statuses <= STATUSES:
        raise invalid("status does not have a valid value")
    found: Iterable[Contact] = account.contacts.values()
    if query.get("email"):
        known = account.contact(query["email"])
        found = [known] if known else []
    lists = set(filter(None, query.get("lists", "").split(",")))
    if lists:
        found = (one for one in found if one.lists & lists)
    for name, moment in (("updated", "updated"), ("created", "created"), ("optout", "opted_out")):
        for side in ("after", "before"):
            text = query.get(f"{name}_{side}")
            if text:
                found = _by_time(found, moment, side, text)
    return [one for one in found if _has_status(one, statuses)]


def _by_time(found: Iterable[Contact], moment: str, side: str, text: str) -> Iterable[Contact]:
    try:
        limit = seconds_of(text)
    except ValueError as damaged:
        raise invalid(f"{moment}_{side} is not a date-time") from damaged
    for one in found:
        at = getattr(one, moment)
        if at is not None and (at >= limit if side == "after" else at <= limit):
            yield one


def _has_status(contact: Contact, statuses: set[str]) -> bool:
    if "all" in statuses:
        return True
    if contact.deleted:
        return "deleted" in statuses
    if not statuses:
        return True
    return contact.permission in statuses or ("active" in statuses and contact.permission in ACTIVE)


def shown_contact(contact: Contact, include: str = "") -> dict[str, Any]:
    email = {
        "address": contact.email,
        "permission_to_send": contact.permission,
        "created_at": instant(contact.created),
        "updated_at": instant(contact.updated),
        "opt_in_source": "Account",
    }
    if contact.opted_out:
        email |= {
            "opt_out_source": contact.opted_out_by,
            "opt_out_date": instant(contact.opted_out),
        }
    shown: dict[str, Any] = {
        "contact_id": contact.contact_id,
        "email_address": email,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "create_source": "Account",
        "update_source": "Account",
        "created_at": instant(contact.created),
        "updated_at": instant(contact.updated),
    }
    if contact.deleted:
        shown["deleted_at"] = instant(contact.deleted)
    if "list_memberships" in include:
        shown["list_memberships"] = sorted(contact.lists)
    shown |= {name: value for name, value in (contact.more or {}).items() if name in FIELDS}
    return shown


async def contacts(request: Request) -> Response:
    account = account_of(request, "contact_data")
    if request.method == "POST":
        ensure_json(request)
        return _create(request, account, object_of(await request.body()))
    query = query_of(request)
    limit = limit_in(query, 500)
    found = _filtered(account, query)
    shown, links = page("/contacts", query, found, limit)
    include = query.get("include", "")
    body: dict[str, Any] = {"contacts": [shown_contact(one, include) for one in shown], **links}
    if query.get("include_count") == "true":
        body["contacts_count"] = len(found)
    return json_answer(body)


def _create(request: Request, account: Account, body: dict[str, Any]) -> Response:
    address = str((body.get("email_address") or {}).get("address", ""))
    if body.get("create_source") not in ("Account", "Contact"):
        raise invalid("create_source is missing, create_source does not have a valid value")
    if "@" not in address or len(address) > 80:
        raise invalid("email_address.address does not have a valid value")
    known = account.contact(address)
    if known is not None:
        raise conflict(f"Validation failed: Email already exists for contact {known.contact_id}")
    state = request.app.state.sandbox
    contact = account.add_contact(address, state.now())
    _apply(account, contact, body)
    state.touch()
    return json_answer(shown_contact(contact, "list_memberships"), 201)


def _apply(account: Account, contact: Contact, body: dict[str, Any]) -> None:
    contact.first_name = str(body.get("first_name") or "")
    contact.last_name = str(body.get("last_name") or "")
    permission = (body.get("email_address") or {}).get("permission_to_send")
    if permission:
        contact.permission = permission
    if body.get("list_memberships") is not None:
        lists = frozenset(map(str, body["list_memberships"]))
        if not lists <= set(account.lists):
            raise invalid("list_memberships holds a list that does not exist")
        contact.lists = account.lists_of(lists)
        contact.deleted = None


async def one_contact(request: Request) -> Response:
    account = account_of(request, "contact_data")
    contact_id = request.path_params["contact_id"]
    contact = account.by_number.get(number_of(contact_id))
    if contact is None:
        raise not_found("The contact does not exist.")
    state = request.app.state.sandbox
    if request.method == "DELETE":
        contact.lists, contact.deleted = account.lists_of(frozenset()), state.now()
        state.touch()
        return Response(status_code=204)
    if request.method == "PUT":
        ensure_json(request)
        body = object_of(await request.body())
        if body.get("update_source") not in ("Account", "Contact"):
            raise invalid("update_source is missing, update_source does not have a valid value")
        was = contact.permission
        _apply(account, contact, body)
        if contact.permission == "unsubscribed" != was:
            contact.opted_out, contact.opted_out_by = state.now(), body["update_source"]
            contact.lists = account.lists_of(frozenset())
        contact.updated = state.now()
        state.touch()
    return json_answer(shown_contact(contact, request.query_params.get("include", "")))


async def counts(request: Request) -> Response:
    account = account_of(request, "contact_data")
    standing = [one.permission for one in account.contacts.values() if not one.deleted]
    return json_answer(
        {
            "total": len(standing),
            "explicit": standing.count("explicit"),
            "implicit": standing.count("implicit"),
            "pending": standing.count("pending_confirmation"),
            "unsubscribed": standing.count("unsubscribed"),
        }
    )


routes = [
    Route("/contacts", contacts, methods=["GET", "POST"]),
    Route("/contacts/counts", counts),
    Route("/contacts/{contact_id}", one_contact, methods=["GET", "PUT", "DELETE"]),
]
