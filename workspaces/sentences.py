"""Sentences for people that are kept: told in the language of whoever reads them, later.

Workers don't know who will read what they write, nor in which language. So what is kept is the
sentence as the source has it, which names it in the catalogues, with the values it speaks of.
`gettext` and `ngettext` are used as Django's are, and give a `Sentence` instead of text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson
from django.db import models
from django.utils import formats, translation
from django.utils.functional import Promise

# What was kept before sentences were is text, and stays so.
_MARK = '{"says":'


class _Number(int):
    """Written as people do where it is part of a text."""

    def __str__(self) -> str:
        return str(formats.number_format(int(self), force_grouping=True))


@dataclass(frozen=True)
class Sentence:
    """Its text is in the language of who asks; `values` may hold other sentences."""

    says: str
    plural: str = ""
    count: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)

    def __mod__(self, values: Mapping[str, Any]) -> "Sentence":
        return replace(self, values={**values})

    def __str__(self) -> str:
        if self.plural:
            text = translation.ngettext(self.says, self.plural, self.count)
        else:
            text = translation.gettext(self.says)
        shown = {name: _shown(value) for name, value in self.values.items()}
        return text % shown if shown else text

    def kept(self) -> str:
        """As a column of text keeps it."""
        return orjson.dumps(self._plain()).decode()

    def _plain(self) -> dict[str, Any]:
        counted = {"plural": self.plural, "count": self.count} if self.plural else {}
        values = {name: _plain(value) for name, value in self.values.items()}
        return {"says": self.says, **counted, **({"values": values} if values else {})}


class Explained(Exception):
    """An exception that says why, for people: its text is in the language of who asks."""

    def __init__(self, sentence: Sentence | str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def gettext(says: str) -> Sentence:
    return Sentence(says)


def ngettext(says: str, plural: str, count: int) -> Sentence:
    return Sentence(says, plural, count)


def of_promise(promise: Promise | str, values: Mapping[str, Any]) -> Sentence:
    """Of a text that was marked by `gettext_lazy`."""
    with translation.override(None):
        says = str(promise)
    return Sentence(says, values=values)


def joined(first: Sentence, *others: Sentence) -> Sentence:
    """One after the other."""
    for other in others:
        first = Sentence("%(first)s %(then)s", values={"first": first, "then": other})
    return first


def read(kept: str) -> Sentence | str:
    """What a column of text keeps."""
    return _sentence(orjson.loads(kept)) if kept.startswith(_MARK) else kept


def _sentence(plain: dict[str, Any]) -> Sentence:
    values = {
        name: _sentence(value) if isinstance(value, dict) else value
        for name, value in plain.get("values", {}).items()
    }
    return Sentence(plain["says"], plain.get("plural", ""), plain.get("count", 0), values)


def _plain(value: Any) -> Any:
    if isinstance(value, Promise):
        value = of_promise(value, {})
    return value._plain() if isinstance(value, Sentence) else value


def _shown(value: Any) -> Any:
    return _Number(value) if type(value) is int else value


if TYPE_CHECKING:
    _TextField = models.TextField[Sentence | str, Sentence | str]
else:
    _TextField = models.TextField


class SentenceField(_TextField):
    """A column of text that keeps a `Sentence`, or text as it is."""

    def from_db_value(self, value: str | None, *_: Any) -> Sentence | str | None:
        return read(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        return value.kept() if isinstance(value, Sentence) else super().get_prep_value(value)
