"""A run's account, ready to be looked at: where every profile of the segments went."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from exports.models import Run

SMALLEST_SHARE = 0.6


@dataclass(frozen=True)
class Fate:
    label: Promise
    explanation: Promise


FATES: dict[str, Fate] = {
    "added": Fate(_("Added"), _("New to the list, or sent anew")),
    "changed": Fate(_("Changed"), _("On the list already, with other data")),
    "unchanged": Fate(_("Unchanged"), _("On the list as it is: nothing to send")),
    "duplicate": Fate(_("Duplicate"), _("Another profile with the same address stands for it")),
    "invalid": Fate(_("Invalid"), _("No address, or data that Constant Contact does not take")),
    "suppressed": Fate(
        _("Suppressed"), _("Unsubscribed, taken off the list, on hold or not to be sent")
    ),
    "rejected": Fate(_("Rejected"), _("Not taken by Constant Contact")),
}
SENT = ("added", "changed")
LEFT_OUT = ("duplicate", "invalid", "suppressed", "rejected")


@dataclass(frozen=True)
class Part:
    """One fate's place in the bar; `start` and `width` are percent of its length."""

    fate: str
    label: Promise
    explanation: Promise
    count: int
    start: float
    width: float

    @property
    def is_left_out(self) -> bool:
        return self.fate in LEFT_OUT


@dataclass(frozen=True)
class Account:
    parts: list[Part]
    in_segments: int

    @property
    def present(self) -> list[Part]:
        return [part for part in self.parts if part.count]

    @property
    def sent(self) -> int:
        return sum(part.count for part in self.parts if part.fate in SENT)

    @property
    def left_out(self) -> int:
        return sum(part.count for part in self.parts if part.is_left_out)

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def adds_up(self) -> bool:
        return self.total == self.in_segments


def account_of(run: Run) -> Account:
    return account({fate: getattr(run, fate) for fate in FATES}, run.in_segments)


def account(counts: Mapping[str, int], in_segments: int) -> Account:
    """The account of these counts by fate. Fates too few to be seen get a sliver of the bar."""
    total = sum(counts[fate] for fate in FATES)
    widths = {
        fate: max(100 * counts[fate] / total, SMALLEST_SHARE) if counts[fate] else 0.0
        for fate in FATES
    }
    scale = 100 / sum(widths.values()) if total else 0.0
    parts, start = [], 0.0
    for fate, words in FATES.items():
        width = widths[fate] * scale
        parts.append(Part(fate, words.label, words.explanation, counts[fate], start, width))
        start += width
    return Account(parts, in_segments)
