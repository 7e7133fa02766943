"""The authorization server's token endpoint, and the grants that it gives."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.answers import json_answer
from sandbox.bodies import raw_body
from sandbox.configuration import Configuration
from sandbox.errors import invalid_grant, oauth_error
from sandbox.state import Account, Code, Grant, State

CODE_SECONDS = 300
ACCESS_SECONDS = 86_400
IDLE_SECONDS = 180 * 86_400
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
FORM = "application/x-www-form-urlencoded"
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


async def token(request: Request) -> Response:
    app = request.app.state
    app.limits.take_token_turn()
    parameters = await _parameters(request)
    grants: dict[str, Callable[[Request, dict[str, str]], dict[str, Any]]] = {
        "authorization_code": _exchange,
        "refresh_token": _refresh,
    }
    asked = parameters.get("grant_type", "")
    if asked not in grants:
        error = "unsupported_grant_type" if asked else "invalid_request"
        raise oauth_error(400, error, "The grant type is missing or not supported.")
    return json_answer(grants[asked](request, parameters), headers=NOT_KEPT)


async def _parameters(request: Request) -> dict[str, str]:
    """From the query, as the provider's own examples have it, or from a form."""
    parameters = dict(parse_qsl(request.url.query))
    body = await raw_body(request)
    if not body:
        return parameters
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != FORM:
        raise oauth_error(400, "invalid_request", f"The Content-Type must be {FORM}.")
    return parameters | dict(parse_qsl(body.decode(errors="replace")))


def _is_confidential(request: Request, parameters: dict[str, str]) -> bool:
    """Whether the application showed its secret; without any it must show a code verifier.

    Raises a Refusal for a wrong one.
    """
    configuration: Configuration = request.app.state.configuration
    kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if kind == "Basic":
        try:
            shown = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            shown = ("", "", "")
        known = (configuration.client_id, configuration.client_secret)
        if (unquote(shown[0]), unquote(shown[2])) == known:
            return True
    elif parameters.get("client_id") == configuration.client_id:
        return False
    raise oauth_error(
        401,
        "invalid_client",
        "Client authentication failed.",
        {"WWW-Authenticate": 'Basic realm="sandbox"'},
    )


def _exchange(request: Request, parameters: dict[str, str]) -> dict[str, Any]:
    state: State = request.app.state.sandbox
    confidential = _is_confidential(request, parameters)
    code = state.codes.pop(parameters.get("code", ""), None)
    if code is None or code.expires < state.now():
        raise oauth_error(400, "invalid_grant", "The authorization code is invalid or expired.")
    if code.redirect_uri != parameters.get("redirect_uri"):
        raise oauth_error(400, "invalid_grant", "The redirect_uri is another than was asked for.")
    if not _is_verified(code, parameters.get("code_verifier", "")):
        raise oauth_error(400, "invalid_grant", "PKCE verification failed.")
    if not confidential and not code.challenge:
        raise oauth_error(401, "invalid_client", "A secret or a code verifier is needed.")
    return issue(
        state,
        state.accounts[code.account_id],
        code.user,
        code.scopes,
        rotating=request.app.state.configuration.rotating,
        public=not confidential,
    )


def _is_verified(code: Code, verifier: str) -> bool:
    if not code.challenge:
        return not verifier
    if not VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == code.challenge


def issue(
    state: State, account: Account, user: str, scopes: str, *, rotating: bool, public: bool = False
) -> dict[str, Any]:
    """A new grant. With rotating refresh tokens the user's earlier ones stop working."""
    if rotating:
        for earlier in list(state.by_refresh.values()):
            if (earlier.account_id, earlier.user) == (account.account_id, user):
                del state.by_refresh[str(earlier.refresh)]
    grant = Grant(account.account_id, user, scopes, "", 0, None, state.now(), public)
    if "offline_access" in scopes.split():
        _give_refresh_token(state, grant)
    return _answer(state, grant)


def _refresh(request: Request, parameters: dict[str, str]) -> dict[str, Any]:
    state: State = request.app.state.sandbox
    confidential = _is_confidential(request, parameters)
    grant = state.by_refresh.get(parameters.get("refresh_token", ""))
    if grant is None or state.now() - grant.used > IDLE_SECONDS:
        raise invalid_grant()
    if not confidential and not grant.public:
        raise oauth_error(401, "invalid_client", "Client authentication failed.")
    if request.app.state.configuration.rotating:
        _give_refresh_token(state, grant)
    return _answer(state, grant)


def _give_refresh_token(state: State, grant: Grant) -> None:
    state.by_refresh.pop(str(grant.refresh), None)
    grant.refresh = secrets.token_urlsafe(32)
    state.by_refresh[grant.refresh] = grant


def _answer(state: State, grant: Grant) -> dict[str, Any]:
    """A new access token in place of the grant's earlier one."""
    state.by_access.pop(grant.access, None)
    grant.used = state.now()
    grant.expires = grant.used + ACCESS_SECONDS
    grant.access = _jwt_shaped(grant)
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


def _jwt_shaped(grant: Grant) -> str:
    """As long as the provider's, some 1,000 characters; the signature is noise."""

    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()

    claims = {
        "ver": 1,
        "jti": f"AT.{secrets.token_urlsafe(200)}",
        "iss": "sandbox",
        "iat": int(grant.used),
        "exp": int(grant.expires),
        "sub": grant.user,
        "uid": grant.account_id,
        "scp": grant.scopes.split(),
    }
    return f"{part({'alg': 'RS256', 'kid': 'sandbox'})}.{part(claims)}.{secrets.token_urlsafe(256)}"


routes = [Route("/v1/token", token, methods=["POST"])]
