"""The authorization server: pages to allow or deny, codes, tokens of both kinds."""

import base64
import hashlib
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.answers import json_answer
from sandbox.errors import oauth_error
from sandbox.pages import render
from sandbox.state import Code, Grant, State

CODE_SECONDS = 300
ACCESS_SECONDS = 86_400
IDLE_SECONDS = 180 * 86_400
STATE = re.compile(r"[A-Za-z0-9,._-]+")
SCOPES = {
    "account_read": "See the account's name and details",
    "account_update": "Change the account's details",
    "contact_data": "See and change contacts, lists and activities",
    "campaign_data": "See and change campaigns and reports",
    "offline_access": "Keep access while you are away",
}


def _problem(request: Request) -> str:
    asked, configuration = request.query_params, request.app.state.configuration
    if asked.get("client_id") != configuration.client_id:
        return "The client_id is not known."
    uri = urlsplit(asked.get("redirect_uri", ""))
    if uri.scheme not in ("http", "https") or not uri.netloc or uri.fragment:
        return "The redirect_uri is missing or not registered."
    return ""


def _back(request: Request, **answer: str) -> Response:
    uri = request.query_params["redirect_uri"]
    if request.query_params.get("state"):
        answer["state"] = request.query_params["state"]
    return RedirectResponse(f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}", 302)


async def authorize(request: Request) -> Response:
    problem = _problem(request)
    if problem:
        return render(request, "problem.html", {"problem": problem}, status=400)
    asked = request.query_params
    scopes = asked.get("scope", "").split()
    if asked.get("response_type") != "code":
        return _back(request, error="unsupported_response_type", error_description="Use code.")
    if not STATE.fullmatch(asked.get("state", "")):
        return _back(
            request,
            error="invalid_request",
            error_description="The authentication request has an invalid 'state' parameter.",
        )
    if not scopes or not set(scopes) <= set(SCOPES):
        return _back(request, error="invalid_scope", error_description="Unknown scope.")
    state: State = request.app.state.sandbox
    if request.method == "GET":
        context = {
            "accounts": state.accounts.values(),
            "scopes": [SCOPES[scope] for scope in scopes],
        }
        return render(request, "authorize.html", context)
    form = parse_qs((await request.body()).decode())
    account_id = form.get("account", [""])[0]
    if form.get("answer", [""])[0] != "allow" or account_id not in state.accounts:
        return _back(
            request, error="access_denied", error_description="The resource owner denied access."
        )
    code = secrets.token_urlsafe(24)
    state.codes[code] = Code(
        account_id,
        asked["redirect_uri"],
        " ".join(scopes),
        asked.get("code_challenge", ""),
        state.now() + CODE_SECONDS,
    )
    return _back(request, code=code)


async def token(request: Request) -> Response:
    app = request.app.state
    app.limits.take_token_turn()
    parameters = {name: value[0] for name, value in parse_qs(request.url.query).items()}
    parameters |= {
        name: value[0] for name, value in parse_qs((await request.body()).decode()).items()
    }
    grant_type = parameters.get("grant_type")
    if grant_type == "authorization_code":
        return json_answer(_exchange(request, parameters))
    if grant_type == "refresh_token":
        _check_client(request, parameters, verified=False)
        return json_answer(_refresh(app.sandbox, parameters.get("refresh_token", ""), app))
    raise oauth_error(400, "unsupported_grant_type", "The grant type is not supported.")


def _check_client(request: Request, parameters: dict[str, str], *, verified: bool) -> None:
    """The secret, or for an application without one a code verifier."""
    configuration = request.app.state.configuration
    header = request.headers.get("Authorization", "")
    if header.startswith("Basic "):
        try:
            known = base64.b64decode(header[6:]).decode()
        except ValueError:
            known = ""
        if known == f"{configuration.client_id}:{configuration.client_secret}":
            return
    elif verified and parameters.get("client_id") == configuration.client_id:
        return
    raise oauth_error(401, "invalid_client", "Client authentication failed.")


def _exchange(request: Request, parameters: dict[str, str]) -> dict[str, Any]:
    app = request.app.state
    state: State = app.sandbox
    code = state.codes.pop(parameters.get("code", ""), None)
    verifier = parameters.get("code_verifier", "")
    _check_client(request, parameters, verified=bool(verifier))
    if code is None or code.expires < state.now():
        raise oauth_error(400, "invalid_grant", "The authorization code is invalid or expired.")
    if code.redirect_uri != parameters.get("redirect_uri"):
        raise oauth_error(400, "invalid_grant", "The redirect_uri is another than was asked for.")
    if code.challenge:
        digest = hashlib.sha256(verifier.encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != code.challenge:
            raise oauth_error(400, "invalid_grant", "PKCE verification failed.")
    return issue(state, code.account_id, code.scopes, rotating=app.configuration.rotating)


def issue(state: State, account_id: str, scopes: str, *, rotating: bool) -> dict[str, Any]:
    """A new grant. With rotating refresh tokens the account's earlier ones stop working."""
    if rotating:
        for earlier in state.grants:
            if earlier.account_id == account_id:
                earlier.refresh = None
    refresh = secrets.token_urlsafe(32) if "offline_access" in scopes.split() else None
    grant = Grant(account_id, scopes, "", 0, refresh, state.now())
    state.grants.append(grant)
    return _answer(state, grant)


def _refresh(state: State, refresh_token: str, app: Any) -> dict[str, Any]:
    grant = next(
        (one for one in state.grants if one.refresh and one.refresh == refresh_token), None
    )
    if grant is None or state.now() - grant.used > IDLE_SECONDS:
        raise oauth_error(400, "invalid_grant", "The refresh token is invalid or expired.")
    if app.configuration.rotating:
        grant.refresh = secrets.token_urlsafe(32)
    return _answer(state, grant)


def _answer(state: State, grant: Grant) -> dict[str, Any]:
    state.by_access.pop(grant.access, None)
    grant.access = _jwt_shaped(grant.account_id)
    grant.expires = state.now() + ACCESS_SECONDS
    grant.used = state.now()
    state.by_access[grant.access] = grant
    state.touch()
    answer: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "access_token": grant.access,
        "scope": grant.scopes,
    }
    if grant.refresh:
        answer["refresh_token"] = grant.refresh
    return answer


def _jwt_shaped(account_id: str) -> str:
    def part(content: dict[str, str]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()

    claims = {"sub": account_id, "jti": secrets.token_urlsafe(400)}
    return f"{part({'alg': 'RS256', 'kid': 'sandbox'})}.{part(claims)}.{secrets.token_urlsafe(256)}"


routes = [
    Route("/v1/authorize", authorize, methods=["GET", "POST"]),
    Route("/v1/token", token, methods=["POST"]),
]
