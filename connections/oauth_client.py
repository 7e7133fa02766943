"""OAuth 2 with Constant Contact: the protocol is Authlib's, the addresses are the provider's.

Reference: https://developer.constantcontact.com/api_guide/server_flow.html
"""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.urls import reverse
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from connections.constant_contact.errors import retry_after
from connections.limiter import pause_tokens, token_turn

SCOPES = "offline_access contact_data account_read"
TIMEOUT_SECONDS = (5, 20)
VERIFIER_BYTES = 64
ATTEMPTS = 3


def is_configured() -> bool:
    """Whether an operator has registered this installation with Constant Contact."""
    return bool(settings.CONSTANT_CONTACT_CLIENT_ID and settings.CONSTANT_CONTACT_CLIENT_SECRET)


def origin() -> str:
    """Where the sign-in pages are, as a security policy names it."""
    parts = urlsplit(settings.CONSTANT_CONTACT_AUTH_URL)
    return f"{parts.scheme}://{parts.netloc}"


def redirect_uri() -> str:
    return f"{settings.BASE_URL}{reverse('connections_callback:callback')}"


def authorization_url(state: str) -> tuple[str, str]:
    """Where to send the browser, and the PKCE verifier to keep for its return."""
    verifier = secrets.token_urlsafe(VERIFIER_BYTES)
    with _session() as session:
        url, _ = session.create_authorization_url(
            f"{settings.CONSTANT_CONTACT_AUTH_URL}/v1/authorize",
            state=state,
            code_verifier=verifier,
        )
    return url, verifier


def exchange(code: str, verifier: str) -> dict[str, Any]:
    """The tokens for an authorization code.

    Raises Authlib's OAuthError, requests' errors, ValueError for an answer without a token, and
    `Throttled` when the token endpoint's turns are taken.
    """
    return _tokens(
        lambda session, url: session.fetch_token(
            url, code=code, code_verifier=verifier, timeout=TIMEOUT_SECONDS
        )
    )


def refresh(refresh_token: str) -> dict[str, Any]:
    """A new pair of tokens. Raises as `exchange` does."""
    return _tokens(
        lambda session, url: session.refresh_token(
            url, refresh_token=refresh_token, timeout=TIMEOUT_SECONDS
        )
    )


def _tokens(ask: Callable[[OAuth2Session, str], dict[str, Any]]) -> dict[str, Any]:
    """Asks again, within seconds, only when the question was not taken, and not before its time."""
    for attempt in Retrying(
        retry=retry_if_exception(_not_taken),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=3),
        reraise=True,
    ):
        with attempt, _session() as session:
            token_turn()
            answer = dict(ask(session, f"{settings.CONSTANT_CONTACT_AUTH_URL}/v1/token"))
    if not answer.get("access_token"):
        raise ValueError("the token endpoint's answer holds no token")
    return answer


def _not_taken(failure: BaseException) -> bool:
    """It was never reached, or said that it is too busy or has a fault of its own, not how long."""
    if isinstance(failure, requests.HTTPError) and failure.response is not None:
        return not retry_after(failure.response)
    return isinstance(failure, requests.ConnectTimeout)


def _session() -> OAuth2Session:
    session = OAuth2Session(
        settings.CONSTANT_CONTACT_CLIENT_ID,
        settings.CONSTANT_CONTACT_CLIENT_SECRET,
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - a method, no secret
        scope=SCOPES,
        redirect_uri=redirect_uri(),
        code_challenge_method="S256",
    )
    session.register_compliance_hook("access_token_response", _fail_on_fault)
    session.register_compliance_hook("refresh_token_response", _fail_on_fault)
    return session


def _fail_on_fault(response: Any) -> Any:
    """A fault or a limit of the server's says nothing about the grant."""
    if response.status_code == 429 or response.status_code >= 500:
        if seconds := retry_after(response):
            pause_tokens(seconds)
        response.raise_for_status()
    return response
