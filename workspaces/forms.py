"""Forms: what people type about workspaces, members and the schedule."""

from datetime import time
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from workspaces import time_zones
from workspaces.models import Endpoint, Invitation, Role, User, Workspace
from workspaces.notices import topics

MOST_TIMES = 12

DAYS = [
    (1, _("Monday")),
    (2, _("Tuesday")),
    (3, _("Wednesday")),
    (4, _("Thursday")),
    (5, _("Friday")),
    (6, _("Saturday")),
    (7, _("Sunday")),
]

ROLES = [
    (Role.ADMINISTRATOR, _("Administrator: everything, connections and members too")),
    (Role.CONTRIBUTOR, _("Contributor: sources, segments and exports")),
    (Role.VIEWER, _("Viewer: looks, changes nothing")),
]


class TimeZoneSelect(forms.Select):
    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> Any:
        """Drawn already, as the template of a select takes them, too."""
        return time_zones.options(*value)


class TimeZoneField(forms.ChoiceField):
    widget = TimeZoneSelect

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=time_zones.choices, label=_("Time zone"), **kwargs)


class WorkspaceForm(forms.ModelForm):
    time_zone = TimeZoneField(help_text=_("Schedules and times on the screen follow it."))

    class Meta:
        model = Workspace
        fields = ["name", "time_zone"]
        labels = {"name": _("Workspace name")}
        help_texts = {"name": _("Usually your organisation. Everyone you invite sees it.")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "organization"})}


EVER = "ever"


class KeptForField(forms.TypedChoiceField):
    """A number of days; None for ever, where the model's field may be null."""

    def __init__(self, name: str, help_text: Any) -> None:
        field: Any = Workspace._meta.get_field(name)
        choices = [*field.choices, *([(EVER, _("Ever"))] if field.null else [])]
        super().__init__(
            label=capfirst(field.verbose_name),
            help_text=help_text,
            choices=choices,
            coerce=lambda value: None if value == EVER else int(value),
        )

    def prepare_value(self, value: Any) -> Any:
        return EVER if value is None else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class RetentionForm(forms.ModelForm):
    """How long the workspace keeps what it no longer works with."""

    rejections_days = KeptForField(
        "rejections_days", _("After that a run’s page tells how many and why, not who.")
    )
    files_days = KeptForField(
        "files_days", _("At most: a file goes earlier once a later import of its source succeeds.")
    )
    history_days = KeptForField("history_days", _("Who is in a segment now is kept in any case."))
    runs_days = KeptForField(
        "runs_days",
        _(
            "What says who is on a list at Constant Contact is kept in any case, and so is the"
            " last run of every export."
        ),
    )
    audit_days = KeptForField("audit_days", _("Entries that are older are deleted for good."))

    class Meta:
        model = Workspace
        fields = ["rejections_days", "files_days", "history_days", "runs_days", "audit_days"]


