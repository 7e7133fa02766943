"""What can be done with an export's configuration. Every change is audited; none of them runs."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from connections.models import Connection
from exports import removal
from exports.lists import ContactList
from exports.models import Destination, DestinationSegment, Run
from exports.scheduling import next_run
from segments.models import Segment
from workspaces import audit
from workspaces.models import User, Workspace
from workspaces.timing import Timing


class DestinationProblem(Exception):
    """Why a change can't be made; the message is for people and says what to do."""


class NameTaken(DestinationProblem):
    """Another export of the workspace has the name."""


class ChangedMeanwhile(DestinationProblem):
    """Somebody else saved the export since the person opened it."""

    def __init__(self, destination: Destination) -> None:
        super().__init__(
            _(
                "%(person)s changed this export while you were editing it. What you entered is"
                " still here: save again to replace their changes, or open the export anew to see"
                " them first."
            )
            % {"person": destination.updated_by or _("Somebody")}
        )
        self.updated_at = destination.updated_at


@dataclass(frozen=True)
class Details:
    """An export's configuration as a person entered it, checked."""

    name: str
    connection: Connection | None
    contact_list: ContactList
    matching: dict[str, str]
    segments: list[Segment]
    mode: str = Destination.Mode.MIRROR
    removal_share: int = 20

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "connection": str(self.connection or ""),
            "list": self.contact_list.name,
            "list_id": self.contact_list.id,
            "matching": self.matching,
            "segments": sorted(segment.name for segment in self.segments),
            "mode": self.mode,
            "removal_share": self.removal_share,
        }


def details_of(destination: Destination) -> Details:
    return Details(
        name=destination.name,
        connection=destination.connection,
        contact_list=ContactList(destination.list_id, destination.list_name),
        matching=destination.matching,
        segments=list(destination.segments.order_by("name")),
        mode=destination.mode,
        removal_share=destination.removal_share,
    )


def create(
    workspace: Workspace,
    *,
    by: User | None,
    details: Details,
    like: Destination | None = None,
) -> Destination:
    """A new export; with every refresh, or scheduled `like` the one it is a duplicate of."""
    destination = Destination(workspace=workspace, created_by=by, updated_by=by)
    if like is not None:
        destination.schedule = like.schedule
        destination.days, destination.times = like.days, like.times
        destination.time_zone = like.time_zone
    else:
        destination.time_zone = workspace.time_zone
    with _name_checked(details.name), transaction.atomic():
        _write(destination, details)
        audit.record(
            workspace,
            "destination.created",
            actor=by,
            target=destination,
            **details.described(),
            **({"duplicate_of": like.name} if like else {}),
        )
    return destination


def update(
    destination: Destination, *, by: User | None, details: Details, seen: datetime | None
) -> Destination:
    """Changes the export, unless it changed since `seen` (None: whatever it was).

    What the list already got stays on record as long as connection's account and list stay.
    """
    with _name_checked(details.name), transaction.atomic():
        stored = _locked(destination)
        if seen is not None and stored.updated_at != seen:
            raise ChangedMeanwhile(stored)
        before = details_of(stored).described()
        moved = (stored.connection_id, stored.list_id) != (
            details.connection.pk if details.connection else None,
            details.contact_list.id,
        )
        if moved and active_run(stored):
            raise DestinationProblem(
                _(
                    "A run of this export is going on, so its connection and list can’t change now."
                    " Wait until it has ended, or cancel it."
                )
            )
        stored.updated_by, stored.updated_at = by, timezone.now()
        _write(stored, details)
        after = details.described()
        changes = {
            name: [before[name], after[name]] for name in after if before[name] != after[name]
        }
        audit.record(
            stored.workspace, "destination.changed", actor=by, target=stored, changes=changes
        )
    return stored


def add_segment(destination: Destination, segment: Segment, *, by: User | None) -> None:
    """Sends a segment more. Raises `DestinationProblem` for a draft, which has no members."""
    if segment.is_draft:
        raise DestinationProblem(
            _("“%(segment)s” is a draft. Activate it, then add it to an export.")
            % {"segment": segment}
        )
    with transaction.atomic():
        stored = _locked(destination)
        details = details_of(stored)
        if segment not in details.segments:
            more = replace(details, segments=[*details.segments, segment])
            update(stored, by=by, details=more, seen=None)


def take_out_segment(destination: Destination, segment: Segment, *, by: User | None) -> None:
    """Sends a segment less. Raises `DestinationProblem` for the only one: it would send nobody."""
    with transaction.atomic():
        stored = _locked(destination)
        details = details_of(stored)
        staying = [one for one in details.segments if one != segment]
        if len(staying) == len(details.segments):
            return
        if not staying:
            raise DestinationProblem(
                _(
                    "“%(segment)s” is the only segment of “%(export)s”. Give the export another"
                    " first, or remove the export if it is not needed any more."
                )
                % {"segment": segment, "export": stored}
            )
        update(stored, by=by, details=replace(details, segments=staying), seen=None)


