"""What a test or a person may do to the sandbox behind the API's back.

`POST /_control/ACTION` with the action's values as a JSON object; the answer is JSON.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox import oauth
from sandbox.answers import json_answer
from sandbox.faults import Fault
from sandbox.people import CODES, Contact
from sandbox.state import Account, ContactList, State, User, named_id

DEFAULT_SCOPES = "offline_access contact_data account_read"
SETTABLE: dict[str, tuple[type, ...]] = {
    "rate_per_second": (int,),
    "rate_per_day": (int,),
    "token_rate": (int,),
    "rotating": (bool,),
    "latency": (int, float),
    "activity_latency": (int, float),
}
MEMBERS_A_BLOCK = 5_000


async def control(request: Request) -> Response:
    if is_foreign(request):
        return json_answer({"problem": "another site may not control the sandbox"}, 403)
    action = ACTIONS.get(request.path_params["action"])
    if action is None:
        return json_answer({"problem": f"there are {', '.join(ACTIONS)}"}, 404)
    try:
        raw = await request.body()
        asked = orjson.loads(raw) if raw else {}
        return json_answer(action(request.app.state, **asked))
    except KeyError as missing:
        return json_answer({"problem": f"{missing} is missing"}, 400)
    except (AttributeError, TypeError, ValueError) as problem:
        return json_answer({"problem": str(problem)}, 400)


def is_foreign(request: Request) -> bool:
    """Whether a page of another site makes the browser ask this."""
    return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")


def _account(state: State, account: str | None) -> Account:
    if account is None:
        return next(iter(state.accounts.values()))
    if account not in state.accounts:
        raise ValueError(f"there is no account {account}")
    return state.accounts[account]


def _user(account: Account, email: str | None) -> User:
    for user in account.users:
        if email in (None, user.email):
            return user
    raise ValueError(f"{account.organization} has no user {email}")


def _known(account: Account, email: str) -> Contact:
    known = account.people.by_email(email)
    if known is None:
        raise ValueError(f"no contact has the address {email}")
    return known


def reset(app: Any) -> dict[str, Any]:
    """As new, with the settings and faults it was started with."""
    app.queue.forget()
    app.sandbox.__dict__.update(State().__dict__)
    app.sandbox.touch()
    app.configuration.__dict__.update(app.started_with.__dict__)
    app.faults.clear()
    for text in app.configuration.faults:
        app.faults.add(Fault.parse(text))
    app.limits.forget()
    return {}


def accounts(app: Any) -> list[dict[str, Any]]:
    """Every account with its users, and its lists' ids by name."""
    return [
        {
            "account": one.account_id,
            "organization": one.organization,
            "users": [user.email for user in one.users],
            "contacts": len(one.people),
            "lists": {known.name: known.list_id for known in one.live_lists()},
        }
        for one in app.sandbox.accounts.values()
    ]


def tokens(
    app: Any, account: str | None = None, scopes: str = DEFAULT_SCOPES, user: str | None = None
) -> dict[str, Any]:
    """What the token endpoint would answer after the walk through the browser."""
    found = _account(app.sandbox, account)
    return oauth.issue(
        app.sandbox,
        found,
        _user(found, user).email,
        scopes,
        rotating=app.configuration.rotating,
    )


def seed(
    app: Any,
    contacts: list[dict[str, Any]],
    account: str | None = None,
    list_id: str | None = None,
) -> dict[str, Any]:
    """Contacts of `email`, and perhaps `first_name`, `last_name`, `permission`."""
    found, state = _account(app.sandbox, account), app.sandbox
    if list_id is not None and not found.has_lists(frozenset([list_id])):
        raise ValueError(f"{found.organization} has no list {list_id}")
    lists = [list_id] if list_id else []
    for row in contacts:
        if row.get("permission", "implicit") not in CODES:
            raise ValueError(f"there is no permission {row['permission']}")
        contact = found.people.by_email(row["email"]) or found.people.add(row["email"], state.now())
        contact.rename(row.get("first_name", ""), row.get("last_name", ""))
        contact.permit(row.get("permission", "implicit"))
        contact.put_on(lists)
        if contact.permission == "unsubscribed":
            contact.opt_out(state.now(), "Contact")
    state.touch()
    return {"contacts": len(found.people)}


def add_lists(app: Any, count: int, account: str | None = None) -> dict[str, Any]:
    """So many more lists, named List 0000 and on; the account's limit does not hold."""
    found, now = _account(app.sandbox, account), app.sandbox.now()
    for number in range(count):
        list_id = named_id(found.organization, "seeded", number)
        found.lists[list_id] = ContactList(list_id, f"List {number:04}", created=now, updated=now)
    app.sandbox.touch()
    return {"lists": len(found.lists)}


def members(app: Any, list_id: str, account: str | None = None) -> list[str]:
    """The addresses on a list. `/_control/lists/LIST_ID/members` streams whole contacts."""
    people = _account(app.sandbox, account).people
    return [people.emails[row] for row in people.rows_on_lists(frozenset([list_id]))]


def contact(app: Any, email: str, account: str | None = None) -> dict[str, Any] | None:
    known = _account(app.sandbox, account).people.by_email(email)
    return None if known is None else _shown(known)


