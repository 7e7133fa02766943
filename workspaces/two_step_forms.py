"""The forms of two-step sign-in, in our words."""

from typing import Any

from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.utils.translation import gettext_lazy as _

from workspaces.account_forms import PlainLabels

AS_CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}


class CodeLabels(PlainLabels):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        code = self.fields["code"]
        code.label = _("Code")
        code.widget.attrs |= AS_CODE


class EitherCodeHelp(CodeLabels):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _(
            "The six digits that your app shows now, or one of your recovery codes."
        )


class CodeForm(EitherCodeHelp, base.AuthenticateForm):
    pass


class CodeAgainForm(EitherCodeHelp, base.ReauthenticateForm):
    pass


class ActivateAppForm(CodeLabels, totp.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _("The six digits that the app shows now.")


class NameLabels(PlainLabels):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label, name.max_length = _("Name"), 60
        name.widget.attrs |= {"maxlength": 60, "autocomplete": "off"}
        name.help_text = _("What you know it by, such as “Laptop” or “Key on my ring”.")


class AddPasskeyForm(NameLabels, webauthn.AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        passwordless = self.fields["passwordless"]
        passwordless.label = _("Sign in with it alone, without a password")
        passwordless.help_text = _("It then asks for your fingerprint, face or PIN each time.")
        passwordless.initial = True


class RenamePasskeyForm(NameLabels, webauthn.EditWebAuthnForm):
    pass
