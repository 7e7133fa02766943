"""Plan: judge every profile in the segments, write the account, the ledger and the batches.

All in one transaction: a run either has its whole plan or none of it.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone

from exports.configuration import RunConfiguration, configuration_of, described
from exports.engine import plan_sql, turns
from exports.engine.batches import requests_for, write_batches
from exports.engine.judge import Judged, drop_judged, judge, ledger_of
from exports.engine.preferences import everybody_is_on_list, list_is_known
from exports.engine.states import move_run
from exports.models import Delivery, Destination, Run
from exports.whys import Explained, why
from segments.models import Segment

MAX_PROFILES = 1_000_000
PREVIEW_SIZE = 10
FEW_REMOVALS = 100


class CannotPlan(Explained):
    """Why a run fails before anything is sent."""


class NothingToPlan(Explained):
    """Why a run is skipped."""


class ListUnknown(Exception):
    """People would be sent again to a list of which it is not known who was taken off it.

    `requests` were made to learn it, in the transaction that is rolled back.
    """

    def __init__(self, requests: int) -> None:
        super().__init__(requests)
        self.requests = requests


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
    """What a run would do. `sample` holds contacts as they will arrive.

    `new_to_account` were never sent to the account from here: it may count so many more.
    """

    counts: dict[str, int]
    requests: int
    new_to_account: int
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
    `NothingToPlan`, `CannotPlan` or `ListUnknown`; then nothing is written.
    """
    with transaction.atomic():
        destination = Destination.objects.select_for_update().get(pk=run.destination_id)
        configuration = configuration_of(destination)
        check_segments(configuration)
        if not run.dry_run:
            _forget_what_is_not_held(destination, configuration)
            turns.take_to_send(destination)
        elif destination.delivered_to != configuration.delivered_to:
            # As if it were forgotten: of this list nothing is known.
            configuration = replace(configuration, destination_id=None)
        judged = judge(configuration, full=run.full, tidied=not run.dry_run)
        _check(run, configuration, judged)
        leaving = _leaving(configuration, judged)
        if leaving.count:
            _check_none_is_empty(configuration)
        found = {
            "configuration": described(destination, configuration),
            "in_segments": judged.in_segments,
            "to_remove": leaving.count,
            **judged.counts,
        }
        if (
            leaving.needs_approval(configuration.removal_share)
            and leaving.count > run.approved_removals
            and not run.dry_run
        ):
            removal = {"sample": leaving.sample, "held": leaving.held}
            move_run(run, Run.State.AWAITING_APPROVAL, removal=removal, **found)
            drop_judged(judged)
            return
        where = {**ledger_of(configuration), "run": run.pk}
        with connection.cursor() as cursor:
            if judged.left_out:
                cursor.execute(plan_sql.INSERT_REJECTIONS, where)
        if not run.dry_run:
            _write_ledger(configuration, judged, leaving, where)
        move_run(
            run,
            Run.State.SENDING,
            planned_at=timezone.now(),
            removal={},
            **found,
        )
        drop_judged(judged)
    run.destination = destination


def preview(configuration: RunConfiguration) -> Preview:
    """What a run of the configuration would do now; changes nothing, asks the provider nothing."""
    with transaction.atomic():
        judged = judge(configuration, full=False, tidied=False)
        counts = judged.counts
        with connection.cursor() as cursor:
            requests = requests_for(configuration, judged)
            cursor.execute(plan_sql.SAMPLE_OF_CONTACTS, {"size": PREVIEW_SIZE})
            payloads = [payload for (payload,) in cursor.fetchall()]
            held, size = judged.sample_of_settled, PREVIEW_SIZE - len(payloads)
            if held is not None:
                cursor.execute(held.sql, {**held.parameters, "size": size})
                payloads += [payload for (payload,) in cursor.fetchall()]
            sample = [orjson.loads(payload) for payload in payloads]
            cursor.execute(plan_sql.SAMPLE_OF_REJECTIONS, {"size": PREVIEW_SIZE})
            left_out = [LeftOut(*row) for row in cursor.fetchall()]
        new = _new_to_account(configuration, counts["added"])
        leaving = _leaving(configuration, judged)
        drop_judged(judged)
    return Preview(counts, requests, new, leaving, sample, left_out)


