"""The form of an export's configuration."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.models import Connection
from exports import contact_fields, entered, lists, match_rows, matching
from exports.destinations import Details, name_taken
from exports.lists import ContactList, ListProblem, Way
from exports.models import Destination
from segments import selectors
from segments.models import Attribute, Segment
from workspaces.models import Workspace
from workspaces.seen import since

MOST_ROWS = 60


class DestinationForm(forms.Form):
    """An export's configuration, in the order in which a person fills it in.

    The account is only asked by `details`, once everything else is right.
    """

    connection = forms.ChoiceField(
        label=gettext_lazy("Connection for export"),
        error_messages={
            "required": gettext_lazy("Choose the connection to send over."),
            "invalid_choice": gettext_lazy(
                "The connection chosen before can’t be used any more. Choose another one."
            ),
        },
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        error_messages={"required": gettext_lazy("Give the export a name.")},
    )
    way = forms.ChoiceField(
        label=gettext_lazy("List"),
        choices=[
            (Way.PICK.value, gettext_lazy("Pick from the account")),
            (Way.PASTE.value, gettext_lazy("Paste its ID or address")),
            (Way.MAKE.value, gettext_lazy("Make a new list")),
        ],
        initial=Way.PICK.value,
    )
    picked = forms.CharField(required=False, max_length=36)
    pasted = forms.CharField(
        label=gettext_lazy("List ID, or the list’s address at Constant Contact"),
        required=False,
        max_length=500,
    )
    made = forms.CharField(
        label=gettext_lazy("Name of the new list"), required=False, max_length=255
    )
    email = forms.ChoiceField(
        label=gettext_lazy("Email"),
        error_messages={
            "required": gettext_lazy("Choose the attribute that holds the e-mail address."),
            "invalid_choice": gettext_lazy(
                "The attribute chosen before is gone, or does not hold text any more. Choose the"
                " one that holds the e-mail address."
            ),
        },
    )
    segments = forms.MultipleChoiceField(
        label=gettext_lazy("Segments"),
        error_messages={
            "required": gettext_lazy("Select at least one segment."),
            "invalid_choice": gettext_lazy(
                "A segment selected before is gone. What is still selected is shown: look whether"
                " that is what you want."
            ),
        },
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("People who leave the segments"),
        choices=[
            (
                Destination.Mode.MIRROR.value,
                gettext_lazy("Take them off the list"),
            ),
            (Destination.Mode.ADD.value, gettext_lazy("Leave them on the list")),
        ],
        required=False,
        initial=Destination.Mode.MIRROR.value,
    )
    removal_share = forms.IntegerField(
        label=gettext_lazy("Ask before taking off more than"),
        required=False,
        min_value=0,
        max_value=100,
        initial=20,
        error_messages={
            "min_value": gettext_lazy("Give a share between 0 and 100 percent."),
            "max_value": gettext_lazy("Give a share between 0 and 100 percent."),
            "invalid": gettext_lazy("Give a share between 0 and 100 percent."),
        },
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    data: QueryDict

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        connections: list[Connection],
        destination: Destination | None = None,
        shown: QueryDict | None = None,
        for_preview: bool = False,
    ) -> None:
        """Judges `data`, or else only shows what is `shown`."""
        first = entered.values(shown, self.base_fields) if shown is not None else None
        super().__init__(data, initial=first)
        self.destination = destination
        self.for_preview = for_preview
        self.connections = {str(one.pk): one for one in connections}
        of = shown if data is None else data
        self.rows = entered.rows(of)[:MOST_ROWS] if of is not None else []
        self._offer()

    @cached_property
    def attributes(self) -> list[Attribute]:
        return selectors.attributes()

    @cached_property
    def known(self) -> dict[str, Attribute]:
        return {one.name: one for one in self.attributes}

    @cached_property
    def all_segments(self) -> list[Any]:
        return selectors.to_choose_from()

    def _offer(self) -> None:
        fields = self.fields
        grouped: dict[str, list[tuple[str, str]]] = {}
        for key, one in self.connections.items():
            grouped.setdefault(one.get_provider_display(), []).append((key, one.name))
        fields["connection"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose a connection…")),
            *grouped.items(),
        ]
        # Asked for only by the steps that show or judge them.
        fields["email"].choices = self._addresses  # type: ignore[attr-defined]
        fields["segments"].choices = self._segments  # type: ignore[attr-defined]
        if self.for_preview:
            for name in ("name", "way"):
                fields[name].required = False

    def _addresses(self) -> list[tuple[str, str]]:
        fitting = [one for one in self.attributes if matching.fits(matching.EMAIL, one)]
        return [("", _("Choose an attribute…")), *((one.name, one.label) for one in fitting)]

    def _segments(self) -> list[tuple[str, str]]:
        return [(str(one.pk), one.name) for one in self.all_segments]

    @property
    def chosen_connection(self) -> Connection | None:
        """The connection that the page shows the lists of."""
        return self.connections.get(str(self["connection"].value() or ""))

    @property
    def chosen_segments(self) -> list[str]:
        return [str(value) for value in self["segments"].value() or []]

    @cached_property
    def field_options(self) -> SafeString:
        """Every contact field, with the attribute that its choice proposes."""
        proposed = matching.proposals(self.attributes)
        option = '<option value="{0}" data-proposal="{2}">{1}</option>'
        groups = (
            (
                group,
                format_html_join("", option, [(*one, proposed.get(one[0], "")) for one in found]),
            )
            for group, found in contact_fields.choices()
        )
        return format_html_join("", '<optgroup label="{}">{}</optgroup>', groups)

    @cached_property
    def attribute_options(self) -> SafeString:
        shown = ((one.name, one.label, one.get_type_display()) for one in self.attributes)
        return format_html_join("", '<option value="{}">{} · {}</option>', shown)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Destination.objects.filter(name=name)
        if self.destination is not None:
            others = others.exclude(pk=self.destination.pk)
        if others.exists():
            raise forms.ValidationError(name_taken(name))
        return name

    def clean_connection(self) -> Connection | None:
        return self.connections.get(self.cleaned_data["connection"])

    def clean_mode(self) -> str:
        saved = self.destination.mode if self.destination else Destination.Mode.MIRROR.value
        return str(self.cleaned_data["mode"] or saved)

    def clean_removal_share(self) -> int:
        share: int | None = self.cleaned_data["removal_share"]
        if share is None:
            return self.destination.removal_share if self.destination else 20
        return share

    def clean_segments(self) -> list[Segment]:
        wanted = Segment.objects.filter(pk__in=self.cleaned_data["segments"])
        return list(wanted.order_by("name"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self._clean_rows()
        if not self.for_preview:
            self._clean_list(cleaned)
        return cleaned

    def _clean_list(self, cleaned: dict[str, Any]) -> None:
        way = cleaned.get("way")
        if way == Way.PICK and not cleaned.get("picked"):
            self.add_error("picked", _("Pick a list."))
        if way == Way.MAKE and not cleaned.get("made"):
            self.add_error("made", _("Give the new list a name."))
        if way == Way.PASTE:
            if not cleaned.get("pasted"):
                self.add_error("pasted", _("Paste the list’s ID, or its address."))
                return
            try:
                cleaned["list_id"] = lists.id_in(cleaned["pasted"])
            except ListProblem as problem:
                self.add_error("pasted", str(problem))

    def _clean_rows(self) -> None:
        if not match_rows.check(self.rows, self.known):
            self.add_error(None, _("Some of the added attributes can’t be matched: see below."))

    @property
    def matches(self) -> dict[str, str]:
        """The data matching entered; only once the form is valid."""
        return {
            matching.EMAIL: self.cleaned_data["email"],
            **{row.target: row.attribute for row in self.rows},
        }

    @property
    def seen_at(self) -> datetime | None:
        return since(self.cleaned_data.get("seen") or "")

    @property
    def moves(self) -> bool:
        """Whether an export that has sent something would send to another account or list."""
        saved = self.destination
        if saved is None or not saved.delivered_to:
            return False
        connection = self.cleaned_data["connection"]
        list_id = {
            Way.PICK: self.cleaned_data["picked"],
            Way.PASTE: self.cleaned_data.get("list_id"),
        }.get(Way(self.cleaned_data["way"]))
        return saved.delivered_to != f"{connection.account_id}:{list_id}"

    def take_over(self, found: ContactList, *, seen: datetime | None = None) -> None:
        """Shows the list found as picked, so that a new list is not made a second time."""
        self.data = self.data.copy()
        self.data["way"], self.data["picked"] = Way.PICK.value, found.id
        if seen is not None:
            self.data["seen"] = seen.isoformat()

    def unsaved(self, workspace: Workspace) -> Destination:
        """What is entered, for a preview; the saved export's ledger if it goes to the same list."""
        saved = self.destination
        picked = self.cleaned_data.get("picked", "")
        chosen = Destination(
            workspace=workspace,
            connection=self.cleaned_data["connection"],
            list_id=picked if self.cleaned_data.get("way") == Way.PICK else "",
            matching=self.matches,
            mode=self.cleaned_data["mode"],
            removal_share=self.cleaned_data["removal_share"],
        )
        if saved is not None:
            chosen.pk, chosen.delivered_to = saved.pk, saved.delivered_to
        return chosen

    def details(self) -> Details | None:
        """The configuration with its list, verified or made; None after adding what is wrong.

        A list that stays as it was is not asked for again, so that an export can be changed while
        the account can't be reached.
        """
        where = {Way.PICK: "picked", Way.PASTE: "pasted", Way.MAKE: "made"}[
            Way(self.cleaned_data["way"])
        ]
        try:
            if not self._custom_fields_fit():
                return None
            found = self._contact_list(where)
        except ListProblem as problem:
            self.add_error(where, str(problem))
            return None
        return Details(
            name=self.cleaned_data["name"],
            connection=self.cleaned_data["connection"],
            contact_list=found,
            matching=self.matches,
            segments=self.cleaned_data["segments"],
            mode=self.cleaned_data["mode"],
            removal_share=self.cleaned_data["removal_share"],
        )

    def _custom_fields_fit(self) -> bool:
        """Asks the account for custom fields that it was not asked for before."""
        connection: Connection = self.cleaned_data["connection"]
        saved = self.destination
        kept = saved.matching if saved and saved.connection_id == connection.pk else {}
        if match_rows.fit_custom_fields(self.rows, self.known, connection, kept):
            return True
        self.add_error(None, _("Some of the added attributes can’t be matched: see below."))
        return False

    def _contact_list(self, where: str) -> ContactList:
        connection: Connection = self.cleaned_data["connection"]
        if where == "made":
            return lists.made(connection, self.cleaned_data["made"])
        list_id = self.cleaned_data["list_id" if where == "pasted" else "picked"]
        saved = self.destination
        if saved and saved.connection_id == connection.pk and saved.list_id == list_id:
            return ContactList(saved.list_id, saved.list_name)
        return lists.verified(connection, list_id)
