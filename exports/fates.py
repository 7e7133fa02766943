"""What became of one profile in one run."""

from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import OuterRef, Q, QuerySet, Subquery

from config.kept_queries import KeptQuery
from exports import reasons
from exports.models import Batch, BatchContacts, Delivery, Destination, Rejection, Run
from segments.models import Profile, SegmentMember

MOST = 20

FateName = Literal["sent", "held", "sent_later", "left_out", "would_be_sent", "not_in_run"]


@dataclass(frozen=True)
class ProfileFate:
    """`held` is at the provider as an earlier run sent it; `sent_later` was sent again since.

    What a later run sent replaces what this one did in the ledger: then it is only known that
    the provider held the profile after this run.
    """

    name: FateName
    profile_id: int | None
    key: str
    address: str
    batch: Batch | None = None
    rejection: Rejection | None = None

    @property
    def reason(self) -> str:
        rejection = self.rejection
        return reasons.text(rejection.reason, rejection.detail) if rejection else ""


def find(run: Run, wanted: str) -> list[ProfileFate]:
    """The fate in the run of every profile with this key or address; empty if there is none."""
    wanted = wanted.strip()
    if not wanted:
        return []
    address = wanted.lower()
    found = {
        rejection.profile_id: _left_out(rejection)
        for rejection in Rejection.objects.filter(run=run).filter(
            Q(profile_key=wanted) | Q(address=address)
        )
    }
    attribute = _email(run)
    deliveries = {
        delivery.profile_id: delivery
        for delivery in Delivery.objects.filter(
            workspace_id=run.workspace_id, destination_id=run.destination_id, address=address
        )
    }
    profiles = list(Profile.objects.filter(Q(key=wanted) | Q(pk__in=[*deliveries]))[:MOST])
    if not profiles and not found and "@" in wanted:
        # Reads every profile, so only for an address that no run of the export has met.
        profiles = list(Profile.objects.filter(attributes__contains={attribute: wanted})[:MOST])
    for profile in profiles:
        if profile.pk not in found:
            found[profile.pk] = _fate(run, profile, attribute, deliveries.get(profile.pk))
    return list(found.values())


def latest(profile: Profile) -> list[tuple[Run, ProfileFate]]:
    """The profile's fate in the last run of every export, by the export's name."""
    shown = _last_runs()
    # By their keys: asked in one, for all exports and all their runs are gone through.
    runs = {run.pk: run for run in _runs(keys=shown)}
    return _of_each([runs[pk] for pk in shown if pk in runs], profile)


@KeptQuery
def _last_runs() -> QuerySet[Destination, int]:
    last = Run.objects.filter(destination=OuterRef("pk"), dry_run=False, planned_at__isnull=False)
    exports = Destination.objects.annotate(
        last_run=Subquery(last.order_by("-created_at").values("pk")[:1])
    ).filter(last_run__isnull=False)
    return exports.order_by("name").values_list("last_run", flat=True)[:MOST]


@KeptQuery
def _runs(keys: Any) -> QuerySet[Run]:
    return Run.objects.select_related("destination").filter(pk__any_of=keys)


@KeptQuery
def _rejections(runs: Any, profile: Any) -> QuerySet[Rejection]:
    found = Rejection.objects.filter(run__pk__any_of=runs, profile_id=profile)
    return found.order_by("-pk")


@KeptQuery
def _deliveries(exports: Any, addresses: Any, profile: Any) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        destination__pk__any_of=exports, address__any_of=addresses, profile_id=profile
    )


@KeptQuery
def _batches(keys: Any) -> QuerySet[Batch]:
    return Batch.objects.select_related("run").defer("body").filter(pk__any_of=keys)


