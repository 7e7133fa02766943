"""The forms of signing up and signing in, with our labels and no placeholders to repeat them."""

from typing import Any

from allauth.account import forms
from allauth.socialaccount import forms as issuer_forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workspaces import issuers

LABELS = {
    "login": _("E-mail address"),
    "email": _("E-mail address"),
    "password": _("Password"),
    "password1": _("Password"),
    "password2": _("The same password again"),
    "oldpassword": _("Your password now"),
    "remember": _("Stay signed in on this device"),
}

HELP = {"password1": _("At least eight characters, hard to guess.")}


class PlainLabels:
    """Mixed into a form of allauth: our labels, no placeholders."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.help_text = HELP.get(name, "")
            field.widget.attrs.pop("placeholder", None)


class LoginForm(PlainLabels, forms.LoginForm):
    def clean(self) -> Any:
        """Whoever it refuses is told of the issuer for their domain, whether they are known here
        or not."""
        try:
            return super().clean()
        except ValidationError as refusal:
            issuer = issuers.name_for(self.cleaned_data.get("login", ""))
            if not issuer:
                raise
            raise ValidationError([refusal, _hint(issuer)]) from refusal


def _hint(issuer: str) -> str:
    return gettext(
        "If your organisation gave you an account with %(issuer)s, use the button “Sign in with"
        " %(issuer)s”: it needs no password of Segue’s."
    ) % {"issuer": issuer}


class SignupForm(PlainLabels, forms.SignupForm):
    def try_save(self, request: HttpRequest) -> Any:
        """Takes as long for an address that has an account: hashing is what takes long."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class AddEmailForm(PlainLabels, forms.AddEmailForm):
    pass


class ResetPasswordForm(PlainLabels, forms.ResetPasswordForm):
    pass


class NewPasswordLabels(PlainLabels):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("New password")


class ResetPasswordKeyForm(NewPasswordLabels, forms.ResetPasswordKeyForm):
    pass


class ChangePasswordForm(NewPasswordLabels, forms.ChangePasswordForm):
    pass


class SetPasswordForm(NewPasswordLabels, forms.SetPasswordForm):
    pass


class IssuerSignupForm(PlainLabels, issuer_forms.SignupForm):
    pass


class ReauthenticateForm(PlainLabels, forms.ReauthenticateForm):
    pass
