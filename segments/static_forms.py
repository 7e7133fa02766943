"""Forms of static segments: what a list is called, what it is compared by, what is on it."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from segments import static_segments
from segments.forms import SegmentForm
from segments.models import Segment


class EntriesForm(forms.Form):
    """Entries, pasted or in a file."""

    entries = forms.CharField(
        label=_("Keys or addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_(
            "One on each line; a column of a spreadsheet can be pasted. Upload a list of more than"
            " 100,000 as a file."
        ),
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        help_text=_(
            "CSV or text. The column with the attribute’s name is taken, or else the first one."
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > settings.MAX_UPLOAD_BYTES:
            raise ValidationError(
                _("The file is larger than %(most)d MB. Split it."),
                params={"most": settings.MAX_UPLOAD_BYTES // 1_000_000},
            )
        return file

    def clean(self) -> None:
        super().clean()
        if self.errors:
            return
        given = bool(self.cleaned_data["entries"].strip()), bool(self.cleaned_data["file"])
        if given == (False, False):
            self.add_error("entries", _("Paste keys or addresses, or choose a file."))
        if given == (True, True):
            self.add_error("file", _("Either pasted or in a file, not both at once."))


class ListForm(EntriesForm):
    """A change of the list."""

    how = forms.ChoiceField(
        label=_("What to do with these"),
        choices=[
            (static_segments.ADD, _("Add them to the list")),
            (static_segments.REMOVE, _("Take them off the list")),
            (static_segments.REPLACE, _("Replace the whole list by them")),
        ],
        initial=static_segments.ADD,
        widget=forms.RadioSelect,
    )
    field_order = ["how", "entries", "file"]


class StaticForm(SegmentForm):
    """What a static segment is called and compared by."""

    listed_by = forms.TypedChoiceField(
        label=_("What the list holds"),
        coerce=lambda chosen: chosen.partition(":")[2],
        help_text=_("Keys match as they are written; other values whether in capitals or not."),
    )

    class Meta(SegmentForm.Meta):
        model = Segment

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["listed_by"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is declared above
        field.choices = [
            ("key", _("The profile’s key")),
            *((f"attribute:{one.name}", one.label) for one in static_segments.attributes()),
        ]
        if self.instance.pk:
            name = static_segments.listed_by(self.instance)
        else:
            name = static_segments.likely_attribute()
        self.initial["listed_by"] = f"attribute:{name}" if name else "key"


class NewStaticForm(StaticForm, EntriesForm):
    """All of a new static segment on one page."""

    def clean(self) -> None:
        EntriesForm.clean(self)
