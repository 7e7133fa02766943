"""The form of the schedules of several exports at once."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from workspaces.timing_forms import TimingForm


class SeveralForm(TimingForm):
    """Several exports at once: their own schedules on or off, or a new one for all of them."""

    KEEP_ON, KEEP_OFF, DEFINE = "on", "off", "define"

    handling = forms.ChoiceField(
        label=gettext_lazy("What to do"),
        choices=[
            (KEEP_ON, gettext_lazy("Keep individual schedules, and switch them on")),
            (KEEP_OFF, gettext_lazy("Keep individual schedules, and switch them off")),
            (DEFINE, gettext_lazy("Define a new schedule for all selected")),
        ],
        initial=DEFINE,
        widget=forms.RadioSelect,
    )
    field_order = ["handling", "schedule", "days", "times", "time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and self.data.get("handling") != self.DEFINE:
            self.fields["schedule"].required = False

    def _defines_its_own(self) -> bool:
        return self.data.get("handling") == self.DEFINE and super()._defines_its_own()
