"""What follows a person's answer at Constant Contact: tokens, and whose account they open."""

from collections.abc import Mapping
from typing import Any

import requests
from authlib.integrations.base_client.errors import OAuthError
from django.conf import settings
from django.utils.translation import gettext as _

from connections import oauth_client, services, words
from connections.access import client_of, limiter
from connections.constant_contact.answers import AccountSummary
from connections.constant_contact.client import Client
from connections.models import Connection
from connections.oauth import SignIn
from connections.provider.errors import ProviderError, SignInAgain
from workspaces.models import User

NEEDED_SCOPES = {"contact_data", "account_read"}
# What only an operator can mend: the application isn't registered there as it says here.
NOT_REGISTERED = {
    "invalid_client",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_response_type",
    "unsupported_grant_type",
}


class AuthorisationFailed(Exception):
    """Why a connection could not be authorised, and what to do; the message is for people."""


class WrongAccount(AuthorisationFailed):
    """It worked, for another account than the connection's. Carries what a yes would keep."""

    def __init__(self, message: str, answer: dict[str, Any], account: AccountSummary) -> None:
        super().__init__(message)
        self.answer = answer
        self.account = account


class FreshToken:
    """The token of an authorisation that is not stored yet."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get(self) -> str:
        return self._token

    def refresh(self, stale: str) -> str:
        raise SignInAgain("Constant Contact does not accept its own new token.")


def complete(
    connection: Connection, sign_in: SignIn, answer: Mapping[str, str], *, by: User
) -> None:
    """Exchanges the code, asks whose account it is and stores both.

    `answer` is what Constant Contact sent the browser back with. Raises `AuthorisationFailed`,
    `WrongAccount`, `services.Refused`.
    """
    _ensure_allowed(answer)
    complete_with(connection, _exchanged(answer["code"], sign_in), by=by)


def complete_with(connection: Connection, tokens: dict[str, Any], *, by: User) -> None:
    """Stores fresh tokens once it is known whose account they open. Raises as `complete` does."""
    _ensure_enough(tokens)
    account = _account_of(tokens)
    try:
        services.keep_authorisation(connection, tokens, account, by=by)
    except services.AnotherAccount as other:
        raise WrongAccount(str(other), tokens, account) from None


def check(connection: Connection) -> AccountSummary:
    """Asks Constant Contact whose account it is: no data leaves. Raises `ProviderError`."""
    account = client_of(connection).account_summary()
    services.keep_account(connection, account)
    return account


def _ensure_allowed(answer: Mapping[str, str]) -> None:
    error = answer.get("error", "")
    if error == "access_denied":
        raise AuthorisationFailed(
            _(
                "You did not allow access at Constant Contact, so nothing is connected. What you"
                " entered is kept: connect again when you want to."
            )
        )
    if error in NOT_REGISTERED:
        raise AuthorisationFailed(_not_registered())
    if error or not answer.get("code"):
        raise AuthorisationFailed(_unfinished())


def _exchanged(code: str, sign_in: SignIn) -> dict[str, Any]:
    try:
        return oauth_client.exchange(code, sign_in.verifier)
    except OAuthError as refused:
        text = _not_registered() if refused.error in NOT_REGISTERED else _unfinished()
        raise AuthorisationFailed(text) from None
    except (requests.RequestException, ProviderError, ValueError):
        raise AuthorisationFailed(_unfinished()) from None


def _ensure_enough(tokens: dict[str, Any]) -> None:
    if not tokens.get("refresh_token"):
        raise AuthorisationFailed(
            _(
                "Constant Contact gave no lasting access, so exports would stop after a day. Ask"
                " your operator to allow refresh tokens for this application at Constant Contact,"
                " then connect again."
            )
        )
    granted = set(str(tokens.get("scope") or "").split())
    if granted and not granted >= NEEDED_SCOPES:
        raise AuthorisationFailed(
            _(
                "Exports need access to contacts and to the account’s details, and Constant"
                " Contact did not give both. Connect again and allow both; if you are not asked,"
                " your user there may lack the right to."
            )
        )


def _account_of(tokens: dict[str, Any]) -> AccountSummary:
    token = FreshToken(str(tokens["access_token"]))
    try:
        account = Client(settings.CONSTANT_CONTACT_API_URL, token, limiter()).account_summary()
    except ProviderError as error:
        raise AuthorisationFailed(
            _("You are signed in, but the account could not be read. %(problem)s Try again.")
            % {"problem": words.error_text(error)}
        ) from None
    if not account.encoded_account_id:
        raise AuthorisationFailed(
            _("You are signed in, but Constant Contact did not say to which account. Try again.")
        )
    return account


def _unfinished() -> str:
    return _(
        "Constant Contact did not complete the sign-in. What you entered is kept: connect again,"
        " in a few minutes if it fails at once."
    )


def _not_registered() -> str:
    return _(
        "Constant Contact does not accept this installation of Segue as it is registered there."
        " Ask your operator to check its client ID, its secret and this redirect address:"
        " %(address)s"
    ) % {"address": oauth_client.redirect_uri()}
