"""The seams to allauth: what it asks about addresses, proofs, second steps and issuers."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config import cipher
from workspaces import issuers, proof

INVITED = "invited_email"


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "That e-mail address and that password do not belong together. Type both again, or"
            " choose a new password."
        ),
    }

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """The link of an invitation came to that address by e-mail: no second e-mail is needed."""
        invited = request.session.get(INVITED, "")
        return bool(invited) and email.lower() == invited

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Signing in is a proof as good as any, while it is fresh."""
        if proof.is_fresh(self.request):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))


class TwoStepAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "add_email_blocked": _(
            "Turn two-step sign-in off before you add an address, and on again afterwards."
        ),
        "incorrect_code": _("That is not right, or not any more. Try again."),
        "unverified_email": _("Confirm your e-mail addresses first, or remove them."),
    }

    def encrypt(self, text: str) -> str:
        return cipher.encrypt(text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher.decrypt(encrypted_text.encode())

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:  # noqa: A002
        return gettext("Passkey")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": "Segue"}


class IssuerAdapter(DefaultSocialAccountAdapter):
    def populate_user(self, request: HttpRequest, sociallogin: Any, data: Any) -> Any:
        """Of the addresses that came, only those that the issuer may vouch for count as shown."""
        for address in sociallogin.email_addresses:
            address.verified = issuers.vouches(sociallogin, address.email)
        return super().populate_user(request, sociallogin, data)

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        """It is asked for addresses that the issuer vouches for, and for no others."""
        return True
