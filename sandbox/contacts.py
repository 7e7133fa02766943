"""Contacts, one by one."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.access import account_of, ensure_json, id_in_path
from sandbox.answers import json_answer
from sandbox.bodies import body_of, choices_of
from sandbox.contact_bodies import SUB_RESOURCES, Asked, shown_contact
from sandbox.errors import conflict, invalid, not_found
from sandbox.people import ACTIVE, Contact
from sandbox.state import Account

NEW_SUBSCRIBER_SECONDS = 30 * 86_400


async def make_contact(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    ensure_json(request)
    asked = Asked(account, await body_of(request), "create_source")
    _ensure_new_address(account, asked.email)
    state = request.app.state.sandbox
    contact = account.people.add(asked.email, state.now())
    _apply(contact, asked, state.now())
    state.touch()
    return json_answer(shown_contact(account, contact, SUB_RESOURCES), 201)


async def one_contact(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:read")
    include = choices_of(dict(request.query_params), "include", SUB_RESOURCES)
    return json_answer(shown_contact(account, _known(request, account), include))


async def change_contact(request: Request) -> Response:
    """What is not sent is emptied, but for sub-resources; lists revive who was deleted."""
    account = account_of(request, "contact_data", "contacts:write")
    ensure_json(request)
    contact = _known(request, account)
    asked = Asked(account, await body_of(request), "update_source")
    _ensure_new_address(account, asked.email, contact)
    _ensure_consent(contact, asked)
    state = request.app.state.sandbox
    contact.readdress(asked.email)
    _apply(contact, asked, state.now())
    state.touch()
    return json_answer(shown_contact(account, contact, SUB_RESOURCES))


async def delete_contact(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:write")
    contact = _known(request, account)
    state = request.app.state.sandbox
    contact.delete(state.now())
    state.touch()
    return Response(status_code=204)


async def counts(request: Request) -> Response:
    account = account_of(request, "contact_data", "contacts:read")
    include = choices_of(dict(request.query_params), "include", {"new_subscriber"})
    standing = account.people.permission_counts()
    body = {
        "total": sum(standing.values()),
        "explicit": standing["explicit"],
        "implicit": standing["implicit"],
        "pending": standing["pending_confirmation"],
        "unsubscribed": standing["unsubscribed"],
    }
    if include:
        since = request.app.state.sandbox.now() - NEW_SUBSCRIBER_SECONDS
        body["new_subscriber"] = sum(
            contact.created >= since and not contact.deleted and contact.permission in ACTIVE
            for contact in account.people
        )
    return json_answer(body)


def _known(request: Request, account: Account) -> Contact:
    contact = account.contact_of_id(id_in_path(request, "contact_id"))
    if contact is None:
        raise not_found("The contact does not exist.")
    return contact


def _ensure_new_address(account: Account, email: str, own: Contact | None = None) -> None:
    known = account.people.by_email(email) if email else None
    if known is not None and (own is None or known.row != own.row):
        there = account.contact_id(known)
        raise conflict(f"Validation failed: Email already exists for contact {there}")


def _ensure_consent(contact: Contact, asked: Asked) -> None:
    """Who has unsubscribed comes back by their own will alone, and is on no list until then."""
    if contact.permission != "unsubscribed":
        return
    comes_back = asked.permission not in (None, "unsubscribed")
    if comes_back and contact.opted_out_by == "Contact" and asked.source != "Contact":
        raise invalid("Validation failed: only the contact can opt back in")
    if asked.lists and not comes_back:
        raise invalid("Validation failed: an unsubscribed contact can't be added to a list")


def _apply(contact: Contact, asked: Asked, now: float) -> None:
    contact.rename(asked.first_name, asked.last_name)
    contact.tell_more(asked.more_over(contact.more))
    if asked.permission == "unsubscribed":
        if contact.permission != "unsubscribed":
            contact.opt_out(now, str(asked.source))
    else:
        if asked.permission is not None:
            contact.permit(asked.permission)
        if asked.lists is not None:
            contact.put_on(asked.lists)
    contact.touch(now)


routes = [
    Route("/contacts", make_contact, methods=["POST"]),
    Route("/contacts/counts", counts),
    Route("/contacts/{contact_id}", one_contact, methods=["GET"]),
    Route("/contacts/{contact_id}", change_contact, methods=["PUT"]),
    Route("/contacts/{contact_id}", delete_contact, methods=["DELETE"]),
]
