"""Opens the token's workspace around every request of the API, and finishes every answer."""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django_scopes import scope

from api import etags, limits, tokens
from api.models import Token
from api.problems import CONTENT_TYPE, OF_STATUS, Problem
from config import correlation
from workspaces import audit, two_step
from workspaces.middleware import WorkspaceRequest, client_address
from workspaces.models import User

PREFIX = "/api/v1/"
OPEN = (f"{PREFIX}openapi.json",)


class ApiRequest(WorkspaceRequest):
    """A request under `/api/v1/`. `actor` is the member; None for a service.

    An operation may note the `version` of what it answers with, for the ETag.
    """

    token: Token
    actor: User | None
    version: str


class ApiMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        if request.method == "HEAD":
            return self._head(request)
        return self._answered(request)

    def _head(self, request: HttpRequest) -> HttpResponse:
        """What GET answers, without the body."""
        request.method = "GET"
        response = self._answered(request)
        request.method = "HEAD"
        if response.streaming:
            response.streaming_content = ()  # type: ignore[attr-defined]
            return response
        if response.content:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    def _answered(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in OPEN:
            return _finished(request, self.get_response(request))
        count = None
        try:
            token, address = _admitted(request)
            count = limits.count(token.pk)
            if count and count.is_over:
                raise Problem("rate_limited")
            response = self._within(request, token, address)
        except Problem as problem:
            response = problem.response()
        response = _finished(request, response)
        if count:
            for name, value in count.headers().items():
                response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(response, ["Authorization"])
        return response

    def _within(self, request: HttpRequest, token: Token, address: str) -> HttpResponse:
        member = tokens.bearer(token)
        request.token = token  # type: ignore[attr-defined]
        request.workspace = token.workspace  # type: ignore[attr-defined]
        request.membership = member  # type: ignore[attr-defined]
        actor = token.membership.user if token.membership else None
        request.actor = actor  # type: ignore[attr-defined]
        request.user = actor or AnonymousUser()
        workspace = token.workspace
        correlation.bind(workspace=workspace.pk)
        with (
            scope(workspace=workspace),
            timezone.override(workspace.tzinfo),
            audit.through(token.name, address),
        ):
            tokens.note_use(token, address)
            return self.get_response(request)


def _admitted(request: HttpRequest) -> tuple[Token, str]:
    """The valid token that came with the request, and whence. Raises `Problem`."""
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    token = tokens.find(text.strip()) if scheme.lower() == "bearer" else None
    challenge = {"WWW-Authenticate": 'Bearer realm="Segue"'}
    if token is None or (token.membership and not token.membership.user.is_active):
        raise Problem("unauthenticated", headers=challenge)
    if token.state != "valid":
        invalid = {"WWW-Authenticate": 'Bearer realm="Segue", error="invalid_token"'}
        raise Problem(f"token_{token.state}", headers=invalid)
    if token.membership and two_step.is_missing(token.workspace, token.membership.user):
        raise Problem("two_step_required")
    address = client_address(request)
    if token.addresses and not (address and tokens.allows(token, address)):
        raise Problem("address_not_allowed")
    return token, address


def _finished(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Errors of whatever layer as problems; an answer that may be kept with its ETag."""
    if request.method == "GET" and response.status_code == 200 and not response.streaming:
        if "ETag" not in response:
            response["ETag"] = etags.of_body(response.content)
        etag = response["ETag"]
        response = get_conditional_response(request, etag=etag, response=response) or response
    if response.status_code < 400 or response.headers.get("Content-Type") == CONTENT_TYPE:
        return response
    code = OF_STATUS.get(response.status_code, "server_error")
    kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
    return Problem(code, headers=kept).response()