def detach(destination: Destination, *, by: User | None) -> None:
    """Takes the connection away: the export rests until it is given another."""
    with transaction.atomic():
        stored = _locked(destination)
        if stored.connection is None:
            return
        detached = stored.connection
        stored.connection, stored.next_run_at = None, None
        stored.updated_by, stored.updated_at = by, timezone.now()
        stored.save()
        audit.record(
            stored.workspace,
            "destination.detached",
            actor=by,
            target=stored,
            connection=str(detached),
        )


def take_over(destination: Destination, *, by: User) -> None:
    """Somebody else answers for the export as it is."""
    with transaction.atomic():
        stored = _locked(destination)
        before = stored.updated_by or stored.created_by
        stored.updated_by, stored.updated_at = by, timezone.now()
        stored.save(update_fields=["updated_by", "updated_at"])
        audit.record(
            stored.workspace, "destination.taken_over", actor=by, target=stored, before=str(before)
        )


def remove(destination: Destination, *, by: User | None) -> None:
    """Deletes the export, its runs and its ledger. What was sent stays at the provider.

    Raises `DestinationProblem` while a run is going on.
    """
    with transaction.atomic():
        stored = _locked(destination)
        if active_run(stored):
            raise DestinationProblem(
                _(
                    "A run of “%(export)s” is going on. Cancel it, wait until it has ended, then"
                    " remove the export."
                )
                % {"export": stored}
            )
        audit.record(
            stored.workspace,
            "destination.removed",
            actor=by,
            target=stored,
            **details_of(stored).described(),
        )
        removal.delete(stored)


def reschedule(destination: Destination, *, by: User | None, timing: Timing) -> None:
    """Gives the export this timing; it next runs when that says."""
    with transaction.atomic():
        stored = _locked(destination)
        before = Timing.of(stored)
        if before == timing:
            return
        timing.apply(stored)
        stored.next_run_at = next_run(stored)
        stored.updated_by, stored.updated_at = by, timezone.now()
        stored.save()
        audit.record(
            stored.workspace,
            "destination.scheduled",
            actor=by,
            target=stored,
            changes=[before.described(), timing.described()],
        )


def switch(destination: Destination, *, by: User | None, on: bool) -> None:
    """Turns the export's schedule off, or on again as it was before."""
    timing = Timing.of(destination)
    if not on:
        timing = replace(timing, schedule=Destination.Schedule.OFF)
    elif timing.schedule == Destination.Schedule.OFF:
        own = bool(timing.days and timing.times)
        timing = replace(
            timing, schedule=Destination.Schedule.OWN if own else Destination.Schedule.REFRESH
        )
    reschedule(destination, by=by, timing=timing)


def active_run(destination: Destination) -> Run | None:
    return Run.objects.filter(destination=destination, state__in=Run.ACTIVE).first()


def _locked(destination: Destination) -> Destination:
    return Destination.objects.select_for_update().get(pk=destination.pk)


def _write(destination: Destination, details: Details) -> None:
    destination.name = details.name
    destination.connection = details.connection
    destination.list_id = details.contact_list.id
    destination.list_name = details.contact_list.name
    destination.matching = details.matching
    destination.mode = details.mode
    destination.removal_share = details.removal_share
    destination.next_run_at = next_run(destination)
    destination.save()
    links = DestinationSegment.objects.filter(destination=destination)
    links.exclude(segment__in=details.segments).delete()
    kept = set(links.values_list("segment_id", flat=True))
    DestinationSegment.objects.bulk_create(
        DestinationSegment(
            workspace_id=destination.workspace_id, destination=destination, segment=segment
        )
        for segment in details.segments
        if segment.pk not in kept
    )


class _name_checked:  # noqa: N801 - reads as a with-statement
    """Names the export whose name is taken, when two people save the same one at once."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError) and "destination_name_unique" in str(error):
            raise NameTaken(name_taken(self.name)) from error


def name_taken(name: str) -> str:
    return _("There already is an export called “%(name)s”. Choose another name.") % {"name": name}


def free_name(name: str) -> str:
    """What a duplicate of the export of that name may be called."""
    taken = set(
        Destination.objects.filter(name__startswith=name[:80]).values_list("name", flat=True)
    )
    candidate, number = _("%(name)s (copy)") % {"name": name[:80]}, 2
    while candidate in taken:
        candidate = _("%(name)s (copy %(number)d)") % {"name": name[:80], "number": number}
        number += 1
    return candidate
