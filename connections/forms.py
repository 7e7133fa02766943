"""Forms of connections."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from connections import consent_text, selectors
from connections.models import Connection
from workspaces.models import Membership, Role, User


class ConsentForm(forms.Form):
    """ "I agree" to the words that this very form showed."""

    words = forms.CharField(widget=forms.HiddenInput, required=False)
    agree = forms.BooleanField(
        label=_("I agree"),
        error_messages={"required": _("Without your agreement no data may leave. Tick to agree.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["words"].initial = consent_text.fingerprint()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        now = consent_text.fingerprint()
        if cleaned.get("words") != now:
            self.data = {**self.data.dict(), self.add_prefix("words"): now}  # type: ignore[attr-defined]
            self.add_error(
                "agree", _("The text has changed since you opened this page. Please read it again.")
            )
        return cleaned


class ContributorsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, member: Membership) -> str:
        return str(member.user)


class ConnectionForm(forms.ModelForm):
    """Display name and sharing, in the order of the product replaced."""

    shared_with = ContributorsField(
        queryset=Membership.objects.none(),
        label=_("Contributors named"),
        help_text=_("Counts where you share it with those named here."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Connection
        fields = ["name", "sharing"]
        widgets = {"sharing": forms.RadioSelect}
        help_texts = {
            "name": _("Say what it is for, such as “Newsletter account”. Contributors see it."),
            "sharing": _("You can change this later."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["shared_with"]
        contributors = Membership.objects.filter(role=Role.CONTRIBUTOR).select_related("user")
        field.queryset = contributors.order_by("user__email")
        if self.instance.pk:
            field.initial = [share.membership_id for share in self.instance.shares.all()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("sharing") == Connection.Sharing.NAMED and not cleaned.get("shared_with"):
            self.add_error(
                "shared_with",
                _("Name at least one Contributor, or share it with Administrators only."),
            )
        return cleaned

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        others = Connection.objects.filter(name__iexact=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError(_("Another connection has this name. Choose a different one."))
        return name


class AddConnectionForm(ConsentForm, ConnectionForm):
    """A new connection, or the same person's that never got further than this form."""

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.fields["sharing"].initial = Connection.Sharing.ADMINISTRATORS
        self.order_fields(["name", "sharing", "shared_with", "agree"])

    def clean_name(self) -> str:
        if selectors.begun(self.cleaned_data["name"], by=self.by):
            return str(self.cleaned_data["name"])
        return super().clean_name()
