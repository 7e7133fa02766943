"""The form that says how a text file is written, for when that was found out wrong."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from segments.delimiters import UNUSUAL
from segments.dialect import Dialect
from segments.legacy_encodings import CHOICES

SEPARATORS = {
    ",": _("Comma"),
    ";": _("Semicolon"),
    "\t": _("Tab"),
    "|": _("Vertical bar"),
    " ": _("Space"),
}
QUOTES = {'"': _("Double quotes"), "'": _("Single quotes"), "": _("None")}
NAMES = {"delimiter": "separator", "quote": "quote", "encoding": "encoding", "skip": "skip"}
# What a form begins with that nothing was found out for.
USUAL = Dialect("utf-8", ",", '"', '"', 0, ())
# Lines of titles above a table.
MOST_SKIPPED = 100


class ReadingForm(forms.Form):
    separator = forms.ChoiceField(label=_("Separator"))
    quote = forms.ChoiceField(
        label=_("Quotes around values"), required=False, choices=list(QUOTES.items())
    )
    encoding = forms.ChoiceField(label=_("Encoding"))
    skip = forms.IntegerField(
        label=_("Lines above the header"), min_value=0, max_value=MOST_SKIPPED, initial=0
    )

    def __init__(self, data: Any, *, dialect: Dialect) -> None:
        found = {
            "separator": dialect.delimiter,
            "quote": dialect.quote,
            "encoding": dialect.encoding,
            "skip": dialect.skip,
        }
        super().__init__(data, prefix="read", initial=found)
        separators = SEPARATORS | {one: _shown(one) for one in UNUSUAL}
        self._offer("separator", separators, dialect.delimiter)
        self._offer("encoding", CHOICES, dialect.encoding)
        self._offer("quote", QUOTES, dialect.quote)

    @classmethod
    def of(cls, dialect: Dialect, **otherwise: Any) -> "ReadingForm":
        """Bound: as found out, but for what is told otherwise."""
        bare = cls(None, dialect=dialect)
        entered = {**bare.initial, **otherwise}
        return cls({bare.add_prefix(name): entered[name] for name in entered}, dialect=dialect)

    def _offer(self, name: str, choices: Any, found: str) -> None:
        """The choices, and what was found if it is none of them."""
        field: Any = self.fields[name]
        field.choices = list(({found: _shown(found)} | choices).items())

    @property
    def first_error(self) -> str:
        name, errors = next(iter(self.errors.items()))
        return f"{self.fields[name].label}: {errors[0]}"

    @property
    def told(self) -> dict[str, Any]:
        """As `told_dialect` takes it."""
        return {name: self.cleaned_data[field] for name, field in NAMES.items()}

    def part(self, fields: Collection[str]) -> dict[str, Any]:
        """What is told of these fields, as `part_told` takes it."""
        return {name: self.cleaned_data[field] for name, field in NAMES.items() if field in fields}


def shown(dialect: Dialect) -> dict[str, Any]:
    """Its separator and encoding as a person knows them."""
    separator, encoding = dialect.delimiter, dialect.encoding
    return {
        "separator": f"“{separator}”" if separator in ",;|:" else _named(SEPARATORS, separator),
        "encoding": _named(CHOICES, encoding),
    }


def _named(names: Any, sign: str) -> Any:
    return names.get(sign) or _shown(sign)


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else f"U+{ord(sign):04X}"
