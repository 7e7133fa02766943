"""Where else people may sign in: OpenID Connect issuers, as the environment names them."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environs import Env

GOOGLE = "https://accounts.google.com"
MICROSOFT = "https://login.microsoftonline.com/{tenant}/v2.0"


def named(env: Env, *, only_https: bool) -> list[dict[str, Any]]:
    """The issuers with a client ID, in the form that allauth takes.

    Each vouches for the addresses of its `domains` only, whatever else it says is verified.
    """
    found = []
    if client_id := env.str("OIDC_GOOGLE_CLIENT_ID", default=""):
        found.append(_issuer(env, "OIDC_GOOGLE", "google", "Google", client_id, GOOGLE))
    if client_id := env.str("OIDC_MICROSOFT_CLIENT_ID", default=""):
        issuer = MICROSOFT.format(tenant=_needed(env, "OIDC_MICROSOFT_TENANT"))
        found.append(_issuer(env, "OIDC_MICROSOFT", "microsoft", "Microsoft", client_id, issuer))
    if client_id := env.str("OIDC_CLIENT_ID", default=""):
        issuer = _needed(env, "OIDC_ISSUER").rstrip("/")
        if only_https and not issuer.startswith("https://"):
            raise ImproperlyConfigured("OIDC_ISSUER must begin with https://.")
        name = env.str("OIDC_NAME", default="OpenID Connect")
        found.append(_issuer(env, "OIDC", "oidc", name, client_id, issuer))
    return found


def _issuer(
    env: Env, prefix: str, known_as: str, name: str, client_id: str, issuer: str
) -> dict[str, Any]:
    return {
        "provider_id": known_as,
        "name": name,
        "client_id": client_id,
        "secret": _needed(env, f"{prefix}_CLIENT_SECRET"),
        "settings": {
            "server_url": issuer,
            "oauth_pkce_enabled": True,
            "domains": env.str(f"{prefix}_DOMAINS", default="").lower().replace(",", " ").split(),
        },
    }


def _needed(env: Env, name: str) -> str:
    if value := env.str(name, default=""):
        return value
    raise ImproperlyConfigured(f"{name} is missing: docs/operations.md says what it is.")
