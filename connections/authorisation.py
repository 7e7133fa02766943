"""What follows a person's answer at Constant Contact: tokens, and whose account they open."""

from collections.abc import Mapping

from django.conf import settings
from django.utils.translation import gettext as _

from connections import oauth_client, services
from connections.access import limiter
from connections.constant_contact.client import Client
from connections.constant_contact.errors import ConstantContactError, SignInAgain
from connections.models import Connection
from connections.oauth import SignIn
from workspaces.models import User

NEEDED_SCOPES = {"contact_data", "account_read"}


class AuthorisationFailed(Exception):
    """Why a connection could not be authorised, and what to do; the message is for people."""


class FreshToken:
    """The token of an authorisation that is not stored yet."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get(self) -> str:
        return self.token

    def refresh(self, stale: str) -> str:
        raise SignInAgain("Constant Contact does not accept its own new token.")


def complete(
    connection: Connection, sign_in: SignIn, answer: Mapping[str, str], *, by: User
) -> None:
    """Exchanges the code, asks whose account it is and stores both.

    Raises `AuthorisationFailed`, `services.Refused`, and what `oauth_client.exchange` raises.
    """
    if answer.get("error") == "access_denied":
        raise AuthorisationFailed(
            _("You did not allow access at Constant Contact. Connect again when you want to.")
        )
    if answer.get("error") or not answer.get("code"):
        raise AuthorisationFailed(
            _("Constant Contact did not complete the sign-in. Nothing is lost: try again.")
        )
    complete_with(connection, oauth_client.exchange(answer["code"], sign_in.verifier), by=by)


def complete_with(connection: Connection, tokens: dict[str, object], *, by: User) -> None:
    """Stores fresh tokens once it is known whose account they open. Raises as `complete` does."""
    if not tokens.get("refresh_token"):
        raise AuthorisationFailed(
            _(
                "Constant Contact gave no lasting access, so exports would stop after a day. Ask"
                " your operator to allow refresh tokens for this application there."
            )
        )
    granted = str(tokens.get("scope") or "").split()
    if granted and not set(granted) >= NEEDED_SCOPES:
        raise AuthorisationFailed(
            _("Exports need access to contacts and account details. Connect again and allow both.")
        )
    token = FreshToken(str(tokens["access_token"]))
    client = Client(settings.CONSTANT_CONTACT_API_URL, token, limiter())
    try:
        account = client.account_summary()
    except ConstantContactError as error:
        raise AuthorisationFailed(
            _("You are signed in, but the account could not be read. %(problem)s Try again.")
            % {"problem": error}
        ) from error
    services.keep_authorisation(connection, tokens, account, by=by)
