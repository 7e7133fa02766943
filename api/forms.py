"""The form of a new token."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from api.models import Scope
from api.tokens import ROLES
from workspaces.forms import ROLES as ROLE_CHOICES
from workspaces.models import Membership, Role

MOST_ADDRESSES = 20
DAYS = [
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("One year")),
]
NEVER = ("0", gettext_lazy("Never: until it is revoked"))


class TokenForm(forms.Form):
    """`most` is the role that the token can have at most: the member's own."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("What it is for, such as “nightly import” or “dashboard”."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it is used for"),
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect)
    days = forms.ChoiceField(label=gettext_lazy("Expires after"), initial="90")
    addresses = forms.CharField(
        label=gettext_lazy("Only from these IP addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One address or network on each line, such as 203.0.113.7 or 2001:db8::/32."
            " Empty: from anywhere."
        ),
    )

    def __init__(self, *args: Any, member: Membership, is_service: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = ROLES.index(Role(member.role))
        choices = [pair for pair in ROLE_CHOICES if ROLES.index(Role(pair[0])) <= most]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]
        self.fields["role"].initial = Role.VIEWER
        self.fields["days"].choices = [*DAYS, NEVER] if is_service else DAYS  # type: ignore[attr-defined]

    def clean_addresses(self) -> list[str]:
        found = []
        for line in self.cleaned_data["addresses"].split():
            try:
                found.append(str(ipaddress.ip_network(line, strict=False)))
            except ValueError:
                raise forms.ValidationError(
                    _("“%(line)s” is no IP address or network. Put one on each line.")
                    % {"line": line[:60]}
                ) from None
        if len(found) > MOST_ADDRESSES:
            raise forms.ValidationError(
                _("Give at most %(most)d addresses. A network counts as one.")
                % {"most": MOST_ADDRESSES}
            )
        return found

    @property
    def expires_at(self) -> datetime | None:
        days = int(self.cleaned_data["days"])
        return timezone.now() + timedelta(days=days) if days else None
