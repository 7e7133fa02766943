"""The forms of schedules: an export's own, and several at once."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
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
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "chips"}),
    )
    times = TimesField(label=gettext_lazy("Times"), required=False)
    time_zone = TimeZoneField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("schedule") == Schedule.OWN:
            if not cleaned.get("days") and "days" not in self.errors:
                self.add_error("days", _("Choose at least one day."))
            if not cleaned.get("times") and "times" not in self.errors:
                self.add_error("times", _("Add at least one time."))
            if not cleaned.get("time_zone") and "time_zone" not in self.errors:
                self.add_error("time_zone", _("Choose a time zone."))
        return cleaned

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

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("handling") == self.DEFINE:
            return super().clean()
        for name in ("days", "times", "time_zone", "schedule"):
            self.errors.pop(name, None)
        return self.cleaned_data


def initial_of(destination: Destination) -> dict[str, Any]:
    return {
        "schedule": destination.schedule,
        "days": destination.days or [day for day, _label in DAYS],
        "times": destination.times,
        "time_zone": destination.time_zone,
    }
