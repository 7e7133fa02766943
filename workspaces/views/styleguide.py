"""Every component in every state; there in DEBUG only."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from workspaces import icons, statuses
from workspaces.charts import Series, bar_chart
from workspaces.columns import Columns
from workspaces.models import Workspace
from workspaces.stages import Stage


class ExampleForm(forms.Form):
    name = forms.CharField(label="Name", help_text="What people will call it.")
    email = forms.EmailField(label="E-mail address")
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    list = forms.ChoiceField(label="List", choices=[("1", "Newsletter"), ("2", "Customers")])
    mode = forms.ChoiceField(
        label="Mode",
        choices=[("mirror", "Mirror the segment"), ("add", "Only add")],
        widget=forms.RadioSelect,
    )
    days = forms.MultipleChoiceField(
        label="Days",
        required=False,
        choices=[("1", "Monday"), ("2", "Tuesday"), ("3", "Wednesday")],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "chips"}),
    )
    agree = forms.BooleanField(label="I agree", help_text="You can change your mind later.")
    active = forms.BooleanField(
        label="On", required=False, widget=forms.CheckboxInput(attrs={"role": "switch"})
    )
    file = forms.FileField(label="File", required=False)

    def clean(self) -> dict[str, Any] | None:
        if self.is_bound:
            raise forms.ValidationError("The two don’t go together: change one of them.")
        return super().clean()


class RestingForm(forms.Form):
    name = forms.CharField(label="Name", initial="Newsletter", disabled=True)
    list = forms.ChoiceField(label="List", choices=[("1", "Newsletter")], disabled=True)
    agree = forms.BooleanField(label="I agree", initial=True, disabled=True)


def styleguide(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    planned = Stage("Planned", "done", now - timedelta(minutes=3), now - timedelta(minutes=2))
    context = {
        "statuses": [(state.replace("_", " "), state) for state in statuses.LOOKS],
        "icons": sorted(icons.names()),
        "form": ExampleForm(),
        "wrong_form": ExampleForm({"email": "not an address"}),
        "resting_form": RestingForm(),
        "workspace": Workspace(name="Adventure Works", slug="adventure-works"),
        "membership": SimpleNamespace(get_role_display="Administrator"),
        "chart": bar_chart(
            ["2 Nov", "9 Nov", "16 Nov"],
            [
                Series("Sent", "good", [1200, 340, 80]),
                Series("Unchanged", "idle", [0, 860, 1100]),
                Series("Not sent", "warn", [40, 38, 52]),
                Series("Failed", "bad", [0, 20, 0]),
                Series("Waiting", "busy", [0, 0, 30]),
            ],
            lambda value: f"{value:,.0f}",
        ),
        "columns": Columns(request.GET, {"members": "Members", "state": "State"}),
        "kinds": [("rules", "Rules"), ("list", "A list")],
        "sort": "name",
        "steps": [
            {"label": label, "value": label}
            for label in ("Connection", "List", "Data matching", "Segments")
        ],
        "stages": [
            planned,
            Stage("Sending", "now", planned.ended_at),
            Stage("Confirming", "ahead"),
        ],
        "stopped_stages": [planned, Stage("Sending", "stopped", planned.ended_at, now)],
        "rows": [
            SimpleNamespace(name=name, count=count)
            for name, count in (("All customers", 250_000), ("Barcelona", 1_204), ("Lapsed", 0))
        ],
    }
    return render(request, "workspaces/styleguide.html", context)
