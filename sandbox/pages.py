"""Pages for a person: what arrived, who is on which list, what was asked lately."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import control

HERE = Path(__file__).resolve().parent
ROWS = 50
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape()
)


def render(request: Request, name: str, context: dict[str, Any], status: int = 200) -> Response:
    text = _templates.get_template(name).render(request=request, **context)
    return HTMLResponse(text, status, {"Content-Security-Policy": POLICY})


async def home(request: Request) -> Response:
    app = request.app.state
    accounts = []
    for account in app.sandbox.accounts.values():
        sizes = dict.fromkeys(account.lists, 0)
        for contact in account.contacts.values():
            for list_id in contact.lists:
                sizes[list_id] = sizes.get(list_id, 0) + 1
        accounts.append({"account": account, "sizes": sizes})
    activities = sorted(
        (one for account in app.sandbox.accounts.values() for one in account.activities.values()),
        key=lambda one: -one.created,
    )
    context = {
        "accounts": accounts,
        "recent": list(reversed(app.sandbox.recent))[:20],
        "activities": activities[:15],
        "faults": app.faults.shown(),
        "today": app.limits.today,
        "per_day": app.configuration.rate_per_day,
    }
    return render(request, "home.html", context)


async def members(request: Request) -> Response:
    account = request.app.state.sandbox.accounts.get(request.path_params["account_id"])
    known = account and account.lists.get(request.path_params["list_id"])
    if known is None:
        return render(request, "problem.html", {"problem": "There is no such list."}, 404)
    if request.method == "POST":
        form = await request.form()
        action = {"unsubscribe": control.unsubscribe, "delete": control.delete}[str(form["action"])]
        action(request.app.state, email=str(form["email"]), account=account.account_id)
        return RedirectResponse(str(request.url), 303)
    searched = request.query_params.get("q", "").strip().lower()
    start = int(request.query_params.get("start", "0") or 0)
    found = [
        contact
        for contact in account.contacts.values()
        if known.list_id in contact.lists
        and (searched in contact.email.lower() or searched in contact.last_name.lower())
    ]
    context = {
        "account": account,
        "list": known,
        "contacts": found[start : start + ROWS],
        "count": len(found),
        "start": start,
        "following": start + ROWS if start + ROWS < len(found) else None,
        "searched": searched,
    }
    return render(request, "members.html", context)


routes = [
    Route("/", home),
    Route("/accounts/{account_id}/lists/{list_id}", members, methods=["GET", "POST"]),
]
