"""Pages for a person: what arrived, who is on which list, what was asked lately."""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import control
from sandbox.people import Contact, People
from sandbox.state import Account

HERE = Path(__file__).resolve().parent
ROWS = 50
SHOWN_REQUESTS = 20
SHOWN_ACTIVITIES = 15
ACTIONS = {"unsubscribe": control.unsubscribe, "delete": control.delete}


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["at"] = _at
_templates.filters["number"] = lambda number: f"{number:,}"


def render(
    request: Request, name: str, context: dict[str, Any], status: int = 200, form_to: str = ""
) -> Response:
    """`form_to` is where, besides here, a form's answer may lead."""
    text = _templates.get_template(name).render(request=request, **context)
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_to}"
    )
    headers = {
        "Content-Security-Policy": policy.strip(),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(text, status, headers)


async def home(request: Request) -> Response:
    app = request.app.state
    everything = [
        (account, account.people.sizes(active=False)) for account in app.sandbox.accounts.values()
    ]
    activities = sorted(
        (one for account, _ in everything for one in account.activities.values()),
        key=lambda one: -one.created,
    )
    context = {
        "accounts": everything,
        "recent": list(reversed(app.sandbox.recent))[:SHOWN_REQUESTS],
        "activities": activities[:SHOWN_ACTIVITIES],
        "faults": app.faults.shown(),
        "today": app.sandbox.today,
        "per_day": app.configuration.rate_per_day,
    }
    return render(request, "home.html", context)


async def contacts(request: Request) -> Response:
    """A list's contacts or, without a list, all of the account's, the deleted ones too."""
    account: Account | None = request.app.state.sandbox.accounts.get(
        request.path_params["account_id"]
    )
    list_id = request.path_params.get("list_id")
    if account is None or (list_id and not account.has_lists(frozenset([list_id]))):
        return render(request, "problem.html", {"problem": "There is no such list."}, 404)
    if request.method == "POST":
        return await _act(request, account)
    searched = request.query_params.get("q", "").strip()
    text = request.query_params.get("start", "")
    start = int(text) if text.isdecimal() else 0
    rows = _rows(account.people, list_id, searched.lower())
    shown = [Contact(account.people, row) for row in islice(rows, start, start + ROWS)]
    more = next(iter(rows), None) is not None
    size = account.people.sizes(active=False)[list_id] if list_id else len(account.people)
    context = {
        "account": account,
        "list": account.lists[list_id] if list_id else None,
        "contacts": shown,
        "size": size,
        "searched": searched,
        "start": start,
        "earlier": max(0, start - ROWS) if start else None,
        "later": start + ROWS if more else None,
    }
    return render(request, "contacts.html", context)


def _rows(people: People, list_id: str | None, searched: str) -> Any:
    rows = people.rows_on_lists(frozenset([list_id])) if list_id else iter(range(len(people)))
    if not searched:
        return rows
    columns = (people.emails, people.first_names, people.last_names)
    return (row for row in rows if any(searched in column[row].lower() for column in columns))


async def _act(request: Request, account: Account) -> Response:
    if control.is_foreign(request):
        return PlainTextResponse("Another site may not do this.", 403)
    form = await request.form()
    action = ACTIONS.get(str(form.get("action")))
    known = account.people.by_email(str(form.get("email", "")))
    if action is None or known is None:
        return render(request, "problem.html", {"problem": "There is no such contact."}, 404)
    action(request.app.state, email=known.email, account=account.account_id)
    return RedirectResponse(str(request.url), 303)


routes = [
    Route("/", home),
    Route("/accounts/{account_id}", contacts, methods=["GET", "POST"]),
    Route("/accounts/{account_id}/lists/{list_id}", contacts, methods=["GET", "POST"]),
]
