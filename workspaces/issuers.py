"""What an OpenID Connect issuer is believed of a person."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from config.issuers import GOOGLE

YES = (True, 1, "1", "true")


def ways() -> list[dict[str, str]]:
    """The name of each issuer, and the address that a form leading there is sent to."""
    return [
        {"name": app["name"], "url": reverse("openid_connect_login", args=[app["provider_id"]])}
        for app in _apps()
    ]


def name_of(provider: str) -> str:
    names = {app["provider_id"]: app["name"] for app in _apps()}
    return str(names.get(provider, provider))


def address_of(account: Any) -> str:
    """The e-mail address that the issuer told of, if any."""
    return str(_claims(account).get("email", ""))


def domains() -> set[str]:
    """The domains whose addresses some issuer may vouch for, as the operator says."""
    return {domain for app in _apps() for domain in app["settings"]["domains"]}


def name_for(email: str) -> str:
    """The name of the issuer that vouches for addresses of the same domain; empty if none does."""
    domain = email.rpartition("@")[2].lower()
    names = (app["name"] for app in _apps() if domain in app["settings"]["domains"])
    return str(next(names, ""))


def vouches(login: Any, email: str) -> bool:
    """Whether the issuer has verified the address, and is one to be believed about its domain.

    Microsoft says `xms_edov` for the same. Google verifies addresses of accounts that are not the
    domain's too: `hd` names the domain that an account belongs to.
    """
    claims = _claims(login.account)
    domain = email.rpartition("@")[2].lower()
    app = login.provider.app
    if domain not in app.settings.get("domains", []):
        return False
    if app.settings["server_url"] == GOOGLE and claims.get("hd") != domain:
        return False
    is_verified = claims.get("email_verified", claims.get("xms_edov"))
    return is_verified in YES and str(claims.get("email", "")).lower() == email.lower()


def _claims(account: Any) -> dict[str, Any]:
    said = account.extra_data
    return {**said.get("id_token", {}), **said.get("userinfo", {})}


def _apps() -> list[dict[str, Any]]:
    return list(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])