def _of_each(runs: list[Run], profile: Profile) -> list[tuple[Run, ProfileFate]]:
    """As many queries for twenty runs as for one; each is of another export."""
    rejections = {
        one.run_id: one for one in _rejections(runs=[run.pk for run in runs], profile=profile.pk)
    }
    addresses = {run.pk: _address(profile, _email(run)) for run in runs}
    deliveries = {
        (one.destination_id, one.address): one
        for one in _deliveries(
            exports=[run.destination_id for run in runs],
            addresses=list(set(addresses.values()) - {""}),
            profile=profile.pk,
        )
    }
    active = [run for run in runs if run.is_active]
    carried_by = BatchContacts.objects.filter(
        batch__run__in=active, profile_ids__contains=[profile.pk]
    )
    carrying = dict(carried_by.values_list("batch__run_id", "batch_id")) if active else {}
    wanted = {*carrying.values(), *(one.batch_id for one in deliveries.values())}
    batches = {batch.pk: batch for batch in _batches(keys=[pk for pk in wanted if pk])}
    found = []
    for run in runs:
        delivery = deliveries.get((run.destination_id, addresses[run.pk]))
        if run.pk in rejections:
            fate = _left_out(rejections[run.pk])
        else:
            batch = batches.get(delivery.batch_id or 0) if delivery else None
            carried = batches.get(carrying.get(run.pk, 0))
            fate = _told(run, profile, addresses[run.pk], delivery, batch, carried)
        found.append((run, fate))
    return found


def _email(run: Run) -> str:
    return str(run.configuration.get("matching", {}).get("email", ""))


def _address(profile: Profile, attribute: str) -> str:
    return str(profile.attributes.get(attribute, "")).strip().lower()


def _left_out(rejection: Rejection) -> ProfileFate:
    return ProfileFate(
        "left_out",
        rejection.profile_id,
        rejection.profile_key,
        rejection.address,
        rejection=rejection,
    )


def _fate(run: Run, profile: Profile, attribute: str, delivery: Delivery | None) -> ProfileFate:
    address = _address(profile, attribute)
    if delivery is None and address:
        delivery = Delivery.objects.filter(
            workspace_id=run.workspace_id,
            destination_id=run.destination_id,
            address=address,
            profile_id=profile.pk,
        ).first()
    batch = (
        Batch.objects.filter(pk=delivery.batch_id).select_related("run").defer("body").first()
        if delivery and delivery.batch_id
        else None
    )
    return _told(run, profile, address, delivery, batch, _carrying(run, profile))


def _told(
    run: Run,
    profile: Profile,
    address: str,
    delivery: Delivery | None,
    batch: Batch | None,
    carrying: Batch | None,
) -> ProfileFate:
    """`batch` is that of the delivery, `carrying` one of the run while it goes on."""
    here = (profile.pk, profile.key, delivery.address if delivery else address)
    if run.dry_run:
        return ProfileFate("would_be_sent" if _selected(run, profile) else "not_in_run", *here)
    if carrying is not None:
        return ProfileFate("sent", *here, batch=carrying)
    if delivery is None or not run.planned_at:
        return ProfileFate("not_in_run", *here)
    if batch is None or batch.run.created_at < run.created_at:
        return ProfileFate("held", *here, batch=batch)
    if batch.run_id == run.pk:
        return ProfileFate("sent", *here, batch=batch)
    if delivery.previous_hash is None:
        return ProfileFate("not_in_run", *here)
    return ProfileFate("sent_later", *here, batch=batch)


def _carrying(run: Run, profile: Profile) -> Batch | None:
    """The batch of a run that goes on which holds the profile; with the end the ledger knows."""
    if not run.is_active:
        return None
    carried = BatchContacts.objects.filter(
        batch__run=run, profile_ids__contains=[profile.pk]
    ).values("batch_id")
    return Batch.objects.filter(pk__in=carried).select_related("run").defer("body").first()


def _selected(run: Run, profile: Profile) -> bool:
    segments = [segment["id"] for segment in run.configuration.get("segments", [])]
    return SegmentMember.objects.filter(segment_id__in=segments, profile_id=profile.pk).exists()