def _new_to_account(configuration: RunConfiguration, added: int) -> int:
    others = Destination.objects.filter(delivered_to__startswith=f"{configuration.account_id}:")
    found = list(others.exclude(pk=configuration.destination_id or 0).values_list("pk", flat=True))
    if not found or not added:
        return added
    with connection.cursor() as cursor:
        cursor.execute(
            plan_sql.COUNT_NEW_TO_ACCOUNT,
            {"workspace": configuration.workspace_id, "others": found},
        )
        return int(cursor.fetchone()[0])


def _check(run: Run, configuration: RunConfiguration, judged: Judged) -> None:
    if not judged.in_segments:
        raise NothingToPlan(why("nobody"))
    if judged.in_segments > MAX_PROFILES:
        raise CannotPlan(why("too_many", count=judged.in_segments, most=MAX_PROFILES))
    if run.dry_run or list_is_known(run):
        return
    if judged.counts["changed"] or _adds_whom_another_holds(configuration, judged):
        known, requests = everybody_is_on_list(run)
        if not known:
            raise ListUnknown(requests)


def _adds_whom_another_holds(configuration: RunConfiguration, judged: Judged) -> bool:
    others = Destination.objects.filter(delivered_to=configuration.delivered_to)
    found = list(others.exclude(pk=configuration.destination_id or 0).values_list("pk", flat=True))
    if not found or not judged.counts["added"]:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            plan_sql.ADDS_WHOM_ANOTHER_HOLDS,
            {"workspace": configuration.workspace_id, "others": found},
        )
        return bool(cursor.fetchone()[0])


def check_segments(configuration: RunConfiguration) -> None:
    """Raises `NothingToPlan` when a segment's members can't be trusted to be complete."""
    segments = list(Segment.objects.filter(pk__in=configuration.segment_ids).order_by("name"))
    if not segments:
        raise NothingToPlan(why("no_segments"))
    for segment in segments:
        if not segment.is_active:
            raise NothingToPlan(why("segment_inactive", segment=segment.name))
        if segment.refresh_state == Segment.RefreshState.FAILED:
            raise NothingToPlan(why("segment_failed", segment=segment.name))
        if segment.refreshed_at is None:
            raise NothingToPlan(why("segment_never_refreshed", segment=segment.name))


def _forget_what_is_not_held(destination: Destination, configuration: RunConfiguration) -> None:
    """What another list holds says nothing about this one, and who opted out is not held."""
    if destination.delivered_to == configuration.delivered_to:
        with connection.cursor() as cursor:
            cursor.execute(plan_sql.LET_GO_OF_OPTED_OUT, ledger_of(configuration))
        return
    Delivery.objects.filter(
        workspace_id=destination.workspace_id, destination_id=destination.pk
    ).delete()
    destination.delivered_to = configuration.delivered_to
    destination.save(update_fields=["delivered_to"])


def _leaving(configuration: RunConfiguration, judged: Judged) -> Leaving:
    """Who was put on the list from here and is no longer to be there.

    Those planned as changed or unchanged are just the ones that are held and stay.
    """
    if not configuration.mirrors or configuration.destination_id is None:
        return Leaving(0, 0, [])
    where = {**ledger_of(configuration), "size": PREVIEW_SIZE}
    with connection.cursor() as cursor:
        cursor.execute(plan_sql.COUNT_HELD, where)
        held = cursor.fetchone()[0]
        count = held - judged.counts["changed"] - judged.counts["unchanged"]
        sample: list[str] = []
        if count:
            cursor.execute(plan_sql.SAMPLE_OF_LEAVING.format(unless=_unless(judged)), where)
            sample = [address for (address,) in cursor.fetchall()]
    return Leaving(count, held, sample)


def _unless(judged: Judged) -> str:
    return plan_sql.UNLESS_SETTLED if judged.settles else ""


def _check_none_is_empty(configuration: RunConfiguration) -> None:
    """A segment that came back empty is never read as nobody being left."""
    empty = Segment.objects.filter(pk__in=configuration.segment_ids, member_count=0).first()
    if empty is not None:
        raise NothingToPlan(why("segment_empty", segment=empty.name))


def _write_ledger(
    configuration: RunConfiguration, judged: Judged, leaving: Leaving, where: dict[str, Any]
) -> None:
    with connection.cursor() as cursor:
        if judged.new_owners:
            cursor.execute(plan_sql.CHANGE_OWNERS, where)
        if leaving.count:
            cursor.execute(plan_sql.MARK_LEAVING.format(unless=_unless(judged)), where)
    if judged.sent:
        write_batches(configuration, judged, where)
