"""What a test or a person may do to the sandbox behind the API's back."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import oauth
from sandbox.answers import json_answer
from sandbox.faults import Fault
from sandbox.state import Account, Contact, ContactList, State, named_id

DEFAULT_SCOPES = "offline_access contact_data account_read"
SETTABLE = {
    "rate_per_second",
    "rate_per_day",
    "token_rate",
    "rotating",
    "latency",
    "activity_latency",
}


async def control(request: Request) -> Response:
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        return json_answer({"problem": f"there are {', '.join(ACTIONS)}"}, 404)
    raw = await request.body()
    asked = orjson.loads(raw) if raw else {}
    try:
        return json_answer(action(request.app.state, **asked))
    except (TypeError, ValueError, KeyError) as problem:
        return json_answer({"problem": str(problem)}, 400)


def _account(state: State, account: str | None) -> Account:
    if account is None:
        return next(iter(state.accounts.values()))
    return state.accounts[account]


def reset(app: Any) -> dict[str, Any]:
    """As new, with the settings it was started with."""
    for task in app.tasks:
        task.cancel()
    fresh = State()
    app.sandbox.__dict__.update(fresh.__dict__)
    app.configuration.__dict__.update(app.started_with.__dict__)
    app.faults.clear()
    app.limits.today = 0
    app.limits.turns.clear()
    return {}


def tokens(app: Any, account: str | None = None, scopes: str = DEFAULT_SCOPES) -> dict[str, Any]:
    found = _account(app.sandbox, account)
    return oauth.issue(app.sandbox, found.account_id, scopes, rotating=app.configuration.rotating)


def accounts(app: Any) -> list[dict[str, Any]]:
    return [
        {
            "account": one.account_id,
            "organization": one.organization,
            "contacts": len(one.contacts),
            "lists": {known.name: known.list_id for known in one.lists.values()},
        }
        for one in app.sandbox.accounts.values()
    ]


def seed(
    app: Any,
    contacts: list[dict[str, Any]],
    account: str | None = None,
    list_id: str | None = None,
) -> dict[str, Any]:
    """Contacts of `email`, and perhaps `first_name`, `last_name`, `permission`."""
    found = _account(app.sandbox, account)
    lists = found.lists_of(frozenset([list_id] if list_id else []))
    for row in contacts:
        contact = found.contact(row["email"]) or found.add_contact(row["email"], app.sandbox.now())
        contact.first_name = row.get("first_name", "")
        contact.last_name = row.get("last_name", "")
        contact.permission = row.get("permission", "implicit")
        contact.lists = lists
        if contact.permission == "unsubscribed":
            _opt_out(app.sandbox, found, contact)
    return {"contacts": len(found.contacts)}


def add_lists(app: Any, count: int, account: str | None = None) -> dict[str, Any]:
    found = _account(app.sandbox, account)
    for number in range(count):
        list_id = named_id(found.organization, "seeded", number)
        found.lists[list_id] = ContactList(list_id, f"List {number:04}")
    return {"lists": len(found.lists)}


def members(app: Any, list_id: str, account: str | None = None) -> list[str]:
    found = _account(app.sandbox, account)
    return [
        contact.email
        for contact in found.contacts.values()
        if list_id in contact.lists and not contact.deleted
    ]


def contact(app: Any, email: str, account: str | None = None) -> dict[str, Any] | None:
    known = _account(app.sandbox, account).contact(email)
    if known is None:
        return None
    return {
        "email": known.email,
        "first_name": known.first_name,
        "last_name": known.last_name,
        "more": known.more or {},
        "permission": known.permission,
        "lists": sorted(known.lists),
        "deleted": known.deleted is not None,
    }


def unsubscribe(app: Any, email: str, account: str | None = None) -> dict[str, Any]:
    found = _account(app.sandbox, account)
    _opt_out(app.sandbox, found, _known(found, email))
    return {}


def _opt_out(state: State, account: Account, contact: Contact) -> None:
    """An unsubscribed contact is on no list any more."""
    contact.permission = "unsubscribed"
    contact.lists = account.lists_of(frozenset())
    contact.opted_out, contact.opted_out_by = state.now(), "Contact"
    contact.updated = state.now()
    state.touch()


def hold(app: Any, email: str, account: str | None = None) -> dict[str, Any]:
    _known(_account(app.sandbox, account), email).permission = "temp_hold"
    return {}


def delete(app: Any, email: str, account: str | None = None) -> dict[str, Any]:
    found = _account(app.sandbox, account)
    known = _known(found, email)
    known.lists, known.deleted = found.lists_of(frozenset()), app.sandbox.now()
    app.sandbox.touch()
    return {}


def take_off(app: Any, email: str, list_id: str, account: str | None = None) -> dict[str, Any]:
    found = _account(app.sandbox, account)
    known = _known(found, email)
    known.lists = found.lists_of(known.lists - {list_id})
    known.updated = app.sandbox.now()
    return {}


def _known(account: Account, email: str) -> Contact:
    known = account.contact(email)
    if known is None:
        raise ValueError(f"no contact has the address {email}")
    return known


def configure(app: Any, **values: Any) -> dict[str, Any]:
    """Sets rates, latencies and the kind of refresh tokens."""
    unknown = set(values) - SETTABLE
    if unknown:
        raise ValueError(f"can't set {', '.join(sorted(unknown))}")
    app.configuration.__dict__.update(values)
    return {name: getattr(app.configuration, name) for name in sorted(SETTABLE)}


def clock(app: Any, offset: float) -> dict[str, Any]:
    """Sets the clock off by so many seconds."""
    app.sandbox.clock_offset = offset
    return {"now": app.sandbox.now()}


def expire_tokens(app: Any) -> dict[str, Any]:
    """Access tokens are no longer accepted; refresh tokens still are."""
    for grant in app.sandbox.grants:
        grant.expires = 0
    return {}


def revoke(app: Any) -> dict[str, Any]:
    """No token of any kind is accepted any more."""
    app.sandbox.grants.clear()
    app.sandbox.by_access.clear()
    return {}


def fault(app: Any, **values: Any) -> list[dict[str, Any]]:
    app.faults.add(Fault(**values))
    return list(app.faults.shown())


def clear_faults(app: Any) -> dict[str, Any]:
    app.faults.clear()
    return {}


def statistics(app: Any) -> dict[str, Any]:
    state: State = app.sandbox
    return {
        "requests": dict(state.requests),
        "total": sum(state.requests.values()),
        "imports": sum(
            count for key, count in state.requests.items() if "contacts_json_import 201" in key
        ),
        "imported_contacts": state.imported_contacts,
        "most_in_a_second": state.most_in_a_second,
        "today": app.limits.today,
        "faults": app.faults.shown(),
    }


def forget_statistics(app: Any) -> dict[str, Any]:
    app.sandbox.requests.clear()
    app.sandbox.imported_contacts = app.sandbox.most_in_a_second = 0
    return {}


ACTIONS = {
    action.__name__: action
    for action in (
        accounts,
        add_lists,
        clear_faults,
        clock,
        configure,
        contact,
        delete,
        expire_tokens,
        fault,
        forget_statistics,
        hold,
        members,
        reset,
        revoke,
        seed,
        statistics,
        take_off,
        tokens,
        unsubscribe,
    )
}

routes = [Route("/{action}", control, methods=["GET", "POST"])]
