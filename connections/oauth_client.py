"""OAuth 2 with Constant Contact: the protocol is Authlib's, the addresses are the provider's.

Reference: https://developer.constantcontact.com/api_guide/server_flow.html
"""

import secrets
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.urls import reverse

SCOPES = "offline_access contact_data account_read"
TIMEOUT_SECONDS = 20
VERIFIER_BYTES = 64


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
    """The tokens for an authorization code. Raises Authlib's OAuthError or requests' errors."""
    with _session() as session:
        return dict(
            session.fetch_token(
                _token_url(), code=code, code_verifier=verifier, timeout=TIMEOUT_SECONDS
            )
        )


def refresh(refresh_token: str) -> dict[str, Any]:
    """A new pair of tokens. Raises as `exchange` does."""
    with _session() as session:
        return dict(
            session.refresh_token(
                _token_url(), refresh_token=refresh_token, timeout=TIMEOUT_SECONDS
            )
        )


def _token_url() -> str:
    return f"{settings.CONSTANT_CONTACT_AUTH_URL}/v1/token"


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
        response.raise_for_status()
    return response
