"""How far an import is, as pages show it: its stages, rows, rate and time left."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from segments.models import Import, SqlQuery
from workspaces import waiting
from workspaces.estimates import Pace, two_figures
from workspaces.stages import Stage
from workspaces.written import number, roughly

FETCH = pgettext_lazy("stage of an import", "Fetch")
READ = pgettext_lazy("stage of an import", "Read")
STORE = pgettext_lazy("stage of an import", "Store")
# Which of the stages that people are shown each one belongs to, and what it does.
STAGES = {
    "fetching": (FETCH, _("Reading from the database")),
    "reading": (READ, _("Reading the file")),
    "sorting": (READ, _("Putting the rows in order")),
    "storing": (STORE, _("Storing the profiles")),
    "adding": (STORE, _("Storing the profiles")),
    "comparing": (STORE, _("Comparing with the profiles that are there")),
    "writing": (STORE, _("Writing what is new or has changed")),
}
# How many rows there are is guessed until they were read, and in reading so are those read so far.
GUESSED = ("fetching", "reading")
# After it nothing else comes.
LAST = "adding"


@dataclass(frozen=True)
class Progress:
    """`done` is None where nothing tells how far the stage is."""

    stages: list[Stage]
    doing: str
    count: str
    done: int | None
    whole: int
    rate: float | None
    time_left: timedelta | None
    is_last: bool

    @property
    def left(self) -> str:
        if self.time_left is None:
            return ""
        if self.is_last:
            said = gettext("about %(left)s left")
        else:
            said = gettext("about %(left)s left of this step")
        return said % {"left": roughly(self.time_left)}

    @property
    def line(self) -> str:
        return " · ".join(filter(None, (self.doing, self.count, self.left)))

    @property
    def figures(self) -> str:
        return " · ".join(filter(None, (self.count, self.left)))


def going_on(loads: Iterable[Import]) -> dict[int, Progress]:
    """That of those which go on, by the import's id."""
    active = [load for load in loads if load.state in Import.ACTIVE]
    if not active:
        return {}
    sources = {load.source_id for load in active}
    queries = set(SqlQuery.objects.filter(source__in=sources).values_list("source_id", flat=True))
    return {load.pk: progress_of(load, is_query=load.source_id in queries) for load in active}


def progress_of(load: Import, *, is_query: bool) -> Progress:
    stage = load.stage if load.state == Import.State.RUNNING else ""
    pace = Pace(load.done, load.whole, load.stage_at, load.heartbeat_at)
    is_known = 0 < load.done <= load.whole
    return Progress(
        stages=_stages(stage, is_query=is_query),
        doing=_doing(load, stage, is_query=is_query),
        count=_count(load, stage, is_known=is_known),
        done=load.done if is_known else None,
        whole=load.whole,
        rate=pace.rate,
        time_left=pace.time_left if is_known else None,
        is_last=stage == LAST,
    )


def _stages(stage: str, *, is_query: bool) -> list[Stage]:
    labels = [FETCH, READ, STORE] if is_query else [READ, STORE]
    here = labels.index(STAGES[stage][0]) if stage in STAGES else -1
    stages = []
    for place, label in enumerate(labels):
        if place < here:
            stages.append(Stage(label, "done"))
        elif place == here:
            stages.append(Stage(label, "now"))
        else:
            stages.append(Stage(label, "ahead"))
    return stages


def _doing(load: Import, stage: str, *, is_query: bool) -> str:
    waits = timezone.now() - load.heartbeat_at
    told = waiting.for_a_worker(waits, is_queued=load.state == Import.State.QUEUED)
    if told:
        return told
    if stage == "reading" and is_query:
        return gettext("Checking the rows")
    return str(STAGES[stage][1]) if stage in STAGES else ""


def _count(load: Import, stage: str, *, is_known: bool) -> str:
    done, whole = number(load.done), number(load.whole)
    if stage == "writing":
        return ngettext("%(count)s profile", "%(count)s profiles", load.whole) % {"count": whole}
    if is_known and stage in GUESSED:
        whole = number(round(two_figures(load.whole)))
        if stage == "reading":
            done = number(round(two_figures(load.done)))
        return gettext("%(done)s of about %(whole)s rows") % {"done": done, "whole": whole}
    if is_known:
        return gettext("%(done)s of %(whole)s rows") % {"done": done, "whole": whole}
    if load.done:
        return ngettext("%(count)s row", "%(count)s rows", load.done) % {"count": done}
    return ""
