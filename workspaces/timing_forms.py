"""The form of when something starts by itself."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from workspaces.forms import DAYS, TimesField, TimeZoneField
from workspaces.timing import Timed, Timing

Schedule = Timed.Schedule


class TimingForm(forms.Form):
    """With every refresh, at days and times of its own, or off."""

    schedule = forms.ChoiceField(
        label=_("When it runs"),
        choices=[
            (Schedule.REFRESH.value, _("With every refresh of the workspace")),
            (Schedule.OWN.value, _("On days and at times of its own")),
            (Schedule.OFF.value, _("Off: only when somebody runs it")),
        ],
        initial=Schedule.REFRESH.value,
        widget=forms.RadioSelect,
    )
    days = forms.TypedMultipleChoiceField(
        label=_("Days"),
        choices=DAYS,
        coerce=int,
        error_messages={"required": _("Choose at least one day.")},
        widget=forms.CheckboxSelectMultiple(attrs={"class": "chips"}),
    )
    times = TimesField(
        label=_("Times"),
        error_messages={"required": _("Add at least one time.")},
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


def initial_of(thing: Timed) -> dict[str, Any]:
    return {
        "schedule": thing.schedule,
        "days": thing.days or [day for day, _label in DAYS],
        "times": thing.times,
        "time_zone": thing.time_zone,
    }
