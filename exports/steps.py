"""The steps of setting an export up: what is entered on each, and where what is wrong is mended."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from exports.forms import DestinationForm


class Step(TextChoices):
    """In their order."""

    WHERE = "where", _("Where to")
    MATCHING = "matching", _("Data matching")
    SEGMENTS = "segments", _("Segments")
    PREVIEW = "preview", _("Preview and save")

    @property
    def number(self) -> int:
        """From 1."""
        return ORDER.index(self) + 1

    @property
    def before(self) -> "Step | None":
        return ORDER[self.number - 2] if self.number > 1 else None

    @property
    def after(self) -> "Step | None":
        return ORDER[self.number] if self.number < len(ORDER) else None


ORDER = list(Step)

FIELDS: dict[Step, tuple[str, ...]] = {
    Step.WHERE: ("connection", "name", "way", "picked", "pasted", "made"),
    Step.MATCHING: ("email", "field", "attribute"),
    Step.SEGMENTS: ("segments", "mode", "removal_share"),
    Step.PREVIEW: (),
}


def named(text: str) -> Step | None:
    return Step(text) if text in Step.values else None


def first_wrong(form: "DestinationForm", among: Iterable[Step] = ORDER) -> Step | None:
    """The first step on which something is wrong that can be mended there."""
    return next((step for step in among if _is_wrong(form, step)), None)


def _is_wrong(form: "DestinationForm", step: Step) -> bool:
    if step == Step.MATCHING and any(row.errors for row in form.rows):
        return True
    return any(name in form.errors for name in FIELDS[step])