class DeletionForm(forms.Form):
    """The workspace's name, typed: nobody deletes one by a slip."""

    name = forms.CharField(
        label=_("Type the name of the workspace"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name != self.workspace.name.strip():
            raise forms.ValidationError(
                gettext("This is not its name. Type it as it is: %(name)s")
                % {"name": self.workspace.name}
            )
        return name


class SignInForm(forms.Form):
    """How members sign in; domains are asked for only where some can be named."""

    two_step_demanded = forms.BooleanField(
        label=_("Demand two-step sign-in"),
        required=False,
        help_text=_(
            "Members without it are led to set it up before they see any page of this workspace;"
            " their API tokens stop until then."
        ),
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
    )
    domains = forms.MultipleChoiceField(
        label=_("Domains whose people join by themselves"),
        required=False,
        help_text=_(
            "Who signs in with an account of your organisation, and an address of such a domain,"
            " becomes a Viewer. Who was removed before does not."
        ),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, domains: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not domains:
            del self.fields["domains"]
        else:
            self.fields["domains"].choices = [(one, one) for one in domains]  # type: ignore[attr-defined]


class InvitationForm(forms.ModelForm):
    role = forms.ChoiceField(
        label=_("Role"), choices=ROLES, initial=Role.CONTRIBUTOR, widget=forms.RadioSelect
    )

    class Meta:
        model = Invitation
        fields = ["email", "role"]
        labels = {"email": _("E-mail address")}
        widgets = {"email": forms.EmailInput(attrs={"autocomplete": "off"})}


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name"]
        widgets = {
            "first_name": forms.TextInput(attrs={"autocomplete": "given-name"}),
            "last_name": forms.TextInput(attrs={"autocomplete": "family-name"}),
        }


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, widget=forms.RadioSelect)


class TimesWidget(forms.Widget):
    """Any number of times of day under one name, rows added and taken away in the browser."""

    template_name = "workspaces/_times_widget.html"
    use_fieldset = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in data.getlist(name) if value.strip()]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["rows"] = [
            f"{each:%H:%M}" if isinstance(each, time) else each for each in value or [""]
        ]
        return context


class TimesField(forms.Field):
    """A list of times of day."""

    widget = TimesWidget

    def to_python(self, value: list[str] | None) -> list[time]:
        single = forms.TimeField()
        return sorted({at for each in value or [] if (at := single.clean(each))})

    def validate(self, value: list[time]) -> None:
        super().validate(value)
        if len(value) > MOST_TIMES:
            raise forms.ValidationError(
                ngettext(
                    "Choose at most %(number)d time a day.",
                    "Choose at most %(number)d times a day.",
                    MOST_TIMES,
                )
                % {"number": MOST_TIMES}
            )


# Hours that divide a day, so that each day's refreshes are at the same times.
EVERY_HOURS = [
    (0, _("At the times below")),
    (1, _("Every hour")),
    (2, _("Every 2 hours")),
    (3, _("Every 3 hours")),
    (4, _("Every 4 hours")),
    (6, _("Every 6 hours")),
    (8, _("Every 8 hours")),
    (12, _("Every 12 hours")),
]


class ScheduleForm(forms.Form):
    """Days, times and the time zone; days and times may be missing while the schedule is off."""

    enabled = forms.BooleanField(
        label=_("Refresh on a schedule"),
        required=False,
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
    )
    days = forms.TypedMultipleChoiceField(
        label=_("Days"),
        choices=DAYS,
        coerce=int,
        error_messages={"required": _("Choose at least one day.")},
        widget=forms.CheckboxSelectMultiple(attrs={"class": "chips"}),
    )
    every_hours = forms.TypedChoiceField(label=_("How often"), choices=EVERY_HOURS, coerce=int)
    times = TimesField(label=_("Times"), error_messages={"required": _("Add at least one time.")})
    time_zone = TimeZoneField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_off = self.is_bound and not self.data.get("enabled")
        at_times = self.data.get("every_hours", "0") in ("", "0")
        self.fields["days"].required = not is_off
        self.fields["times"].required = not is_off and at_times


class RejectedShareForm(forms.ModelForm):
    class Meta:
        model = Workspace
        fields = ["rejected_share"]
        labels = {"rejected_share": _("Tell of a run when more than so many percent were rejected")}


class EndpointForm(forms.Form):
    """What an endpoint is made of; its services say what is wrong with the address."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What the list here calls it.")
    )
    form = forms.ChoiceField(
        label=_("Form"),
        choices=Endpoint.Form.choices,
        initial=Endpoint.Form.JSON,
        widget=forms.RadioSelect,
    )
    url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        help_text=_("It begins with https://. It is kept encrypted, and not shown again."),
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(label=_("Events"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["events"]
        field.choices = [
            (label, [(kind.name, kind.label) for kind in kinds])
            for label, kinds in (
                (
                    _("What members are told: once when it begins, once when it is over"),
                    topics.notice_kinds(),
                ),
                (_("Everything as it happens"), topics.event_kinds()),
            )
            if kinds
        ]


class EndpointChangeForm(EndpointForm):
    enabled = forms.BooleanField(
        label=_("On"),
        required=False,
        help_text=_("What happens while it is off is not sent later."),
        widget=forms.CheckboxInput(attrs={"role": "switch"}),
    )

    def __init__(self, *args: Any, endpoint: Endpoint, **kwargs: Any) -> None:
        initial = {"name": endpoint.name, "events": endpoint.events, "enabled": endpoint.enabled}
        super().__init__(*args, initial=initial, **kwargs)
        del self.fields["form"]
        self.fields["url"].required = False
        self.fields["url"].help_text = gettext("Leave it empty to keep the one at %(host)s.") % {
            "host": endpoint.host
        }