def _shown(contact: Contact) -> dict[str, Any]:
    return {
        "email": contact.email,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "more": contact.more,
        "permission": contact.permission,
        "lists": sorted(contact.lists),
        "deleted": contact.deleted is not None,
    }


def unsubscribe(
    app: Any, email: str, account: str | None = None, by: str = "Contact"
) -> dict[str, Any]:
    """`by` is Contact or, when the account's owner does it, Account."""
    if by not in ("Contact", "Account"):
        raise ValueError(f"by is Contact or Account, not {by!r}")
    _known(_account(app.sandbox, account), email).opt_out(app.sandbox.now(), by)
    app.sandbox.touch()
    return {}


def hold(app: Any, email: str, account: str | None = None) -> dict[str, Any]:
    known = _known(_account(app.sandbox, account), email)
    known.permit("temp_hold")
    known.touch(app.sandbox.now())
    app.sandbox.touch()
    return {}


def delete(app: Any, email: str, account: str | None = None) -> dict[str, Any]:
    _known(_account(app.sandbox, account), email).delete(app.sandbox.now())
    app.sandbox.touch()
    return {}


def take_off(app: Any, email: str, list_id: str, account: str | None = None) -> dict[str, Any]:
    known = _known(_account(app.sandbox, account), email)
    known.put_on(known.lists - {list_id})
    known.touch(app.sandbox.now())
    app.sandbox.touch()
    return {}


def change_address(app: Any, email: str, to: str, account: str | None = None) -> dict[str, Any]:
    """As somebody who edits the contact does."""
    found = _account(app.sandbox, account)
    known = _known(found, email)
    if found.people.by_email(to) is not None:
        raise ValueError(f"another contact has the address {to}")
    known.readdress(to)
    known.touch(app.sandbox.now())
    app.sandbox.touch()
    return {}


def configure(app: Any, **values: Any) -> dict[str, Any]:
    """Sets rates, latencies and the kind of refresh tokens."""
    for name, value in values.items():
        if name not in SETTABLE:
            raise ValueError(f"there is no setting {name}; there are {', '.join(SETTABLE)}")
        if type(value) not in SETTABLE[name] or value < 0:
            raise ValueError(f"{name} can't be {value!r}")
    app.configuration.__dict__.update(values)
    return {name: getattr(app.configuration, name) for name in SETTABLE}


def clock(app: Any, offset: float) -> dict[str, Any]:
    """Sets the clock off by so many seconds."""
    app.sandbox.clock_offset = float(offset)
    return {"now": app.sandbox.now()}


def expire_tokens(app: Any) -> dict[str, Any]:
    """Access tokens are no longer accepted; refresh tokens still are."""
    for grant in app.sandbox.by_access.values():
        grant.expires = 0
    return {}


def revoke(app: Any, account: str | None = None) -> dict[str, Any]:
    """No token of any kind is accepted any more, of one account or of all."""
    for known in (app.sandbox.by_access, app.sandbox.by_refresh):
        for token, grant in list(known.items()):
            if account in (None, grant.account_id):
                del known[token]
    app.sandbox.touch()
    return {}


def fault(app: Any, **values: Any) -> list[dict[str, Any]]:
    """Orders a fault; see `sandbox.faults.Fault` for its values."""
    app.faults.add(Fault(**values))
    return list(app.faults.shown())


def clear_faults(app: Any) -> dict[str, Any]:
    app.faults.clear()
    return {}


def statistics(app: Any) -> dict[str, Any]:
    """`requests` counts by method, route and status; `imports` those that were taken."""
    state: State = app.sandbox
    return {
        "requests": dict(state.requests),
        "total": sum(state.requests.values()),
        "imports": state.imports,
        "imported_contacts": state.imported_contacts,
        "most_in_a_second": state.most_in_a_second,
        "today": state.today,
        "faults": app.faults.shown(),
    }


def forget_statistics(app: Any) -> dict[str, Any]:
    """The day's count, which is a limit's, stays."""
    state: State = app.sandbox
    state.requests.clear()
    state.recent.clear()
    state.imports = state.imported_contacts = state.most_in_a_second = 0
    return {}


async def streamed_members(request: Request) -> Response:
    """A list's contacts, one JSON object a line."""
    app = request.app.state
    try:
        account = _account(app.sandbox, request.query_params.get("account"))
    except ValueError as problem:
        return json_answer({"problem": str(problem)}, 404)
    wanted = frozenset([request.path_params["list_id"]])

    def blocks() -> Iterator[bytes]:
        lines: list[bytes] = []
        for known in account.people.on_lists(wanted):
            lines.append(orjson.dumps(_shown(known), option=orjson.OPT_APPEND_NEWLINE))
            if len(lines) == MEMBERS_A_BLOCK:
                yield b"".join(lines)
                lines = []
        yield b"".join(lines)

    return StreamingResponse(blocks(), media_type="application/x-ndjson")


ACTIONS: dict[str, Callable[..., Any]] = {
    action.__name__: action
    for action in (
        accounts,
        add_lists,
        change_address,
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

routes = [
    Route("/lists/{list_id}/members", streamed_members),
    Route("/{action}", control, methods=["GET", "POST"]),
]
