"""The forms of schedules: an export's own, and several at once."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from exports.models import Destination
from exports.scheduling import Timing
from workspaces.forms import DAYS, TimesField, TimeZoneField

Schedule = Destination.Schedule


class TimingForm(forms.Form):
    """With every refresh, at days and times of its own, or off."""

    schedule = forms.ChoiceField(
        label=gettext_lazy("When it runs"),
        choices=[
            (Schedule.REFRESH.value, gettext_lazy("With every refresh of the workspace")),
            (Schedule.OWN.value, gettext_lazy("On days and at times of its own")),
            (Schedule.OFF.value, gettext_lazy("Off: only when somebody runs it")),
        ],
        initial=Schedule.REFRESH.value,
        widget=forms.RadioSelect,
    )
    days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days"),
        choices=DAYS,
        coerce=int,
        error_messages={"required": gettext_lazy("Choose at least one day.")},
        widget=forms.CheckboxSelectMultiple(attrs={"class": "chips"}),
    )
    times = TimesField(
        label=gettext_lazy("Times"),
        error_messages={"required": gettext_lazy("Add at least one time.")},
    )
    time_zone = TimeZoneField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and not self._defines_its_own():
            for name in ("days", "times", "time_zone"):
                self.fields[name].required = False

    def _defines_its_own(self) -> bool:
        return self.data.get("schedule") == Schedule.OWN

    def timing(self, current: Timing) -> Timing:
        """What was entered. Switched off, the times are kept for when it is switched on again."""
        schedule = self.cleaned_data["schedule"]
        if schedule == Schedule.OWN:
            return Timing(
                schedule,
                tuple(sorted(self.cleaned_data["days"])),
                tuple(self.cleaned_data["times"]),
                self.cleaned_data["time_zone"],
            )
        if schedule == Schedule.OFF:
            return Timing(schedule, current.days, current.times, current.time_zone)
        return Timing(schedule, (), (), current.time_zone)


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


def initial_of(destination: Destination) -> dict[str, Any]:
    return {
        "schedule": destination.schedule,
        "days": destination.days or [day for day, _label in DAYS],
        "times": destination.times,
        "time_zone": destination.time_zone,
    }
