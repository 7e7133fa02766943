"""Judge: what becomes of every profile in the segments, as temporary tables and their counts."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Sum

from exports.configuration import RunConfiguration
from exports.engine import judge_sql, plan_sql
from exports.models import OptOut
from segments import erased
from segments.models import Segment, Suppression
from workspaces.planner import expect_rows, share_the_work

FATES = ("added", "changed", "unchanged", "duplicate", "invalid", "suppressed", "rejected")
# Up to this share of the settled, who is left is looked up in the ledger one by one.
FEW_LEFT = 0.1


@dataclass(frozen=True)
class Slice:
    """Neighbours in `planned` that are to be sent: those up to number `last`, and their size."""

    last: int
    contacts: int
    bytes: int


@dataclass(frozen=True)
class Judged:
    """What `planned` holds, and `counts` by fate of everybody, the settled included.

    `settles` says that there is `candidate` as well; `new_owners` is how many stand for an address
    in the place of another profile, with nothing to send; `slices` are those to be sent, in order.
    """

    counts: dict[str, int]
    settles: bool
    new_owners: int
    slices: list[Slice]
    sample_of_settled: judge_sql.Statement | None

    @property
    def in_segments(self) -> int:
        return sum(self.counts.values())

    @property
    def sent(self) -> int:
        return self.counts["added"] + self.counts["changed"]

    @property
    def left_out(self) -> int:
        return self.in_segments - self.sent - self.counts["unchanged"]


def judge(configuration: RunConfiguration, *, full: bool, tidied: bool) -> Judged:
    """Makes the temporary tables of `judge_sql`, inside the caller's transaction.

    `tidied` says that nobody who opted out is left in the ledger.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        share_the_work(cursor)
        expect_rows(cursor, _members(configuration))
        known = _known(cursor, configuration, tidied=tidied)
        judging = judge_sql.judging(configuration, known, full=full)
        counts = dict.fromkeys(FATES, 0)
        planned = judging.planned
        if judging.candidates is not None:
            cursor.execute(judging.candidates.sql, judging.candidates.parameters)
            cursor.execute("ANALYZE candidate (settled, raw_address)")
            cursor.execute(judge_sql.COUNT_SETTLED)
            counts["unchanged"], left = cursor.fetchone()
            if left < FEW_LEFT * counts["unchanged"]:
                planned = judging.planned_of_few
        cursor.execute(planned.sql, planned.parameters)
        new_owners = 0
        slices: dict[int, Slice] = {}
        cursor.execute(judge_sql.COUNT)
        for fate, was_settled, number, count, size in cursor.fetchall():
            counts[fate] += count
            counts["unchanged"] -= count if was_settled else 0
            new_owners += count if fate == "unchanged" and not was_settled else 0
            if fate in ("added", "changed"):
                last = (number + 1) * judge_sql.SLICE - 1
                other = slices.get(number, Slice(last, 0, 0))
                slices[number] = Slice(last, other.contacts + count, other.bytes + size)
        if counts["duplicate"]:
            cursor.execute(judge_sql.NAME_WINNERS)
        if slices:
            cursor.execute(plan_sql.INDEX_PLANNED)
            cursor.execute("ANALYZE planned (n, fate, address)")
    in_order = [slices[number] for number in sorted(slices)]
    return Judged(
        counts, judging.candidates is not None, new_owners, in_order, judging.sample_of_settled
    )


def drop_judged(judged: Judged) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE planned")
        if judged.settles:
            cursor.execute("DROP TABLE candidate")


def _known(cursor: Any, configuration: RunConfiguration, *, tidied: bool) -> judge_sql.Known:
    cursor.execute(plan_sql.HAS_LEDGER, ledger_of(configuration))
    (has_ledger,) = cursor.fetchone()
    opted_out = OptOut.objects.filter(
        account_id=configuration.account_id, list_id__in=("", configuration.list_id)
    )
    return judge_sql.Known(
        ledger=has_ledger,
        tidied=tidied,
        opted_out=opted_out.exists(),
        suppressed=Suppression.objects.exists(),
        erased=erased.parameters(configuration.workspace_id),
    )


def ledger_of(configuration: RunConfiguration) -> dict[str, Any]:
    """What the SQL that meets the ledger needs to know."""
    return {
        "workspace": configuration.workspace_id,
        "destination": configuration.destination_id or 0,
        "account": configuration.account_id,
        "list": configuration.list_id,
    }


def _members(configuration: RunConfiguration) -> int:
    """How many the segments hold, as their refreshes counted them; one in two counts twice."""
    segments = Segment.objects.filter(pk__in=configuration.segment_ids)
    return int(segments.aggregate(members=Sum("member_count"))["members"] or 0)
