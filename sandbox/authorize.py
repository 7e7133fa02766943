"""The authorization server's page: a person signs in, sees what is asked, allows or denies."""

import re
import secrets
from fnmatch import fnmatchcase
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.bodies import raw_body
from sandbox.configuration import Configuration
from sandbox.oauth import CODE_SECONDS
from sandbox.pages import render
from sandbox.state import Account, Code, State, User

STATE = re.compile(r"[A-Za-z0-9,._-]+")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
SCOPES = {
    "account_read": "See the account's name and details",
    "account_update": "Change the account's details",
    "billing_data": "See and change how the account is billed",
    "campaign_data": "See and change campaigns and reports",
    "contact_data": "See and change contacts, lists and activities",
    "offline_access": "Keep access while you are away",
}
THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


class Refused(Exception):
    """What the browser is sent back with: OAuth's error and its description."""


async def authorize(request: Request) -> Response:
    problem = _problem(request)
    if problem:
        return render(request, "problem.html", {"problem": problem}, status=400)
    try:
        scopes = _checked_scopes(request)
        if request.method == "POST":
            return _back(request, code=await _code(request, scopes))
    except Refused as refused:
        error, description = refused.args
        return _back(request, error=error, error_description=description)
    context = {
        "users": _users(request.app.state.sandbox),
        "scopes": [SCOPES[scope] for scope in scopes],
    }
    uri = urlsplit(request.query_params["redirect_uri"])
    return render(request, "authorize.html", context, form_to=f"{uri.scheme}://{uri.netloc}")


def _problem(request: Request) -> str:
    """Why the browser can't be sent back at all."""
    asked, configuration = request.query_params, request.app.state.configuration
    if asked.get("client_id") != configuration.client_id:
        return "The client_id is not known."
    if not is_registered(configuration, asked.get("redirect_uri", "")):
        return "The redirect_uri is missing or not registered for this application."
    return ""


def is_registered(configuration: Configuration, redirect_uri: str) -> bool:
    """Character for character, unless it is registered by a pattern; fragments never are."""
    if "#" in redirect_uri:
        return False
    try:
        uri = urlsplit(redirect_uri)
    except ValueError:
        return False
    if uri.scheme not in ("http", "https") or not uri.hostname:
        return False
    if configuration.redirect_uris:
        return any(fnmatchcase(redirect_uri, known) for known in configuration.redirect_uris)
    return uri.hostname in THIS_MACHINE


def _checked_scopes(request: Request) -> list[str]:
    asked = request.query_params
    if asked.get("response_type") != "code":
        raise Refused("unsupported_response_type", "The response_type must be code.")
    if not STATE.fullmatch(asked.get("state", "")):
        raise Refused(
            "invalid_request", "The authentication request has an invalid 'state' parameter."
        )
    scopes = asked.get("scope", "").split()
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Refused("invalid_scope", "One or more scopes are not configured.")
    challenge = asked.get("code_challenge")
    if challenge is None and asked.get("code_challenge_method") is None:
        return scopes
    if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge or ""):
        raise Refused("invalid_request", "The code_challenge or its method is not valid.")
    return scopes


def _users(state: State) -> list[tuple[Account, User]]:
    """Who may sign in: the accounts' owners first."""
    pairs = [(account, user) for account in state.accounts.values() for user in account.users]
    return sorted(pairs, key=lambda pair: pair[1] is not pair[0].owner)


async def _code(request: Request, scopes: list[str]) -> str:
    state: State = request.app.state.sandbox
    form = parse_qs((await raw_body(request)).decode(errors="replace"))
    chosen = form.get("account", [""])[0]
    found = next((pair for pair in _users(state) if pair[1].email == chosen), None)
    if found is None or form.get("answer") != ["allow"]:
        raise Refused("access_denied", "The resource owner denied the request.")
    account, user = found
    for old in [code for code, known in state.codes.items() if known.expires < state.now()]:
        del state.codes[old]
    code = secrets.token_urlsafe(24)
    state.codes[code] = Code(
        account.account_id,
        user.email,
        request.query_params["redirect_uri"],
        " ".join(scopes),
        request.query_params.get("code_challenge", ""),
        state.now() + CODE_SECONDS,
    )
    state.touch()
    return code


def _back(request: Request, **answer: str) -> Response:
    uri = request.query_params["redirect_uri"]
    state = request.query_params.get("state", "")
    if STATE.fullmatch(state):
        answer["state"] = state
    separator = "&" if "?" in uri else "?"
    return RedirectResponse(f"{uri}{separator}{urlencode(answer)}", 302)


routes = [Route("/v1/authorize", authorize, methods=["GET", "POST"])]
