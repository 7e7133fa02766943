"""Plan: judge every profile in the segments, write the account, the ledger and the batches.

All in one transaction: a run either has its whole plan or none of it.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from exports.configuration import RunConfiguration, configuration_of, described
from exports.engine import plan_sql
from exports.engine.states import move_run
from exports.models import Delivery, Destination, Run
from segments.models import Segment
from workspaces.planner import expect_rows

MAX_PROFILES = 1_000_000
MAX_CONTACTS = 40_000
MAX_BYTES = 3_900_000
FATES = ("added", "changed", "unchanged", "duplicate", "invalid", "suppressed", "rejected")
PREVIEW_SIZE = 10
FEW_REMOVALS = 100


class CannotPlan(Exception):
    """Why a run fails before anything is sent; the message is for people."""


class NothingToPlan(Exception):
    """Why a run is skipped; the message is for people."""


@dataclass(frozen=True)
class Leaving:
    """How many are to be taken off the list, of how many that it holds from here."""

    count: int
    held: int
    sample: list[str]

    def needs_approval(self, share: int) -> bool:
        """`share` is in percent; few people never need one."""
        return self.count > FEW_REMOVALS and self.count * 100 > share * self.held


@dataclass(frozen=True)
class LeftOut:
    profile_id: int
    key: str
    address: str
    kind: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Preview:
    """What a run would do. `sample` holds contacts as they will arrive."""

    counts: dict[str, int]
    requests: int
    leaving: Leaving
    sample: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def in_segments(self) -> int:
        return sum(self.counts.values())

    @property
    def sent(self) -> int:
        return self.counts["added"] + self.counts["changed"]


def plan_run(run: Run) -> None:
    """Plans a run that is in state planning and moves it to sending, or to awaiting approval.

    What waits for approval is planned anew once it has it: only its counts are kept. Raises
    `NothingToPlan` or `CannotPlan`; then nothing is written.
    """
    with transaction.atomic():
        destination = Destination.objects.select_for_update().get(pk=run.destination_id)
        configuration = configuration_of(destination)
        check_segments(configuration)
        if not run.dry_run:
            _forget_another_list(destination, configuration)
        counts = _judge(configuration, full=run.full)
        in_segments = sum(counts.values())
        if not in_segments:
            raise NothingToPlan("Nobody is in the selected segments.")
        if in_segments > MAX_PROFILES:
            raise CannotPlan(
                f"The selected segments hold {in_segments:,} profiles, and a run sends at most"
                f" {MAX_PROFILES:,}. Select fewer segments, or make them smaller."
            )
        leaving = _leaving(configuration, counts)
        if leaving.count:
            _check_none_is_empty(configuration)
        found = {
            "configuration": described(destination, configuration),
            "in_segments": in_segments,
            "to_remove": leaving.count,
            **counts,
        }
        if (
            leaving.needs_approval(configuration.removal_share)
            and leaving.count > run.approved_removals
            and not run.dry_run
        ):
            removal = {"sample": leaving.sample, "held": leaving.held}
            move_run(run, Run.State.AWAITING_APPROVAL, removal=removal, **found)
            _drop_planned()
            return
        where = {
            "workspace": run.workspace_id,
            "destination": run.destination_id,
            "run": run.pk,
        }
        with connection.cursor() as cursor:
            cursor.execute(plan_sql.INSERT_REJECTIONS, where)
            if leaving.count and not run.dry_run:
                cursor.execute(plan_sql.MARK_LEAVING, where)
        if not run.dry_run:
            _write_batches(configuration, where)
        move_run(
            run,
            Run.State.SENDING,
            planned_at=timezone.now(),
            removal={},
            **found,
        )
        _drop_planned()


def preview(configuration: RunConfiguration) -> Preview:
    """What a run of the configuration would do now; changes nothing, asks the provider nothing."""
    with transaction.atomic():
        counts = _judge(configuration, full=False)
        with connection.cursor() as cursor:
            requests = len(_cuts(cursor, _envelope_bytes(configuration)))
            cursor.execute(plan_sql.SAMPLE_OF_CONTACTS, {"size": PREVIEW_SIZE})
            sample = [orjson.loads(payload) for (payload,) in cursor.fetchall()]
            cursor.execute(plan_sql.SAMPLE_OF_REJECTIONS, {"size": PREVIEW_SIZE})
            left_out = [LeftOut(*row) for row in cursor.fetchall()]
        leaving = _leaving(configuration, counts)
        _drop_planned()
    return Preview(counts, requests, leaving, sample, left_out)


def check_segments(configuration: RunConfiguration) -> None:
    """Raises `NothingToPlan` when a segment's members can't be trusted to be complete."""
    segments = list(Segment.objects.filter(pk__in=configuration.segment_ids).order_by("name"))
    if not segments:
        raise NothingToPlan("The export has no segments: edit it and select one.")
    for segment in segments:
        if segment.refresh_state == Segment.RefreshState.FAILED:
            raise NothingToPlan(
                f"The last refresh of the segment {segment.name!r} failed, so its members may be"
                " out of date. Mend it and refresh it, then run the export again."
            )
        if segment.refreshed_at is None:
            raise NothingToPlan(
                f"The segment {segment.name!r} has never been refreshed. Refresh it, then run the"
                " export again."
            )


def _forget_another_list(destination: Destination, configuration: RunConfiguration) -> None:
    """What another list holds says nothing about this one: the ledger starts anew."""
    if destination.delivered_to == configuration.delivered_to:
        return
    Delivery.objects.filter(
        workspace_id=destination.workspace_id, destination_id=destination.pk
    ).delete()
    destination.delivered_to = configuration.delivered_to
    destination.save(update_fields=["delivered_to"])


def _judge(configuration: RunConfiguration, *, full: bool) -> dict[str, int]:
    statement = plan_sql.plan_statement(configuration, full=full)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        expect_rows(cursor, _members(configuration))
        cursor.execute(statement.sql, statement.parameters)
        cursor.execute(plan_sql.INDEX_POSITIONS)
        cursor.execute("ANALYZE planned (fate, address, position)")
        cursor.execute(plan_sql.COUNT_BY_FATE)
        found = dict(cursor.fetchall())
    return {fate: found.get(fate, 0) for fate in FATES}


def _members(configuration: RunConfiguration) -> int:
    """How many the segments hold, as their refreshes counted them; one in two counts twice."""
    segments = Segment.objects.filter(pk__in=configuration.segment_ids)
    return int(segments.aggregate(members=Sum("member_count"))["members"] or 0)


def _leaving(configuration: RunConfiguration, counts: dict[str, int]) -> Leaving:
    """Who was put on the list from here and is no longer to be there.

    Those planned as changed or unchanged are just the ones that are held and stay.
    """
    if not configuration.mirrors or configuration.destination_id is None:
        return Leaving(0, 0, [])
    where = {
        "workspace": configuration.workspace_id,
        "destination": configuration.destination_id,
        "size": PREVIEW_SIZE,
    }
    with connection.cursor() as cursor:
        cursor.execute(plan_sql.COUNT_HELD, where)
        held = cursor.fetchone()[0]
        count = held - counts["changed"] - counts["unchanged"]
        sample: list[str] = []
        if count:
            cursor.execute(plan_sql.SAMPLE_OF_LEAVING, where)
            sample = [address for (address,) in cursor.fetchall()]
    return Leaving(count, held, sample)


def _check_none_is_empty(configuration: RunConfiguration) -> None:
    """A segment that came back empty is never read as nobody being left."""
    empty = Segment.objects.filter(pk__in=configuration.segment_ids, member_count=0).first()
    if empty is not None:
        raise NothingToPlan(
            f"The segment {empty.name!r} is empty, and people would be taken off the list for it."
            " If it is to be empty, take it out of the export, then run it again."
        )


def _drop_planned() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE planned")


def _write_batches(configuration: RunConfiguration, where: dict[str, Any]) -> None:
    head, tail = _envelope(configuration)
    batches, firsts = [], []
    with connection.cursor() as cursor:
        for number, cut in enumerate(_cuts(cursor, _envelope_bytes(configuration)), start=1):
            cursor.execute(
                plan_sql.INSERT_BATCH,
                {
                    **where,
                    "number": number,
                    "head": head,
                    "tail": tail,
                    "after": cut.after,
                    "last": cut.last,
                    "body_bytes": cut.bytes - 1 + len(head) + len(tail),
                },
            )
            batches.append(cursor.fetchone()[0])
            firsts.append(cut.after + 1)
        if batches:
            written = {**where, "batches": batches, "firsts": firsts}
            cursor.execute(plan_sql.UPDATE_DELIVERIES, written)
            cursor.execute(plan_sql.INSERT_DELIVERIES, written)


@dataclass(frozen=True)
class _Cut:
    after: int
    last: int
    bytes: int


def _cuts(cursor: Any, envelope_bytes: int) -> list[_Cut]:
    """The fewest batches that hold every contact to send, in order, within the limits."""
    cuts: list[_Cut] = []
    position = sent_bytes = 0
    while True:
        cursor.execute(
            plan_sql.LAST_OF_BATCH,
            {
                "position": position,
                "bytes": sent_bytes,
                "contacts": MAX_CONTACTS,
                "limit": MAX_BYTES - envelope_bytes,
            },
        )
        row = cursor.fetchone()
        if row is None:
            return cuts
        last, last_bytes = int(row[0]), int(row[1])
        cuts.append(_Cut(position, last, last_bytes - sent_bytes))
        position, sent_bytes = last, last_bytes


def _envelope(configuration: RunConfiguration) -> tuple[str, str]:
    lists = orjson.dumps([configuration.list_id]).decode()
    return '{"import_data":[', f'],"list_ids":{lists}}}'


def _envelope_bytes(configuration: RunConfiguration) -> int:
    return sum(len(part.encode()) for part in _envelope(configuration))
