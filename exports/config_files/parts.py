"""What applying the parts of a file has in common."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time
from typing import Any

from django.db import transaction
from django.forms import BaseForm

from exports.config_files import document as doc
from exports.config_files.document import Problem
from exports.config_files.yaml_text import Path
from workspaces.posted import posted
from workspaces.timing import Timed, Timing
from workspaces.timing_forms import TimingForm


@contextmanager
def unless_as_it_was(look: Callable[[], Any]) -> Iterator[None]:
    """Takes back what only looked like a change: another way of writing the same."""
    before = look()
    with transaction.atomic():
        yield
        if look() == before:
            transaction.set_rollback(True)


def require_valid(form: BaseForm, path: Path, named: dict[str, Path] | None = None) -> None:
    """Raises `Problem` for the form's first fault; `named` says where fields are in the file."""
    for name, texts in form.errors.items():
        place: Path = () if name == "__all__" else (named or {}).get(name, (name,))
        raise Problem((*path, *place), texts[0])


def day_numbers(days: list[Any]) -> list[int]:
    return [doc.DAYS.index(day) + 1 for day in days]


def clocks(times: list[str]) -> tuple[time, ...]:
    return tuple(time.fromisoformat(text) for text in times)


def timing_of(wanted: doc.Timing, thing: Timed, path: Path) -> Timing:
    """Raises `Problem`."""
    has_times = bool(wanted.days or wanted.times)
    if wanted.runs == Timed.Schedule.REFRESH and has_times:
        raise Problem((*path, "days"), "Only a schedule of its own has days and times.")
    form = TimingForm(
        posted(
            schedule=Timed.Schedule.OWN.value if has_times else wanted.runs,
            days=day_numbers(wanted.days),
            times=wanted.times,
            time_zone=wanted.time_zone or thing.time_zone,
        )
    )
    require_valid(form, path)
    if not has_times:
        return Timing(wanted.runs, time_zone=thing.time_zone)
    own = form.timing(Timing.of(thing))
    return Timing(wanted.runs, own.days, own.times, own.time_zone)
