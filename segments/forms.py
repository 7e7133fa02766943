"""Forms of sources and segments."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from segments import uploads
from segments.erased import plain_address
from segments.erasures import Address
from segments.models import Profile, Segment, Source
from segments.upload_files import clean_name

# Bytes of a list of addresses, which is read while the browser waits.
LARGEST_LIST = 1_000_000_000


class DeclaredFile:
    """A file that is to come in chunks, by what the browser says of it; passes a `FileField`."""

    def __init__(self, said: QueryDict) -> None:
        self.name = clean_name(said.get("file_name", ""))
        size = said.get("file_bytes", "")
        self.size = int(size) if re.fullmatch(r"[0-9]{1,15}", size) else 0
        self.fingerprint = said.get("fingerprint", "")[:100]


class UploadForm(forms.Form):
    """A file, for a new source or for one there is."""

    name = forms.CharField(
        label=_("Name of the source"),
        max_length=100,
        required=False,
        help_text=_("Such as “Web shop customers”. Left empty, it is the file’s name."),
    )
    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        widget=forms.FileInput(
            attrs={"accept": ".csv,.txt,.tsv,.jsonl,.ndjson,.json,.parquet,.gz,.zst,text/csv"}
        ),
        help_text=_(
            "CSV with a header, JSON Lines or Parquet, as it is or packed by gzip or Zstandard."
            " Separator and encoding are found out."
        ),
        error_messages={"required": _("Choose a file.")},
    )
    # A browser sends it after the file: where it is missing, the upload was cut off.
    whole = forms.CharField(initial="yes", required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, source: Source | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if source is not None:
            del self.fields["name"]

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if name and Source.objects.filter(name__iexact=name).exists():
            raise ValidationError(
                _("Another source has this name. Open it to import a new file, or choose another.")
            )
        return name

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size == 0:
            raise ValidationError(_("The file is empty. Choose a file with a header and rows."))
        if file.size > settings.MAX_UPLOAD_BYTES:
            raise ValidationError(str(uploads.too_large()))
        return file

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("file") and not self.cleaned_data.get("whole"):
            self.add_error(
                "file",
                _("The file can’t be read to its end. Check that it is whole and try again."),
            )


class SegmentForm(forms.ModelForm):
    class Meta:
        model = Segment
        fields = ["name", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        others = Segment.objects.filter(name__iexact=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError(_("Another segment has this name. Choose a different one."))
        return name


class SuppressionForm(forms.Form):
    """Addresses, pasted or in a file, with the reason that all of them have."""

    addresses = forms.CharField(
        label=_("E-mail addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("One on each line, or separated by commas."),
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        help_text=_("Of each line the first address counts; the rest of it is not kept."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Such as “Asked by telephone”. Shown on the list."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        most = min(settings.MAX_UPLOAD_BYTES, LARGEST_LIST)
        if file and file.size > most:
            raise ValidationError(
                _("The file is larger than %(most)d MB. Split it."),
                params={"most": most // 1_000_000},
            )
        return file

    def clean(self) -> None:
        super().clean()
        if self.errors:
            return
        given = bool(self.cleaned_data["addresses"].strip()), bool(self.cleaned_data["file"])
        if given == (False, False):
            self.add_error("addresses", _("Type or paste an address, or choose a file."))
        if given == (True, True):
            self.add_error("file", _("Either addresses or a file, not both at once."))


class ErasureForm(forms.Form):
    delete_at_provider = forms.BooleanField(
        label=_("Delete the contact at Constant Contact, too"),
        required=False,
        help_text=_(
            "In every account that this workspace is connected to. Without it, the contact stays"
            " there and is taken off the lists that exports put it on."
        ),
    )


class EraseAddressForm(ErasureForm):
    """The word for erasing an address: itself, typed again."""

    again = forms.CharField(
        label=_("The address again"),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "email"}
        ),
        error_messages={"required": _("Type the address to erase it.")},
    )

    def __init__(self, *args: Any, address: str, **how: Any) -> None:
        super().__init__(*args, **how)
        self.address = address
        self.fields["again"].help_text = _("Type “%(address)s” to erase it for good.") % {
            "address": address
        }

    def clean_again(self) -> str:
        typed = str(self.cleaned_data["again"])
        if plain_address(typed) != self.address:
            raise ValidationError(
                _("This is not the address, so nobody was erased. Type it as it is shown.")
            )
        return typed


class EraseForm(ErasureForm):
    """The word for erasing a person: their key typed, and what is theirs."""

    field_order = ("addresses", "delete_at_provider", "key")

    addresses = forms.MultipleChoiceField(
        label=_("Their e-mail addresses"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Nothing is sent to these any more, whichever profile has them, and no import brings"
            " them back. Leave out what is not the person’s own, such as their adviser’s."
        ),
    )
    key = forms.CharField(
        label=_("Key of the profile"),
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Type the key to erase this person.")},
    )

    def __init__(self, *args: Any, profile: Profile, addresses: list[Address], **how: Any) -> None:
        super().__init__(*args, **how)
        self.profile = profile
        self.fields["key"].help_text = _("Type “%(key)s” to erase this person for good.") % {
            "key": profile.key
        }
        field = self.fields["addresses"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = [(one.address, _choice(one)) for one in addresses]
        field.initial = [one.address for one in addresses if one.is_theirs]
        if not addresses:
            del self.fields["addresses"]

    def clean_key(self) -> str:
        typed = str(self.cleaned_data["key"])
        if typed.strip() != self.profile.key.strip():
            raise ValidationError(
                _(
                    "This is not the key of the profile, so nobody was"
                    " erased. Type it as it is shown."
                )
            )
        return typed

    def clean(self) -> None:
        self.cleaned_data.setdefault("addresses", [])


def _choice(address: Address) -> str:
    if not address.others:
        return f"{address.address} ({address.label})"
    others = len(address.others)
    if address.many_others:
        said = _("%(count)d other profiles or more have it") % {"count": others}
    else:
        said = ngettext(
            "%(count)d other profile has it", "%(count)d other profiles have it", others
        ) % {"count": others}
    return f"{address.address} ({address.label}; {said})"
