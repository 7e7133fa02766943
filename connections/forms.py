"""Forms of connections."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from connections.models import Connection


class ConnectionForm(forms.ModelForm):
    """Display name and sharing, in the order of the product replaced."""

    class Meta:
        model = Connection
        fields = ["name", "sharing"]
        widgets = {"sharing": forms.RadioSelect}
        help_texts = {
            "name": _("Say what it is for, such as “Newsletter account”. Contributors see it."),
            "sharing": _("You can change this later."),
        }

    def clean_name(self) -> str:
        name = self.cleaned_data["name"].strip()
        others = Connection.objects.filter(name__iexact=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError(_("Another connection has this name. Choose a different one."))
        return str(name)


class AddConnectionForm(ConnectionForm):
    agree = forms.BooleanField(
        label=_("I agree"),
        error_messages={"required": _("Without your agreement no data may leave. Tick to agree.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sharing"].initial = Connection.Sharing.ADMINISTRATORS
